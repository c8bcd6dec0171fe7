"""A call as a CloudEvent, and an event as an answer: HTTP binding 1.0.2, JSON format 1.0.2."""

import base64
import datetime
import json
import re
import urllib.parse
import uuid

from .answer import Answer, answer_of
from .call import Refusal, is_json, is_text, read_json

# The type of the event that a plain HTTP request becomes.
REQUEST_TYPE = "dev.millrace.function.request"


class Event:
    """An event: `attributes` (also as event["type"] and event.type) and `data`; `data_bytes` as they came."""

    def __init__(self, attributes, data=None, data_bytes=None):
        self.attributes, self.data, self.data_bytes = attributes, data, data_bytes

    def __getitem__(self, name):
        return self.attributes[name]

    def __contains__(self, name):
        return name in self.attributes

    def __getattr__(self, name):
        attributes = self.__dict__.get("attributes", {})
        if name in attributes or name in ("subject", "time", "datacontenttype", "dataschema"):
            return attributes.get(name)
        raise AttributeError(f"the event has no attribute {name}")

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    def get_attributes(self):
        return self.attributes

    def get_data(self):
        return self.data


def event_in(call):
    """The event that a call carries; None when it is a plain one."""
    media_type = (call.content_type or "").strip().lower()
    if media_type.startswith("application/cloudevents-batch"):
        raise Refusal(415, "expected one event, got a batch of them")
    if media_type.startswith("application/cloudevents"):
        return structured_event(call)
    if "ce-type" not in call.headers and "ce-specversion" not in call.headers:
        return None
    attributes = {
        name[3:].lower(): urllib.parse.unquote(value)
        for name, value in call.headers.items()
        if name.lower().startswith("ce-")
    }
    return with_data(attributes, call.content_type, call.body)


def event_of_request(call, source):
    """The event that a plain request becomes, so that a handler of events may be called by anybody."""
    attributes = {
        "specversion": "1.0",
        "id": call.headers.get("x-call-id") or call.headers.get("x-request-id") or str(uuid.uuid4()),
        "source": source if call.raw_path == "/" else source + call.raw_path,
        "type": REQUEST_TYPE,
        "time": now(),
    }
    return with_data(attributes, call.content_type, call.body)


def with_data(attributes, media_type, body):
    if media_type is not None:
        attributes["datacontenttype"] = media_type
    return Event(attributes, read_data(media_type, body), body)


def read_data(media_type, body):
    if not body:
        return None
    if is_json(media_type):
        return read_json(body, f"data: expected JSON, as its content type {media_type} says")
    return body.decode("utf-8", errors="replace") if is_text(media_type) else body


def structured_event(call):
    """Data is JSON unless its content type says otherwise; `data_base64` is bytes (JSON format, section 3.1)."""
    said = read_json(call.body, "expected an event as JSON, as its content type says")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in ("type", "id")):
        raise Refusal(400, "expected an event with type and id, as its content type says")
    data, encoded = said.pop("data", None), said.pop("data_base64", None)
    media_type = said.get("datacontenttype")
    if encoded is not None:
        body = base64.b64decode(encoded)
        return Event(said, read_data(media_type, body), body)
    if data is None:
        return Event(said, None, b"")
    is_plain = isinstance(data, str) and not is_json(media_type or "application/json")
    return Event(said, data, (data if is_plain else json.dumps(data)).encode())


def is_event(value):
    """Whether it is an event: ours, the CloudEvents SDK's, or a dict with a type."""
    attributes = value if isinstance(value, dict) else attributes_of(value)
    return isinstance(attributes, dict) and isinstance(attributes.get("type"), str)


def attributes_of(value):
    return value.get_attributes() if hasattr(value, "get_attributes") else getattr(value, "attributes", None)


def answer_of_event(value, source):
    """What an author returned: an event, or anything else."""
    if not is_event(value):
        return answer_of(value)
    if not isinstance(value, dict):
        # The event of the CloudEvents SDK has get_data as of its version 2.
        data = value.get_data() if hasattr(value, "get_data") else getattr(value, "data", None)
        return event_answer(attributes_of(value), data, source)
    attributes = {name: part for name, part in value.items() if name not in ("data", "data_base64")}
    encoded = value.get("data_base64")
    return event_answer(attributes, value.get("data") if encoded is None else base64.b64decode(encoded), source)


def event_answer(attributes, data, source):
    """In binary mode; what is not given of the required attributes is filled in."""
    given = {name: value for name, value in attributes.items() if value is not None}
    content_type = given.pop("datacontenttype", None)
    full = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": source, "time": now(), **given}
    if data is not None and is_json(content_type) and not isinstance(data, (bytes, bytearray)):
        answer = Answer(json.dumps(data).encode())
    else:
        answer = answer_of(data)
    answer.status = 200
    answer.content_type = content_type or answer.content_type
    answer.headers = [(f"ce-{name}", percent_encode(attribute_text(name, value))) for name, value in full.items()]
    return answer


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


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
    """HTTP binding, section 3.1.3.2."""
    return re.sub(
        r"[^\x21\x23\x24\x26-\x7e]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text
    )
