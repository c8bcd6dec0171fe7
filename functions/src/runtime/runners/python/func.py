"""Knative func: main(context), and our main(event)."""

import collections.abc

from .event import answer_of_event, event_in, event_of_request, is_event
from .flask_call import serve_request
from .run import finish


class Context(collections.abc.Mapping):
    """What main(context) gets: flask's request and the event. Also a mapping of the two, as it once was."""

    def __init__(self, request, cloud_event):
        self.request, self.cloud_event = request, cloud_event

    def __getitem__(self, name):
        return vars(self)[name]

    def __iter__(self):
        return iter(vars(self))

    def __len__(self):
        return len(vars(self))


def serve_event(main, source):
    def serve(call):
        event = event_in(call) or event_of_request(call, source)
        return answer_of_event(finish(main(event)), source)

    return serve


def serve_context(main, source):
    def view(request, call):
        event = event_in(call) or event_of_request(call, source)
        value = finish(main(Context(request, event)))
        return answer_of_event(value, source) if is_event(value) else value

    return serve_request(view)
