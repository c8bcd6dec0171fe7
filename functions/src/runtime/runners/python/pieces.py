"""A body that comes piece by piece."""

from .run import run

NOT_STREAMS = (str, bytes, bytearray, dict, list, tuple, set, frozenset)


def is_stream(value):
    """A generator, or whatever else can be gone through once it is begun: of str or bytes, also an asynchronous one."""
    return hasattr(value, "__aiter__") or (hasattr(value, "__iter__") and not isinstance(value, NOT_STREAMS))


class Pieces:
    """The pieces of a stream as bytes. To be closed, so that a generator that is not at its end may tidy up."""

    def __init__(self, stream):
        self._stream = stream
        self._is_async = hasattr(stream, "__aiter__")
        self._iterator = stream.__aiter__() if self._is_async else iter(stream)

    def __iter__(self):
        return self

    def __next__(self):
        piece = run(self._next()) if self._is_async else next(self._iterator)
        if piece is END:
            raise StopIteration
        if isinstance(piece, str):
            return piece.encode()
        if isinstance(piece, (bytes, bytearray)):
            return bytes(piece)
        raise TypeError(f"expected str or bytes from what was returned, a {type(self._stream).__name__}, got {piece!r}")

    async def _next(self):
        # An asynchronous iterator may be at its end, but a coroutine must not raise that.
        async for piece in self._iterator:
            return piece
        return END

    def close(self):
        for candidate in (self._stream, self._iterator):
            if self._is_async and hasattr(candidate, "aclose"):
                return run(candidate.aclose())
            if hasattr(candidate, "close"):
                return candidate.close()


END = object()
