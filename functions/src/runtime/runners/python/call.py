"""One call, as it came in."""

import functools
import json
import re
import urllib.parse


class Refusal(Exception):
    """A failure that nobody needs to see the stack of."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Headers(dict):
    """Names and values; a name may be asked for in any case. What came several times is joined by commas."""

    def __init__(self, pairs):
        super().__init__()
        self._names = {}
        for name, value in pairs:
            first = self._names.setdefault(name.lower(), name)
            super().__setitem__(first, f"{super().__getitem__(first)}, {value}" if first in self.keys() else value)

    def __getitem__(self, name):
        return super().__getitem__(self._names[name.lower()])

    def __contains__(self, name):
        return isinstance(name, str) and name.lower() in self._names

    def get(self, name, default=None):
        return self[name] if name in self else default


class Query(dict):
    """The first value of every name; all of them by getlist."""

    def __init__(self, text):
        self._all = urllib.parse.parse_qs(text, keep_blank_values=True)
        super().__init__((name, values[0]) for name, values in self._all.items())

    def getlist(self, name):
        return list(self._all.get(name, []))


class Call:
    """Method, target (path and query as they came), headers and body, and what follows from them."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.raw_path, _, self.query_string = target.partition("?")
        self.path = urllib.parse.unquote(self.raw_path)
        self.content_type = headers.get("content-type")

    @functools.cached_property
    def query(self):
        return Query(self.query_string)

    @property
    def is_json(self):
        return is_json(self.content_type)

    def text(self):
        return self.body.decode("utf-8", errors="replace")

    def json(self):
        return read_json(self.body, f"data: expected JSON, as its content type {self.content_type} says")


def is_json(media_type):
    bare = (media_type or "").split(";")[0].strip().lower()
    return bare in ("application/json", "text/json") or bare.endswith("+json")


def is_text(media_type):
    return re.match(r"\s*text/", media_type or "", re.IGNORECASE) is not None


def read_json(body, expected):
    try:
        return json.loads(body)
    except ValueError as fault:
        raise Refusal(400, f"{expected}: {fault}") from None
