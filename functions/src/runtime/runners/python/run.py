"""One event loop for all that is asynchronous in the author's code, so that a client of his lives from call to call."""

import inspect
import threading

LOCK = threading.Lock()
LOOPS = []


def finish(value):
    """What a handler returned, awaited when it is to be."""
    return run(value) if inspect.isawaitable(value) else value


def run(awaitable):
    """Waits, in any thread but the loop's own."""
    import asyncio

    how, value = asyncio.run_coroutine_threadsafe(outcome(awaitable), loop()).result()
    if how == "ended":
        raise value
    return value


async def outcome(awaitable):
    try:
        return "done", await awaitable
    except (SystemExit, KeyboardInterrupt) as end:
        # Left alone, these would end the loop, and nobody would hear why.
        return "ended", end


def loop():
    import asyncio

    with LOCK:
        if not LOOPS:
            LOOPS.append(asyncio.new_event_loop())
            threading.Thread(target=LOOPS[0].run_forever, name="millrace-asyncio", daemon=True).start()
        return LOOPS[0]
