"""HTTP/1.1 on a unix domain socket: a thread for each connection."""

import http.client
import os
import socketserver
import sys
import traceback
from http.server import BaseHTTPRequestHandler

from .answer import failure
from .call import Call, Headers, Refusal
from .pieces import Pieces

# The library's own bounds, 100 headers of 64 KiB, are too small for events with many or long extensions.
http.client._MAXHEADERS = 1000
http.client._MAXLINE = 256 * 1024

# These say how the body travels, which is ours to say.
HOP_HEADERS = {"content-length", "transfer-encoding", "connection"}


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


def serve(socket, answer, listening):
    """Answers calls with answer(call) until the process ends. Calls listening() once it does."""

    class Requests(Connection):
        answer_of = staticmethod(answer)

    with Server(socket, Requests) as server:
        listening()
        server.serve_forever()


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        # The library looks for do_GET and the like; what a method means is the author's business.
        if name.startswith("do_"):
            return self.exchange
        raise AttributeError(name)

    def exchange(self):
        try:
            call = Call(self.command, self.path, Headers(self.headers.items()), self.read_body())
            answer = self.answer_of(call)
            if isinstance(answer.body, Pieces):
                return self.send_pieces(answer)
        except SystemExit as end:
            leave(end)
        except BaseException as fault:
            answer = self.failed(fault)
        self.send_whole(answer)

    def failed(self, fault):
        if isinstance(fault, Refusal):
            print(fault, file=sys.stderr)
            return failure(fault.status, fault)
        traceback.print_exc()
        return failure(500, fault)

    def read_body(self):
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return b"".join(self.read_chunks())
        length = self.headers.get("content-length") or "0"
        if not length.isdigit():
            self.close_connection = True
            raise Refusal(400, f"content-length: expected a number, got {length}")
        return self.rfile.read(int(length))

    def read_chunks(self):
        """RFC 9112, section 7.1."""
        while True:
            try:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
            except ValueError:
                self.close_connection = True
                raise Refusal(400, "transfer-encoding: expected a chunk with its size") from None
            if size == 0:
                break
            yield self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(65536).strip():
            pass

    def send_whole(self, answer):
        self.begin(answer)
        if answer.status not in (204, 304):
            self.send_header("content-length", str(len(answer.body)))
        if self.command != "HEAD" and answer.status not in (204, 304):
            self._headers_buffer.append(b"\r\n" + answer.body)
            self.try_to(self.flush_headers)
        else:
            self.try_to(self.end_headers)

    def send_pieces(self, answer):
        """What fails before the first piece is a failed call; what fails later is an answer that breaks off."""
        pieces = answer.body
        try:
            piece = next(pieces, None)
            is_chunked = self.request_version != "HTTP/1.0"
            self.begin(answer)
            self.send_header(*(("transfer-encoding", "chunked") if is_chunked else ("connection", "close")))
            if not self.try_to(self.end_headers) or self.command == "HEAD":
                return
            try:
                while piece is not None:
                    if piece and not self.try_to(lambda: self.wfile.write(framed(piece, is_chunked))):
                        return
                    piece = next(pieces, None)
                if is_chunked:
                    self.try_to(lambda: self.wfile.write(b"0\r\n\r\n"))
            except SystemExit as end:
                leave(end)
            except BaseException:
                traceback.print_exc()
                self.close_connection = True
        finally:
            pieces.close()

    def begin(self, answer):
        self.send_response_only(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        if answer.content_type and answer.body and "content-type" not in names:
            self.send_header("content-type", answer.content_type)
        for name, value in answer.headers:
            if name.lower() not in HOP_HEADERS:
                self.send_header(name, str(value))

    def try_to(self, write):
        """False when nobody is there any more."""
        try:
            write()
            return True
        except OSError:
            self.close_connection = True
            return False

    def log_message(self, *_):
        pass


def framed(piece, is_chunked):
    return b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece


def leave(end):
    """The author's code has asked to end the process; in a thread, only this one would end."""
    code = end.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 255)
