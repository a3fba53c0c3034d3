"""A threaded HTTP/1.1 server that passes on what came over the socket.

A WSGI server decodes the path and loses header names with an underscore, so the gateway cannot stand on one. Here the
target and the header names stay as they came, in their order; only the framing is dealt with. A request that is no HTTP
gets a 4xx, never a 5xx.
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import errors as defects
from http.server import BaseHTTPRequestHandler
from typing import Any

MAX_BODY = 10 * 1024 * 1024
"""The limit of an HTTP API, and more than any AWS call made here needs."""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the path with its query, undecoded."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    peer: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"

    def header(self, name: str) -> str:
        """The first value under that name in any case, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def refusal(status: int, text: str) -> Response:
    """In the words and the shape of API Gateway itself."""
    return Response(status, (("content-type", "application/json"),), json.dumps({"message": text}).encode())


REASONS = {413: "Request Entity Too Large", 414: "URI Too Long", 431: "Request Header Fields Too Large"}


_OF_MAIL = (
    defects.InvalidMultipartContentTransferEncodingDefect,
    defects.MultipartInvariantViolationDefect,
    defects.NoBoundaryInMultipartDefect,
    defects.StartBoundaryNotFoundDefect,
)
"""Complaints of a parser that takes the head of a request for that of a mail, and misses the parts of its body."""


class _Unreadable(Exception):
    """Carries the status."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # so that a request line without version still gets a status line
    timeout = 60
    wbufsize = -1  # head and body leave in one segment: apart, each answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True
    server: Server

    def _answer(self) -> None:
        try:
            request = self._request()
        except _Unreadable as reason:
            self.send_error(*reason.args)
            return
        response = self.server.respond(request)
        if response is None:
            self.close_connection = True
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _request(self) -> Request:
        if not all(isinstance(defect, _OF_MAIL) for defect in self.headers.defects):
            raise _Unreadable(400)  # the parser stopped in the middle, so the framing cannot be trusted
        return Request(
            method=self.command,
            target=self.requestline.split()[1],  # self.path has lost the second of two leading slashes
            headers=tuple(self.headers.items()),
            body=self._body(),
            peer=self.client_address[0],
            protocol=self.request_version,
        )

    def _body(self) -> bytes:
        lengths = set(self.headers.get_all("content-length", []))
        if encoding := self.headers.get("transfer-encoding"):
            if lengths or encoding.strip().lower() != "chunked":
                raise _Unreadable(400)
            return self._chunks()
        if not lengths:
            return b""
        length = lengths.pop().strip()
        if lengths or not (length.isascii() and length.isdigit() and len(length) < 16):
            raise _Unreadable(400)
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        body = b""
        while size := self._chunk_size():
            body += self._exactly(size)
            self.rfile.readline(3)
            if len(body) > MAX_BODY:
                raise _Unreadable(413)
        while self.rfile.readline(65537).strip():
            pass  # trailers
        return body

    def _chunk_size(self) -> int:
        digits = self.rfile.readline(1025).split(b";")[0].strip()
        try:
            return int(digits, 16) if len(digits) < 16 and not digits.startswith((b"-", b"+")) else -1
        except ValueError:
            raise _Unreadable(400) from None

    def _exactly(self, length: int) -> bytes:
        if length < 0:
            raise _Unreadable(400)
        if length > MAX_BODY:
            remaining = min(length, 8 * MAX_BODY)  # read away, or the client sees a reset instead of the answer
            while remaining > 0 and (piece := self.rfile.read(min(remaining, 1 << 20))):
                remaining -= len(piece)
            raise _Unreadable(413)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionResetError("the client left in the middle of its body")
        return body

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())
        for name, value in response.headers:
            self.send_header(name, value)
        bodiless = response.status < 200 or response.status in {204, 304}
        if not bodiless:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not bodiless:
            self.wfile.write(response.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """A method, version or line that HTTP does not know is the caller's mistake, whatever code the library has."""
        self.close_connection = True
        status = int(code) if code < 500 else 400
        self._send(refusal(status, REASONS.get(status, "Bad Request")))

    def handle_expect_100(self) -> bool:
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a path can carry a key."""


class Server(socketserver.ThreadingTCPServer):
    """Bound as soon as it exists, so a busy port raises OSError here; answers between `start` and `close`.

    `respond` may return None: then the connection is closed without an answer.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Callable[[Request], Response | None], host: str = "127.0.0.1", port: int = 0) -> None:
        self.respond = respond
        super().__init__((host, port), _Connection)
        self.port = int(self.server_address[1])
        self.url = f"http://{host}:{self.port}"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._thread:
            self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)
