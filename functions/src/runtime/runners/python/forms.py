"""The forms in which an author may write a handler. Which one it is shows in its name and its parameters."""

import inspect
import types

from . import asgi, flask_call, func, nuclio, openfaas
from .answer import Answer

FORMS = """one of
  handle(req)                     OpenFaaS, classic
  handle(event, context)          OpenFaaS, python3-http
  main()                          Fission
  main(event), main(context)      func
  handle(scope, receive, send)    func, also as a method of what new() returns
  handler(context, event)         Nuclio"""


def choose(module, order):
    """The function that answers calls. Raises a TypeError that tells the forms when the file has none of them."""
    form = form_in(module, order)
    # func's newer form has answers of its own to a probe.
    return form if isinstance(form, asgi.Serving) else without_probes(form)


def form_in(module, order):
    source = order["source"]
    by_name = {
        "handler": {2: lambda it: nuclio.serve_nuclio(it, getattr(module, "init_context", None))},
        "handle": {
            1: openfaas.serve_classic,
            2: openfaas.serve_http,
            3: lambda it: asgi.Serving(types.SimpleNamespace(handle=it), source),
        },
        "main": {0: flask_call.serve_fission, 1: lambda it: serve_main(it, source)},
        "new": {0: lambda it: asgi.Serving(it(), source)},
    }
    for name, by_count in by_name.items():
        function = getattr(module, name, None)
        if callable(function):
            count = len(parameters_of(function))
            if count in by_count:
                return by_count[count](function)
            raise TypeError(f"{order['file']}: {name} takes {count} arguments, expected {FORMS}")
    found = ", ".join(name for name, value in vars(module).items() if inspect.isfunction(value)) or "none"
    raise TypeError(f"{order['file']}: found these functions: {found}; expected {FORMS}")


def without_probes(serve):
    """Whoever asks only whether we are there does not call the handler. A probe names itself as Kubernetes' do (see
    check.ts)."""

    def answer(call):
        agent = call.headers.get("user-agent", "")
        is_probe = call.method == "GET" and agent.startswith("kube-probe/")
        return Answer(status=204) if is_probe else serve(call)

    return answer


def serve_main(main, source):
    wants_context = parameters_of(main) == ["context"]
    return func.serve_context(main, source) if wants_context else func.serve_event(main, source)


def parameters_of(function):
    """The names of those that must be given."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty]
