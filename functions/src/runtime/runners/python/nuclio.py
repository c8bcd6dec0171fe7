"""Nuclio: handler(context, event), and init_context(context) before the first call."""

import datetime
import types

from .answer import answer_of, pairs_of
from .event import event_in
from .logger import Logger
from .run import finish


class Text(str):
    """A body that is text: Nuclio hands over bytes, and its handlers call decode; a text is what they want."""

    def decode(self, *_):
        return str(self)


class Response:
    def __init__(self, headers=None, body=None, content_type=None, status_code=200):
        self.headers, self.body, self.content_type, self.status_code = headers, body, content_type, status_code


class NuclioEvent:
    def __init__(self, call):
        event = event_in(call)
        attributes = event.attributes if event else {}
        self.body = body_of(call, event)
        self.headers = call.headers
        self.content_type = (attributes.get("datacontenttype") if event else call.content_type) or "text/plain"
        self.id = attributes.get("id") or call.headers.get("x-call-id") or call.headers.get("x-request-id")
        self.type = attributes.get("type")
        self.version = attributes.get("specversion")
        self.timestamp = time_of(attributes.get("time"))
        self.trigger = types.SimpleNamespace(kind="http", name="cloudevents" if event else "http")
        self.method, self.path, self.url, self.size = call.method, call.path, call.target, len(call.body)
        self.fields, self.topic, self.offset = call.query, None, 0
        self.shard_id, self.num_shards, self.last_in_batch = 0, 1, True

    def get_header(self, name):
        return self.headers.get(name)


def body_of(call, event):
    if event is not None and isinstance(event.data, (dict, list)):
        return event.data
    if call.is_json and call.body:
        return call.json()
    data = event.data_bytes if event else call.body
    try:
        return Text(data.decode())
    except UnicodeDecodeError:
        return data


def time_of(text):
    try:
        return datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return datetime.datetime.now(datetime.timezone.utc)


def serve_nuclio(handler, init_context):
    user_data = types.SimpleNamespace()

    def context_of(event_id):
        return types.SimpleNamespace(
            logger=Logger(event_id), Response=Response, user_data=user_data, worker_id=0, trigger=None, platform=None
        )

    if init_context is not None:
        finish(init_context(context_of(None)))

    def serve(call):
        event = NuclioEvent(call)
        value = finish(handler(context_of(event.id), event))
        if not isinstance(value, Response):
            return answer_of(value)
        answer = answer_of("" if value.body is None else value.body)
        answer.status, answer.content_type = value.status_code, value.content_type or answer.content_type
        answer.headers.extend(pairs_of(value.headers))
        return answer

    return serve
