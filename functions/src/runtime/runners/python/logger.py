"""The logger of the forms that have one."""

import json
import sys


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
