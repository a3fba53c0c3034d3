"""Where the figures are taken: one process that answers as AWS would, and the environment of a function that asks it.

What it answers was recorded from the stack of the template, once, while the committed events were carried out there.
So requests and answers are true ones, and no backend's own time, memory or lock comes into a figure. It speaks TLS,
because AWS does; it answers in the clear too, for a processor that is only imitated and would count its cryptography.
"""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import json
import multiprocessing
import os
import re
import socket
import ssl
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local import demo
from local.server import Request, Response
from local.stack import Stack
from tests.bundle import Bundle

ROOT = Path(__file__).resolve().parents[2]
EVENTS = {"NativeVerifyKey": "native/verify_key", "NativeIssueKey": "native/issue_key"}


@dataclass(frozen=True)
class Recorded:
    """By function, the requests and the answers of AWS, each by operation."""

    requests: dict[str, dict[str, Any]]
    answers: dict[str, dict[str, bytes]]
    environment: dict[str, str]


def record() -> Recorded:
    """Carries out the committed events against the stack. Raises RuntimeError where one fails."""
    with redirect_stdout(StringIO()), Stack.from_template(ROOT / "template.yaml") as stack:
        demo.seed(stack)
        requests: dict[str, dict[str, Any]] = {}
        answers: dict[str, dict[str, bytes]] = {}
        for function, name in EVENTS.items():
            asked, answered = requests.setdefault(function, {}), answers.setdefault(function, {})

            def respond(
                request: Request, asked: dict[str, Any] = asked, answered: dict[str, bytes] = answered
            ) -> Response | None:
                response = stack.aws.respond(request)
                assert response is not None
                operation = request.header("x-amz-target").rpartition(".")[2]
                asked[operation], answered[operation] = json.loads(request.body), response.body
                return response

            stack.aws.server.respond = respond
            result = Bundle(stack).invoke(function, json.loads((ROOT / "events" / f"{name}.json").read_text()))
            if result.payload["statusCode"] not in {200, 201}:
                raise RuntimeError(f"{function} answered {result.payload}")
        return Recorded(requests, answers, stack.environment("NativeVerifyKey"))


@contextmanager
def place() -> Iterator[Path]:
    """A folder with all that a subject needs: `environment.json`, `requests.json`. It answers until it is left."""
    recorded = record()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _certify(folder)
        answers = {operation: body for each in recorded.answers.values() for operation, body in each.items()}
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_answer, args=(folder, answers, theirs), daemon=True
        )
        process.start()
        try:
            secure, plain = ours.recv()
            environment = {
                **recorded.environment,
                "AWS_ENDPOINT_URL": f"https://127.0.0.1:{secure}",
                "BENCHMARK_PLAIN_URL": f"http://127.0.0.1:{plain}",
                "AWS_CA_BUNDLE": str(folder / "trusted.pem"),
                "PYTHONPATH": os.pathsep.join(map(str, [ROOT / "layers/keywright", ROOT / "functions", ROOT])),
            }
            (folder / "environment.json").write_text(json.dumps(environment))
            (folder / "requests.json").write_text(json.dumps(recorded.requests))
            yield folder
        finally:
            process.terminate()
            process.join()


def environment_of(folder: Path, **changes: str) -> dict[str, str]:
    loaded: Mapping[str, str] = json.loads((folder / "environment.json").read_text())
    return {**loaded, **changes}


def _certify(folder: Path) -> None:
    """A certificate of our own beside all those that botocore ships: who trusts them has as many to read as usual."""
    key, today = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + certificate)
    shipped = Path(botocore.__file__).with_name("cacert.pem").read_bytes()
    (folder / "trusted.pem").write_bytes(shipped + certificate)


# --- the process that answers --------------------------------------------------------------------------------------

_TARGET = re.compile(rb"\r\nx-amz-target: *[^.\r\n]+\.(\w+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


def _answer(folder: Path, answers: Mapping[str, bytes], parent: Connection) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    messages = {operation.encode(): _message(body) for operation, body in answers.items()}
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
    for listener, wrap in zip(
        listeners, (functools.partial(context.wrap_socket, server_side=True), _bare), strict=True
    ):
        threading.Thread(target=_listen, args=(listener, wrap, messages), daemon=True).start()
    parent.send([listener.getsockname()[1] for listener in listeners])
    threading.Event().wait()


Wrap = Callable[[socket.socket], socket.socket]


def _bare(connection: socket.socket) -> socket.socket:
    return connection


def _listen(listener: socket.socket, wrap: Wrap, messages: Mapping[bytes, bytes]) -> None:
    while True:
        plain, _ = listener.accept()
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_serve, args=(plain, wrap, messages), daemon=True).start()


def _message(body: bytes) -> bytes:
    """With the header fields that DynamoDB sends."""
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n"
        f"x-amzn-RequestId: {'0' * 52}\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


def _serve(plain: socket.socket, wrap: Wrap, messages: Mapping[bytes, bytes]) -> None:
    try:
        with wrap(plain) as connection:
            data = b""
            while True:
                while (end := data.find(b"\r\n\r\n")) < 0:
                    if not (piece := connection.recv(65536)):
                        return
                    data += piece
                head = data[: end + 2]
                length, target = _LENGTH.search(head), _TARGET.search(head)
                assert length is not None
                assert target is not None
                whole = end + 4 + int(length[1])
                while len(data) < whole:
                    data += connection.recv(65536)
                data = data[whole:]
                connection.sendall(messages[target[1]])
    except OSError:
        return
