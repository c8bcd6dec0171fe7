"""A call as flask shows it to a handler: Fission's main(), and the request of func's context."""

import importlib
import io
import sys

from .answer import Answer, answer_of
from .pieces import Pieces
from .run import finish
from .stand_in_flask import StandInFlask, answer_with_stand_in

FLASK = "flask"


def serve_fission(main):
    importlib.import_module(FLASK)
    return serve_request(lambda _request, _call: finish(main()))


def serve_request(view):
    """Answers with what view(request, call) returns: what flask takes, or an Answer."""
    flask = sys.modules.get(FLASK)
    if flask is None or isinstance(flask, StandInFlask):
        return lambda call: answer_with_stand_in(view, call)
    application = application_of(flask, view)
    return lambda call: answer_of_wsgi(application.wsgi_app, call)


def application_of(flask, view):
    class Application(flask.Flask):
        """Whatever is asked, by whatever path, is the view's."""

        def dispatch_request(self, *_):
            value = view(flask.request, flask.request.environ["millrace.call"])
            if value is None:
                return "", 204
            return response_of(self, value) if isinstance(value, Answer) else value

    def response_of(self, answer):
        headers = [*answer.headers, ("content-type", answer.content_type)] if answer.content_type else answer.headers
        return self.response_class(answer.body, answer.status, headers)

    application = Application("function", static_folder=None)
    # What the author's code raises is ours to tell.
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return application


def answer_of_wsgi(application, call):
    began = {}

    def start_response(status, headers, exc_info=None):
        began.update(status=int(status.split(" ", 1)[0]), headers=headers)

    pieces = Pieces(application(environment_of(call), start_response))
    names = {name.lower() for name, _ in began["headers"]}
    if "content-length" not in names:
        return Answer(pieces, began["status"], began["headers"])
    try:
        return Answer(b"".join(pieces), began["status"], began["headers"])
    finally:
        pieces.close()


def environment_of(call):
    """PEP 3333."""
    environment = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": "",
        # Bytes of UTF-8 as if they were Latin-1, as the PEP has it.
        "PATH_INFO": call.path.encode().decode("latin-1"),
        "RAW_URI": call.target,
        "QUERY_STRING": call.query_string,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(call.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "millrace.call": call,
    }
    for name, value in call.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environment[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            environment[f"HTTP_{key}"] = value
    return environment
