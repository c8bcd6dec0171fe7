"""What an author returned, as an HTTP answer."""

import json

from .pieces import Pieces, is_stream

TEXT = "text/plain; charset=utf-8"


class Answer:
    """A status, headers (pairs), and a body: bytes, or Pieces that are sent as they come."""

    def __init__(self, body=b"", status=200, headers=(), content_type=None):
        self.body, self.status, self.headers, self.content_type = body, status, list(headers), content_type


def answer_of(value, text_type=TEXT):
    """A tuple is (status, body) or (body, status[, headers]); None is no content; what is no text or bytes is JSON."""
    if value is None:
        return Answer(status=204)
    if isinstance(value, Answer):
        return value
    if isinstance(value, tuple) and len(value) in (2, 3):
        return tuple_answer(value, text_type)
    if isinstance(value, (bytes, bytearray)):
        return Answer(bytes(value), content_type="application/octet-stream")
    if isinstance(value, str):
        return Answer(value.encode(), content_type=text_type)
    if is_stream(value):
        return Answer(Pieces(value), content_type=text_type)
    return Answer(json.dumps(value).encode(), content_type="application/json")


def tuple_answer(value, text_type):
    first, second = value[0], value[1]
    headers = value[2] if len(value) == 3 else {}
    if isinstance(second, dict) and len(value) == 2 and not isinstance(first, int):
        # As flask has it: a body and its headers.
        status, body, headers = 200, first, second
    else:
        status, body = (first, second) if isinstance(first, int) else (second, first)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise TypeError(f"expected a status of 200 to 599 in the returned tuple, got {status!r}")
    answer = answer_of(body, text_type)
    answer.status = 200 if status == 204 and answer.body else status
    answer.headers.extend(pairs_of(headers))
    return answer


def pairs_of(headers):
    """Headers as a mapping or as pairs."""
    return list(headers.items() if hasattr(headers, "items") else headers or ())


def failure(status, fault):
    body = json.dumps({"error": type(fault).__name__, "message": str(fault)}).encode()
    return Answer(body, status, content_type="application/json")
