"""HTTP/1.1 as a client of AWS needs it: one POST at a time over a connection that is kept, and strict about answers.

Python's own `http.client` parses an answer's headers as an e-mail, which takes longer than signing, sending and
decoding together. Here an answer has one form or is none (RFC 9112): a status line, header fields without folding, and
a body whose length is announced, once and in one way. Whatever else comes is `Broken`, and the connection is not used
again, because its next bytes might be taken for the answer to another question.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from typing import Final, NamedTuple

from keywright.adapters.endpoints import Endpoint

LARGEST_HEAD: Final = 64 * 1024
LARGEST_BODY: Final = 32 * 1024 * 1024
"""DynamoDB answers with up to 16 MB of items, which JSON makes larger."""

_PIECE: Final = 64 * 1024
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE: Final = rb"[\t\x20-\x7e\x80-\xff]*?"
_HEAD: Final = re.compile(
    rb"HTTP/1\.1 ([2-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*\r\n((?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_FIELD: Final = re.compile(rb"(" + _TOKEN + rb"):[\t ]*(" + _VALUE + rb")[\t ]*\r\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")


class Broken(Exception):
    """No answer, or none that can be believed."""


class Dropped(Broken):
    """The connection ended before anything of an answer came."""


class Patience(NamedTuple):
    """How long is waited: for a connection and for its handshake each, and from a request to the end of its answer,
    however many pieces that comes in."""

    connect_seconds: float = 1.0
    answer_seconds: float = 3.0


class Answer(NamedTuple):
    """Header names are in lower case; a field that came several times is joined by commas."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Connection:
    """One connection. It is closed when nobody holds it any more. `used_at` is its holder's note."""

    def __init__(self, endpoint: Endpoint, trust: ssl.SSLContext | None, patience: Patience, used_at: float) -> None:
        """Connects. `trust` says whose certificates are good, and is needed for a secure endpoint. Raises Broken."""
        try:
            plain = socket.create_connection((endpoint.host, endpoint.port), patience.connect_seconds)
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = plain
                if endpoint.secure:
                    assert trust is not None
                    self._socket = trust.wrap_socket(plain, server_hostname=endpoint.host)
            except BaseException:
                plain.close()
                raise
        except (OSError, UnicodeError) as failure:  # a host name that IDNA cannot encode is a UnicodeError
            raise Broken("no connection") from failure
        self._pending = select.poll()
        self._pending.register(self._socket, select.POLLIN)
        self._patience = patience
        self._buffer = bytearray()
        self._received = False
        self._deadline = 0.0
        self.used_at = used_at
        self.usable = True
        """Whether another request may follow the one that was answered."""

    def __del__(self) -> None:
        if hasattr(self, "_socket"):
            self._socket.close()

    def close(self) -> None:
        self.usable = False
        self._socket.close()

    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer: neither the end of the connection nor bytes that nobody asked
        for. Before the first answer there may be bytes, since TLS sends some of its own after the handshake."""
        return not (self._received and self._pending.poll(0))

    def exchange(self, request: bytes) -> Answer:
        """The answer to one request. Raises Broken, and Dropped where the connection ended without a sign of one; then,
        and after an answer that ends the connection, it is closed."""
        self.usable = self._received = False
        self._deadline = time.monotonic() + self._patience.answer_seconds
        try:
            self._socket.settimeout(self._patience.answer_seconds)
            self._socket.sendall(request)
            answer = self._answer()
        except TimeoutError as late:
            self.close()
            raise Broken("no answer in time") from late
        except OSError as failure:
            self.close()
            raise (Broken if self._received else Dropped)("the connection ended") from failure
        except Broken:
            self.close()
            raise
        if self._buffer:
            self.close()
            raise Broken("more came than was announced")
        if b"close" in answer.headers.get(b"connection", b"").lower():
            self.close()
        else:
            self.usable = True
        return answer

    def _answer(self) -> Answer:
        status, headers = self._head()
        if b"content-encoding" in headers:
            raise Broken("an encoding that was not asked for")
        if status in {204, 304}:
            raise Broken("an answer without a body")
        length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
        if coding is not None:
            if length is not None or coding.lower() != b"chunked":
                raise Broken("unclear where the answer ends")
            return Answer(status, headers, self._chunks())
        if length is None or not length.isdigit() or len(length) > 9:
            raise Broken("unclear where the answer ends")
        return Answer(status, headers, self._exactly(int(length)))

    def _head(self) -> tuple[int, dict[bytes, bytes]]:
        match = _HEAD.fullmatch(self._through(b"\r\n\r\n", LARGEST_HEAD))
        if match is None:
            raise Broken("not HTTP/1.1")
        fields = _FIELD.findall(match[2])
        headers = {name.lower(): value for name, value in fields}
        if len(headers) != len(fields):  # as RFC 9110 combines them; then no length and no coding is understood
            headers = {name: b", ".join(value for each, value in fields if each.lower() == name) for name in headers}
        return int(match[1]), headers

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            body += self._exactly(size)
            if len(body) > LARGEST_BODY:
                raise Broken("too large")
            if self._exactly(2) != b"\r\n":
                raise Broken("a chunk that does not end")
        if self._exactly(2) != b"\r\n":
            raise Broken("trailer fields, which were not asked for")
        return bytes(body)

    def _chunk_size(self) -> int:
        match = _CHUNK.fullmatch(self._through(b"\r\n", LARGEST_HEAD))
        if match is None:
            raise Broken("a chunk without a size")
        return int(match[1], 16)

    def _through(self, end: bytes, limit: int) -> bytes:
        """What comes up to and with `end`."""
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > limit:
                raise Broken("too large")
            self._receive()
        return self._exactly(at + len(end))

    def _exactly(self, size: int) -> bytes:
        if size > LARGEST_BODY:
            raise Broken("too large")
        while len(self._buffer) < size:
            self._receive()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _receive(self) -> None:
        if (seconds := self._deadline - time.monotonic()) <= 0:
            raise TimeoutError
        self._socket.settimeout(seconds)
        if not (piece := self._socket.recv(_PIECE)):
            raise ConnectionResetError
        self._received = True
        self._buffer += piece
