"""OpenFaaS: handle(req) of the classic template, and handle(event, context) of python3-http."""

import os
import types

from .answer import Answer, answer_of
from .run import finish


def serve_classic(handle):
    """The body as text; what is returned is printed, hence the line break."""

    def serve(call):
        value = finish(handle(call.text()))
        return answer_of(f"{value}\n" if isinstance(value, str) else value)

    return serve


def serve_http(handle):
    """An event with body (bytes), headers, method, query and path."""
    context = types.SimpleNamespace(hostname=os.environ.get("HOSTNAME", "localhost"))

    def serve(call):
        event = types.SimpleNamespace(
            body=call.body, headers=call.headers, method=call.method, query=call.query, path=call.path
        )
        value = finish(handle(event, context))
        if isinstance(value, dict) and ("statusCode" in value or "body" in value):
            body = value.get("body")
            return answer_of(("" if body is None else body, int(value.get("statusCode", 200)), value.get("headers")))
        return answer_of(value) if value is not None else Answer()

    return serve
