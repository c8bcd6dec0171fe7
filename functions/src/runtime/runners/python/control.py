"""The line to the process that began us: a line of JSON for each message, in both directions."""

import json
import os


class Control:
    def __init__(self, descriptor):
        self.descriptor = descriptor
        self._text = b""

    def read(self):
        """The next message; None when nobody is there any more."""
        message = self.peek()
        self._text = self._text.partition(b"\n")[2]
        return message

    def peek(self):
        """The next message, which stays the next one."""
        while True:
            line, found, _ = self._text.partition(b"\n")
            if found:
                return json.loads(line)
            chunk = os.read(self.descriptor, 65536)
            if not chunk:
                return None
            self._text += chunk

    def has_more(self):
        """Whether another whole message has been read already."""
        return b"\n" in self._text

    def tell(self, message):
        text = f"{json.dumps(message)}\n".encode()
        while text:
            text = text[os.write(self.descriptor, text) :]

    def close(self):
        os.close(self.descriptor)
