"""Knative func's newer form: handle(scope, receive, send), alone or of what new() returns, with start, stop, alive
and ready. scope["event"] is the event; send takes an event as well as ASGI's messages.
"""

import os
import queue
import signal
import sys

from .answer import Answer, TEXT, answer_of
from .event import answer_of_event, event_in, event_of_request
from .pieces import Pieces
from .run import finish, loop

HEALTH = {"/health/liveness": "alive", "/health/readiness": "ready"}


class Serving:
    """Answers calls with a function whose start has ended."""

    def __init__(self, function, source):
        self._function, self._source = function, source
        if hasattr(function, "start"):
            finish(function.start(dict(os.environ)))
        if hasattr(function, "stop"):
            stop_with(function)

    def __call__(self, call):
        check = HEALTH.get(call.path) if call.method == "GET" else None
        return health_of(self._function, check) if check else conversation(self._function, call, self._source)


def stop_with(function):
    def stop(*_):
        finish(function.stop())
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)


def health_of(function, check):
    result = finish(getattr(function, check, lambda: True)())
    is_well, message = result if isinstance(result, tuple) else (result, "OK" if result else "not OK")
    return Answer(str(message).encode(), 200 if is_well else 500, content_type=TEXT)


def conversation(function, call, source):
    """Answers when the head is there; what follows is streamed."""
    import asyncio

    said = queue.SimpleQueue()
    event = event_in(call) or event_of_request(call, source)
    scope = {**scope_of(call), "event": event}

    async def talk():
        try:
            await function.handle(scope, receiver(call), Sender(said, source))
            said.put(None)
        except BaseException as fault:
            said.put(fault)

    task = asyncio.run_coroutine_threadsafe(talk(), loop())
    head = next_of(said)
    if isinstance(head, Answer):
        return head
    if head is None:
        return answer_of(None)
    headers = [(text_of(name), text_of(value)) for name, value in head.get("headers", ())]
    is_known = any(name.lower() == "content-length" for name, _ in headers)
    body = Pieces(bodies(said, task))
    return Answer(b"".join(body) if is_known else body, head["status"], headers)


def bodies(said, task):
    try:
        while (message := next_of(said)) is not None:
            yield message.get("body", b"")
            if not message.get("more_body", False):
                return
    except GeneratorExit:
        # Nobody listens any more.
        task.cancel()
        raise


def next_of(said):
    message = said.get()
    if isinstance(message, BaseException):
        raise message
    return message


class Sender:
    """ASGI's `send`; an event may be sent, too."""

    def __init__(self, said, source):
        self._said, self._source = said, source

    async def __call__(self, message, status=200):
        if isinstance(message, dict) and str(message.get("type", "")).startswith("http.response."):
            return self._said.put(message)
        answer = answer_of_event(message, self._source)
        answer.status = status
        self._said.put(answer)

    binary = structured = __call__

    async def http(self, message):
        self._said.put(message)


def receiver(call):
    messages = [{"type": "http.request", "body": call.body, "more_body": False}]

    async def receive():
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def scope_of(call):
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": call.path,
        "raw_path": call.raw_path.encode(),
        "query_string": call.query_string.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in call.headers.items()],
    }


def text_of(value):
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
