"""How long a fresh process takes to its first answer, alone and under the Lambda runtime client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from local.server import Request, Response, Server
from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import Compared, Subject, count_instructions, take_turns
from tests.benchmarks.place import ROOT

BARE = Subject("bare_get_item")
NOTHING = Compared(Subject("nothing"), BARE, "the interpreter alone")
COMPARED = [
    Compared(BARE, BARE, "`import boto3`, a client, one `get_item`"),
    Compared(Subject("verify"), BARE, "`POST /v1/keys/verify`, lean", 0.80),
    Compared(Subject("verify", "boto3"), BARE, "the same, boto3"),
    Compared(Subject("issue"), BARE, "`POST /v1/keys`, lean", 1.40),
    Compared(Subject("issue", "boto3"), BARE, "the same, boto3"),
]
HANDLERS = {
    "bare_get_item": ("tests.benchmarks.bare.handler", "native/verify_key"),
    "verify": ("native.verify_key.handler", "native/verify_key"),
    "issue": ("native.issue_key.handler", "native/issue_key"),
}
CLIENT = """\
From the start of the process, `python -m awslambdaric`, to the answer that it sends, over TLS, the sources compiled
beforehand."""
ALONE = "The same without the runtime client: from the start of the process to the answer of the handler."
INSTRUCTIONS = """\
The same by instructions, in millions, which repeat from run to run; without TLS, whose cryptography valgrind cannot
leave to the processor."""


def run(folder: Path) -> list[Section]:
    alone = [NOTHING, *COMPARED]
    sections = [
        _section(
            "A cold start under the Lambda runtime client", CLIENT, COMPARED, _times(COMPARED, folder, _under_client)
        ),
        _section("A cold start alone", ALONE, alone, _times(alone, folder, _alone)),
    ]
    if shutil.which("valgrind") is not None:
        counted = [
            Figure([count_instructions(each.subject, folder, _command(each.subject, 2)) / 1e6], "M") for each in alone
        ]
        sections.append(_section("A cold start alone, by instructions", INSTRUCTIONS, alone, counted))
    return sections


def _times(compared: Sequence[Compared], folder: Path, take: Callable[[Path, Subject], float]) -> list[Figure]:
    takers = [partial(take, folder, each.subject) for each in compared]
    take_turns(takers, rounds=1)
    return [Figure(values, "ms") for values in take_turns(takers)]


def _section(title: str, text: str, compared: Sequence[Compared], figures: Sequence[Figure]) -> Section:
    by_subject = dict(zip((each.subject for each in compared), figures, strict=True))
    rows = [Row(each.name, by_subject[each.subject], by_subject[each.floor], each.target) for each in compared]
    return Section(title, text, rows)


def _command(subject: Subject, descriptor: int) -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.first", subject.name, str(descriptor)]


def _alone(folder: Path, subject: Subject) -> float:
    """Milliseconds from the start of the process to the byte that says that the answer is there."""
    reader, writer = os.pipe()
    began = time.perf_counter()
    with subprocess.Popen(
        _command(subject, writer),
        env=subject.environment(folder),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        pass_fds=[writer],
    ):
        os.close(writer)
        told = os.read(reader, 1)
        taken = time.perf_counter() - began
    os.close(reader)
    if told != b"1":
        raise RuntimeError(f"{subject.name} ended without an answer")
    return taken * 1000


def _under_client(folder: Path, subject: Subject) -> float:
    """Milliseconds from the start of the process to the answer that it sends to Lambda's runtime interface."""
    handler, name = HANDLERS[subject.name]
    event = (ROOT / "events" / f"{name}.json").read_bytes()
    answered, told, given = threading.Event(), list[bytes](), threading.Event()

    def respond(request: Request) -> Response | None:
        if request.method == "GET":
            if given.is_set():
                answered.wait()
                return None
            given.set()
            headers = (
                ("Lambda-Runtime-Aws-Request-Id", "request-1"),
                ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 10_000)),
                ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:keywright"),
                ("Content-Type", "application/json"),
            )
            return Response(200, headers, event)
        told.append(request.target.encode() + b" " + request.body)
        answered.set()
        return Response(202)

    server = Server(respond)
    server.start()
    began = time.perf_counter()
    environment = {**subject.environment(folder), "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.port}"}
    with subprocess.Popen(
        [sys.executable, "-m", "awslambdaric", handler], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        answered.wait(30)
        taken = time.perf_counter() - began
        process.kill()
    server.close()
    if not told or b"/response " not in told[0] or b'"statusCode": 5' in told[0]:
        raise RuntimeError(f"{subject.name} did not answer: {told}")
    return taken * 1000
