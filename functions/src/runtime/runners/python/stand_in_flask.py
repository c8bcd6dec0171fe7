"""What `import flask` finds where flask is not installed: the part of it that handlers of events use."""

import contextvars
import importlib.util
import sys
import types

from .answer import Answer, answer_of, pairs_of
from .call import Refusal

CURRENT = contextvars.ContextVar("call")


def answer_with_stand_in(view, call):
    # Not taken back: a generator that was returned may still look at it.
    CURRENT.set(call)
    value = view(StandInFlask.request, call)
    # A text is HTML to flask.
    return value.answer() if isinstance(value, Response) else answer_of(value, "text/html; charset=utf-8")


class Request:
    """flask.request: the call that is being answered."""

    method = property(lambda self: CURRENT.get().method)
    path = property(lambda self: CURRENT.get().path)
    full_path = property(lambda self: f"{self.path}?{CURRENT.get().query_string}")
    query_string = property(lambda self: CURRENT.get().query_string.encode())
    args = property(lambda self: CURRENT.get().query)
    headers = property(lambda self: CURRENT.get().headers)
    data = property(lambda self: CURRENT.get().body)
    content_type = property(lambda self: CURRENT.get().content_type)
    is_json = property(lambda self: CURRENT.get().is_json)
    json = property(lambda self: self.get_json())

    def get_data(self, cache=True, as_text=False):
        return CURRENT.get().text() if as_text else CURRENT.get().body

    def get_json(self, force=False, silent=False, cache=True):
        call = CURRENT.get()
        try:
            if force or call.is_json:
                return call.json()
            raise Refusal(415, f"get_json: expected content type application/json, got {call.content_type}")
        except Refusal:
            if silent:
                return None
            raise


class Response:
    """flask.Response: a body, also one that comes piece by piece, with a status and headers."""

    def __init__(self, response=b"", status=200, headers=None, mimetype=None, content_type=None):
        self.response, self.status_code = response, status
        self.headers, self.content_type = headers, content_type or mimetype or "text/html; charset=utf-8"

    def answer(self):
        body = answer_of(self.response).body
        return Answer(body, self.status_code, pairs_of(self.headers), self.content_type)


class StandInFlask(types.ModuleType):
    request = Request()
    Response = Response
    stream_with_context = staticmethod(lambda generator: generator)

    @staticmethod
    def jsonify(*args, **fields):
        return fields or (args[0] if len(args) == 1 else list(args))


class StandInFinder:
    """Stands last on the import path, so that the real flask wins, and is not imported unless it is wanted."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return importlib.util.spec_from_loader(name, StandInFinder) if name == "flask" else None

    @staticmethod
    def create_module(spec):
        return StandInFlask(spec.name)

    @staticmethod
    def exec_module(module):
        pass


def install():
    sys.meta_path.append(StandInFinder)
