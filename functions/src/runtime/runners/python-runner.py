"""Serves one file of an author's over HTTP on a unix domain socket: CloudEvents in binary mode in, an event or a
plain body out. Standard library only, so that it can run wherever the author's code runs.

    python3 python-runner.py

File descriptor 3 brings one line of JSON, the order (see RunnerOrder in launcher.ts), and hears one line:
{"ready": true}, or {"error": "..."} when the file cannot be loaded.
The form of the handler is told by its name and its number of arguments; see FORMS.
"""

import asyncio
import contextvars
import datetime
import http.client
import importlib
import importlib.util
import inspect
import json
import os
import re
import socketserver
import sys
import traceback
import types
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler

def read_order():
    text = b""
    while not text.endswith(b"\n"):
        chunk = os.read(3, 65536)
        if not chunk:
            sys.exit(0)
        text += chunk
    return json.loads(text)


ORDER = read_order()
FILE, SOCKET, SOURCE = ORDER["file"], ORDER["socket"], ORDER["source"]
os.environ.clear()
os.environ.update(ORDER["environment"])
os.chdir(ORDER["home"])

# The library's own bound of 100 headers is too small for events with many extensions.
http.client._MAXHEADERS = 1000


# ---------------------------------------------------------------- one call

class Call:
    """What came in: the headers, the body, and the attributes of the event."""

    def __init__(self, headers, body):
        self.headers = headers
        self.body = body
        self.content_type = headers.get("content-type")
        self.attributes = {
            name[3:].lower(): urllib.parse.unquote(value)
            for name, value in headers.items()
            if name.lower().startswith("ce-")
        }
        if self.content_type is not None:
            self.attributes["datacontenttype"] = self.content_type

    @property
    def is_json(self):
        return is_json(self.content_type)

    def text(self):
        return self.body.decode("utf-8", errors="replace")

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as fault:
            raise Refusal(400, f"data: expected JSON, as its content type {self.content_type} says: {fault}") from None


class Refusal(Exception):
    """A failure that nobody needs to see the stack of."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def is_json(media_type):
    bare = (media_type or "").split(";")[0].strip().lower()
    return bare in ("application/json", "text/json") or bare.endswith("+json")


# ---------------------------------------------------------------- answers

class Answer:
    def __init__(self, body=b"", status=200, headers=None, content_type=None):
        self.body, self.status, self.headers, self.content_type = body, status, dict(headers or {}), content_type


def answer_of(value, text_type="text/plain; charset=utf-8"):
    """What an author returned, as an HTTP answer. A tuple is (status, body) or (body, status[, headers])."""
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
    return Answer(json.dumps(value).encode(), content_type="application/json")


def tuple_answer(value, text_type):
    first, second = value[0], value[1]
    status, body = (first, second) if isinstance(first, int) else (second, first)
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise TypeError(f"expected a status of 200 to 599 in the returned tuple, got {status!r}")
    answer = answer_of(body, text_type)
    answer.status = 200 if status == 204 and answer.body else status
    if len(value) == 3:
        answer.headers.update(value[2])
    return answer


def event_answer(attributes, data):
    """A reply that is an event: what is not given of the required attributes is filled in."""
    given = {name: value for name, value in attributes.items() if value is not None}
    content_type = given.pop("datacontenttype", None)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    full = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": SOURCE, "time": now, **given}
    if data is not None and is_json(content_type) and not isinstance(data, (bytes, bytearray)):
        answer = Answer(json.dumps(data).encode())
    else:
        answer = answer_of(data)
    answer.status = 200
    answer.content_type = content_type or answer.content_type
    answer.headers = {f"ce-{name}": percent_encode(attribute_text(name, value)) for name, value in full.items()}
    return answer


def attribute_text(name, value):
    if not re.fullmatch("[a-z0-9]+", name):
        raise TypeError(f"reply.{name}: expected an attribute name of a-z and 0-9")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (str, int)):
        return str(value)
    raise TypeError(f"reply.{name}: expected a string, a number or a boolean, got {value!r}")


def percent_encode(text):
    """CloudEvents HTTP binding 3.1.3.2."""
    return re.sub(
        r"[^\x21\x23\x24\x26-\x7e]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text
    )


# ---------------------------------------------------------------- logger, for the forms that have one

class Logger:
    def __init__(self, event_id):
        # The two control characters tell the reader of our output which event a line belongs to.
        self._mark = f"\x1e{event_id}\x1f" if event_id else ""

    def _write(self, stream, message, fields):
        text = str(message) if not fields else f"{message} {json.dumps(fields, default=str)}"
        stream.write("".join(f"{self._mark}{line}\n" for line in text.split("\n")))

    def debug(self, message, *args):
        self._write(sys.stdout, message % args if args else message, None)

    info = debug

    def warning(self, message, *args):
        self._write(sys.stderr, message % args if args else message, None)

    warn = error = warning

    def debug_with(self, message, *_, **fields):
        self._write(sys.stdout, message, fields)

    info_with = debug_with

    def warn_with(self, message, *_, **fields):
        self._write(sys.stderr, message, fields)

    warning_with = error_with = warn_with


# ---------------------------------------------------------------- OpenFaaS: handle(req) and handle(event, context)

def serve_openfaas(handle):
    """The classic template: the body as text; what is returned is printed, hence the line break."""

    def serve(call):
        value = finish(handle(call.text()))
        return answer_of(f"{value}\n" if isinstance(value, str) else value)

    return serve


def serve_openfaas_http(handle):
    """The template python3-http: an event with body, headers, method, query and path."""

    def serve(call):
        event = types.SimpleNamespace(body=call.body, headers=call.headers, method="POST", query={}, path="/")
        value = finish(handle(event, types.SimpleNamespace(hostname=os.environ.get("HOSTNAME", "localhost"))))
        if isinstance(value, dict) and "statusCode" in value:
            return answer_of((value.get("body", ""), value["statusCode"], value.get("headers") or {}))
        return answer_of(value)

    return serve


# ---------------------------------------------------------------- Fission: main(), with flask's global request

def serve_fission(main):
    flask = importlib.import_module("flask")
    if isinstance(flask, StandInFlask):
        return lambda call: serve_with_stand_in(main, call)
    application = flask.Flask("function")

    def serve(call):
        headers = dict(call.headers.items())
        with application.test_request_context("/", method="POST", headers=headers, data=call.body):
            value = finish(main())
            if value is None:
                return answer_of(None)
            response = application.make_response(value)
            return Answer(response.get_data(), response.status_code, content_type=response.content_type)

    return serve


def serve_with_stand_in(main, call):
    token = CURRENT.set(call)
    try:
        # A text is HTML to flask.
        return answer_of(finish(main()), "text/html; charset=utf-8")
    finally:
        CURRENT.reset(token)


CURRENT = contextvars.ContextVar("call")


class StandInRequest:
    """The part of flask.request that handlers of events use."""

    method, path, args = "POST", "/", types.MappingProxyType({})
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


class StandInFlask(types.ModuleType):
    """What `import flask` finds where flask is not installed."""

    request = StandInRequest()

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


sys.meta_path.append(StandInFinder)


# ---------------------------------------------------------------- Nuclio: handler(context, event)

class Text(str):
    """A body that is text: Nuclio hands over bytes, and its handlers call decode; a text is what they want."""

    def decode(self, *_):
        return str(self)


class Response:
    def __init__(self, headers=None, body=None, content_type=None, status_code=200):
        self.headers, self.body, self.content_type, self.status_code = headers, body, content_type, status_code


class NuclioEvent:
    def __init__(self, call):
        self.body = nuclio_body(call)
        self.headers = dict(call.headers.items())
        self.content_type = call.content_type or "text/plain"
        self.id = call.attributes.get("id")
        self.type = call.attributes.get("type")
        self.timestamp = nuclio_time(call.attributes.get("time"))
        self.trigger = types.SimpleNamespace(kind="http", name="cloudevents")
        self.method, self.path, self.url, self.size = "POST", "/", "/", len(call.body)
        self.fields, self.version, self.topic, self.offset = {}, None, None, 0
        self.shard_id, self.num_shards, self.last_in_batch = 0, 1, True
        self._headers = call.headers

    def get_header(self, name):
        return self._headers.get(name)


def nuclio_body(call):
    if call.is_json and call.body:
        return call.json()
    try:
        return Text(call.body.decode())
    except UnicodeDecodeError:
        return call.body


def nuclio_time(text):
    try:
        return datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return datetime.datetime.now(datetime.timezone.utc)


def serve_nuclio(handler, module):
    user_data = types.SimpleNamespace()

    def context_of(event_id):
        return types.SimpleNamespace(
            logger=Logger(event_id), Response=Response, user_data=user_data, worker_id=0, trigger=None, platform=None
        )

    if hasattr(module, "init_context"):
        finish(module.init_context(context_of(None)))

    def serve(call):
        value = finish(handler(context_of(call.attributes.get("id")), NuclioEvent(call)))
        if not isinstance(value, Response):
            return answer_of(value)
        answer = answer_of("" if value.body is None else value.body)
        answer.status, answer.content_type = value.status_code, value.content_type or answer.content_type
        answer.headers.update(value.headers or {})
        return answer

    return serve


# ---------------------------------------------------------------- func: main(event)

class Event:
    """An event: `attributes` (also as event["type"] and event.type) and `data`; `data_bytes` as they came."""

    def __init__(self, attributes, data, data_bytes=None):
        self.attributes, self.data, self.data_bytes = attributes, data, data_bytes

    def __getitem__(self, name):
        return self.attributes[name]

    def __getattr__(self, name):
        attributes = self.__dict__["attributes"]
        if name in attributes or name in ("subject", "time", "datacontenttype", "dataschema"):
            return attributes.get(name)
        raise AttributeError(f"the event has no attribute {name}")

    def get(self, name, default=None):
        return self.attributes.get(name, default)


def event_data(call):
    if not call.body:
        return None
    if call.is_json:
        return call.json()
    return call.text() if (call.content_type or "").lower().startswith("text/") else call.body


def serve_func(main):
    def serve(call):
        value = finish(main(Event(call.attributes, event_data(call), call.body)))
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            attributes = {name: part for name, part in value.items() if name != "data"}
            return event_answer(attributes, value.get("data"))
        attributes = getattr(value, "get_attributes", lambda: getattr(value, "attributes", None))()
        if isinstance(attributes, dict) and isinstance(attributes.get("type"), str):
            return event_answer(attributes, getattr(value, "data", None))
        return answer_of(value)

    return serve


def finish(value):
    return asyncio.run(value) if inspect.iscoroutine(value) else value


# ---------------------------------------------------------------- which form it is

FORMS = """one of
  handle(req)               OpenFaaS, classic
  handle(event, context)    OpenFaaS, python3-http
  main()                    Fission
  main(event)               func
  handler(context, event)   Nuclio"""


def choose(module):
    for name, by_arity in (
        ("handler", {2: lambda function: serve_nuclio(function, module)}),
        ("handle", {1: serve_openfaas, 2: serve_openfaas_http}),
        ("main", {0: serve_fission, 1: serve_func}),
    ):
        function = getattr(module, name, None)
        if callable(function):
            arity = arity_of(function)
            if arity in by_arity:
                return by_arity[arity](function)
            raise TypeError(f"{FILE}: {name} takes {arity} arguments, expected {FORMS}")
    found = ", ".join(name for name, value in vars(module).items() if inspect.isfunction(value)) or "none"
    raise TypeError(f"{FILE}: found these functions: {found}; expected {FORMS}")


def arity_of(function):
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(1 for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty)


def load():
    stem = os.path.splitext(os.path.basename(FILE))[0]
    taken = stem in sys.modules or stem in sys.stdlib_module_names
    name = f"function_{stem}" if taken else stem
    # The author's neighbours come first, as if the file had been run; ours has none.
    sys.path[0] = os.path.dirname(FILE)
    spec = importlib.util.spec_from_file_location(name, FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return choose(module)


# ---------------------------------------------------------------- HTTP

class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    serve = None

    def do_GET(self):
        # A probe names itself as Kubernetes' do (see check.ts); it is no event.
        if self.headers.get("user-agent", "").startswith("kube-probe/"):
            self.send_answer(Answer(status=204))
        else:
            self.send_error(501, "expected an event: POST")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            answer = Requests.serve(Call(self.headers, body))
        except Refusal as refusal:
            print(refusal, file=sys.stderr)
            answer = failure(refusal.status, refusal)
        except Exception as fault:
            traceback.print_exc()
            answer = failure(500, fault)
        self.send_answer(answer)

    def send_answer(self, answer):
        self.send_response_only(answer.status)
        if answer.content_type and answer.body:
            self.send_header("content-type", answer.content_type)
        for name, value in answer.headers.items():
            if name.lower() not in ("content-type", "content-length", "transfer-encoding", "connection"):
                self.send_header(name, str(value))
            elif name.lower() == "content-type" and not answer.content_type:
                self.send_header(name, str(value))
        if answer.status != 204:
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        try:
            self.wfile.write(answer.body)
        except OSError:
            self.close_connection = True


def failure(status, fault):
    body = json.dumps({"error": type(fault).__name__, "message": str(fault)}).encode()
    return Answer(body, status, content_type="application/json")


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


def tell(message):
    os.write(3, f"{json.dumps(message)}\n".encode())
    os.close(3)


def begin():
    try:
        Requests.serve = staticmethod(load())
    except BaseException as fault:
        traceback.print_exc()
        tell({"error": f"{type(fault).__name__}: {fault}"})
        sys.exit(1)
    with Server(SOCKET, Requests) as server:
        tell({"ready": True})
        server.serve_forever()


begin()
