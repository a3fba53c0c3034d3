"""A server that says exactly what a test has written down, whether that is HTTP or not."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """What happens to one request: pieces that are sent one after the other, each after a pause, and then perhaps the
    end of the connection, in order or by a reset."""

    pieces: Sequence[bytes] = ()
    pause: float = 0.0
    ends: bool = False
    reset: bool = False


@dataclass(frozen=True)
class Received:
    """A request as it came, and on which connection, counted from 0."""

    connection: int
    headers: dict[str, str]
    body: bytes
    line: str = "POST / HTTP/1.1"

    def json(self) -> Any:
        return json.loads(self.body)


def answer(
    body: Any = None, status: int = 200, *, headers: Sequence[tuple[str, str]] = (), framing: bool = True
) -> bytes:
    """An answer as a JSON service gives it; bytes are sent as they are."""
    payload = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    fields = [("Content-Type", "application/x-amz-json-1.0"), *headers]
    if framing:
        fields.append(("Content-Length", str(len(payload))))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status} Some Reason\r\n{head}\r\n".encode() + payload


def checked(body: Any, off_by: int = 0) -> bytes:
    """An answer of DynamoDB, with its checksum."""
    payload = json.dumps(body).encode()
    return answer(payload, headers=[("x-amz-crc32", str(zlib.crc32(payload) + off_by))])


def refusal(code: str, status: int = 400, **members: Any) -> bytes:
    return answer(
        {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "quotes a secret", **members}, status
    )


def says(*pieces: bytes, **how: Any) -> Step:
    return Step(pieces, **how)


HANGS_UP = Step(ends=True)
SILENCE = Step(pause=3600)


@dataclass
class Scripted:
    """Steps are taken in the order in which requests come, and then `otherwise` says what happens."""

    steps: list[Step]
    url: str
    otherwise: Callable[[Received], Step]
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def scripted(
    *steps: Step,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    otherwise: Callable[[Received], Step] = lambda _: SILENCE,
) -> Iterator[Scripted]:
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "https" if tls else "http"
    server = Scripted(list(steps), f"{scheme}://{host}:{listener.getsockname()[1]}", otherwise)
    lock, open_now, threads = threading.Lock(), set[socket.socket](), list[threading.Thread]()

    def serve(plain: socket.socket, number: int) -> None:
        try:
            with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
                open_now.add(connection)
                while request := _request(connection, number):
                    with lock:
                        server.received.append(request)
                        step = server.steps.pop(0) if server.steps else otherwise(request)
                    if not _play(step, connection, server.over):
                        return
        except OSError:
            return

    def accept() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve, args=(plain, server.connections), daemon=True))
            server.connections += 1
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in list(open_now):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in (acceptor, *threads):
            thread.join(5)


def _play(step: Step, connection: socket.socket, over: threading.Event) -> bool:
    """Whether the connection goes on."""
    if not step.pieces and step.pause:
        over.wait(step.pause)
    for piece in step.pieces:
        if step.pause and over.wait(step.pause):
            return False
        connection.sendall(piece)
    if step.reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    return not (step.ends or step.reset)


def _request(connection: socket.socket, number: int) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    while len(body) < int(headers["content-length"]):
        if not (piece := connection.recv(65536)):
            return None
        body += piece
    return Received(number, headers, body, line)
