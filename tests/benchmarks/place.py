"""Where the figures are taken: one process that answers as AWS would, and the environment of a function that asks it.

What it answers was recorded from the stack of the template, once, while the committed events were carried out there.
So requests and answers are true ones, and no backend's own time, memory or lock comes into a figure. It speaks TLS,
because AWS does; it answers in the clear too, for a processor that is only imitated and would count its cryptography.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
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
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import botocore
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keywright.access import Principal
from keywright.issuing import Order
from keywright.model import KeyKind, OwnerKind, OwnerRef
from keywright.ports import SaveKey
from keywright.tokens import Token
from local import demo
from local.server import Request, Response
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.test_calls_and_rights import TABLE

ROOT = Path(__file__).resolve().parents[2]
CACHED = "AuthorizersAuthorizeHttpApi+cached"
"""The authorizer again, asked by a key that its owner lets be believed for a minute."""
MAIL, MAIL_PATH = "SendEmail", "/v2/email/outbound-emails"
"""The one service here that is spoken to by paths."""
CACHED_TOKEN = "kw_local_DemoKeyOfTheLocalStackThatMayOnlyReadOrders0LvvXq"


@dataclass(frozen=True)
class Recorded:
    """By function its event, and what it asked of AWS by operation; by what was asked, what was answered; by function
    the operations in order."""

    events: dict[str, Any]
    requests: dict[str, dict[str, Any]]
    answers: dict[tuple[bytes, bytes], bytes]
    calls: dict[str, list[str]]
    environment: dict[str, str]


def record() -> Recorded:
    """Carries out every function's committed event against the stack, in the order of the table of calls, since what
    one leaves behind another reads. Raises RuntimeError where one of those fails that are compared with something."""
    with redirect_stdout(StringIO()), Stack.from_template(ROOT / "template.yaml") as stack:
        demo.seed(stack)
        _seed_cached(stack)
        recorded = Recorded({}, {}, {}, {}, stack.environment("NativeVerifyKey"))
        bundle = Bundle(stack)
        functions = stack.template.functions
        for name in [CACHED, *sorted(functions, key=[*TABLE].index)]:
            function = name.partition("+")[0]
            module = functions[function].handler.removesuffix(".handler").replace(".", "/")
            event = json.loads((ROOT / "events" / f"{module}.json").read_text())
            if name == CACHED:
                event["headers"]["authorization"] = f"Bearer {CACHED_TOKEN}"
            recorded.events[name] = event
            asked, calls = recorded.requests.setdefault(name, {}), recorded.calls.setdefault(name, [])

            def respond(request: Request, asked: dict[str, Any] = asked, calls: list[str] = calls) -> Response | None:
                response = stack.aws.respond(request)
                assert response is not None
                operation = request.header("x-amz-target").rpartition(".")[2]
                if not operation and request.target == MAIL_PATH:
                    operation = MAIL
                if operation:
                    asked[operation] = json.loads(request.body)
                    if operation != "UpdateItem" or b"USE#" not in request.body:  # else a note, which nobody waits for
                        calls.append(operation)
                    answers, name = recorded.answers, operation.encode()
                    answers[name, asked_of(request.body)] = response.body
                    for each in (address_of(request.body), b""):
                        answers.setdefault((name, each), response.body)
                return response

            stack.aws.server.respond = respond
            answer = bundle.invoke(function, event).payload or {}
            if function in COMPARED and not (answer.get("statusCode") in {200, 201} or answer.get("isAuthorized")):
                raise RuntimeError(f"{function} answered {answer}")
        return recorded


COMPARED = {"AuthorizersAuthorizeHttpApi", "NativeVerifyKey", "NativeIssueKey"}


def _seed_cached(stack: Stack) -> None:
    at = demo.desk(stack)
    owner = OwnerRef(demo.TENANT, OwnerKind.OPERATOR, demo.OPERATOR)
    caller = Principal("demo", KeyKind.NATIVE, owner, ("*",))
    order = Order(kind=KeyKind.NATIVE, owner=owner, scopes=("orders:read",))
    key = demo._admit(at, caller, order, Token(CACHED_TOKEN), None)
    at.store.commit(SaveKey(replace(key, cache_seconds=60, revision=key.revision + 1), key))


def asked_of(body: bytes) -> bytes:
    """The same for the same request, however it is written and whenever it is sent."""
    try:
        asked = json.loads(body)
    except ValueError:
        return b""
    asked.pop("ClientRequestToken", None)
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def address_of(body: bytes) -> bytes:
    """The same for requests about the same record, whatever else they say: a lease has a new holder each time."""
    try:
        key = json.loads(body)["Key"]
    except (ValueError, KeyError):
        return b""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).digest()


@contextmanager
def place() -> Iterator[Path]:
    """A folder with all that a subject needs, as JSON: environment, requests, events, calls. It answers until it is
    left."""
    recorded = record()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _certify(folder)
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_answer, args=(folder, recorded.answers, theirs), daemon=True
        )
        process.start()
        theirs.close()  # so that a process that could not start is noticed
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
            (folder / "events.json").write_text(json.dumps(recorded.events))
            (folder / "calls.json").write_text(json.dumps(recorded.calls))
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


def _answer(folder: Path, answers: Answers, parent: Connection) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    messages = {asked: _message(body) for asked, body in answers.items()}
    listeners = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
    for listener, wrap in zip(
        listeners, (functools.partial(context.wrap_socket, server_side=True), _bare), strict=True
    ):
        threading.Thread(target=_listen, args=(listener, wrap, messages), daemon=True).start()
    parent.send([listener.getsockname()[1] for listener in listeners])
    threading.Event().wait()


Wrap = Callable[[socket.socket], socket.socket]
Answers = Mapping[tuple[bytes, bytes], bytes]


def _bare(connection: socket.socket) -> socket.socket:
    return connection


def _listen(listener: socket.socket, wrap: Wrap, messages: Answers) -> None:
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


NOTHING = _message(b"{}")
"""What a write is answered with that was not recorded."""


def _serve(plain: socket.socket, wrap: Wrap, messages: Answers) -> None:
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
                operation = MAIL.encode() if target is None else target[1]
                whole = end + 4 + int(length[1])
                while len(data) < whole:
                    data += connection.recv(65536)
                body, data = data[end + 4 : whole], data[whole:]
                ways = asked_of(body), address_of(body), b""
                found = (messages.get((operation, each)) for each in ways)
                connection.sendall(next((each for each in found if each is not None), NOTHING))
    except OSError:
        return
