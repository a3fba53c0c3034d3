"""How long a fresh process takes to its first answer, alone and under the Lambda runtime client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from local.server import Request, Response, Server
from local.stack import PARAMETERS
from local.template import Template
from tests.benchmarks import measuring
from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import NOT_COUNTED, Compared, Subject, count_all, take_turns
from tests.benchmarks.place import ROOT

BARE = Subject("bare_get_item")
NOTHING = Compared(Subject("nothing"), BARE, "the interpreter alone")
COMPARED = [
    Compared(BARE, BARE, "`import boto3`, a client, one `get_item`"),
    Compared(Subject("authorize"), BARE, "the authorizer, lean", 0.40),
    Compared(Subject("verify"), BARE, "`POST /v1/keys/verify`, lean", 0.80),
    Compared(Subject("verify", "boto3"), BARE, "the same, boto3"),
    Compared(Subject("issue"), BARE, "`POST /v1/keys`, lean", 1.40),
    Compared(Subject("issue", "boto3"), BARE, "the same, boto3"),
]
HANDLERS = {
    "bare_get_item": ("tests.benchmarks.bare.handler", "NativeVerifyKey"),
    "authorize": ("authorizers.authorize_http_api.handler", "AuthorizersAuthorizeHttpApi"),
    "verify": ("native.verify_key.handler", "NativeVerifyKey"),
    "issue": ("native.issue_key.handler", "NativeIssueKey"),
}
"""By subject the handler, and the function whose event it gets; any other subject is a function of the template."""
OTHERS_ROUNDS = min(3, measuring.ROUNDS)
SLOWEST = 10
OTHERS_TARGET = 1.40
CLIENT = """\
From the start of the process, `python -m awslambdaric`, to the answer that it sends, over TLS, the sources compiled
beforehand."""
ALONE = "The same without the runtime client: from the start of the process to the answer of the handler."
OTHERS = """\
Every other function likewise, {rounds} rounds each, of which the {slowest} slowest are shown. {within} of {all} are
within the target of {target:.2f}.{failed}"""
INSTRUCTIONS = """\
The same by instructions, in millions, which repeat from run to run; without TLS, whose cryptography valgrind cannot
leave to the processor."""


def run(folder: Path) -> list[Section | str]:
    alone = [NOTHING, *COMPARED]
    sections = [
        _section(
            "A cold start under the Lambda runtime client", CLIENT, COMPARED, _times(COMPARED, folder, _under_client)
        ),
        _section("A cold start alone", ALONE, alone, _times(alone, folder, _alone)),
    ]
    sections.append(_others(folder))
    judged = [each for each in alone if each.target is not None or each.floor == BARE == each.subject]
    counted, title = (
        count_all([(each.subject, _command(each.subject, 2)) for each in judged], folder),
        "A cold start alone, by instructions",
    )
    if counted is None:
        return [*sections, f"## {title}\n\n{NOT_COUNTED}"]
    figures = [Figure([each / 1e6], "M") for each in counted]
    return [*sections, _section(title, INSTRUCTIONS, judged, figures)]


def _others(folder: Path) -> Section:
    functions = Template.load(ROOT / "template.yaml", PARAMETERS).functions
    known = {function for _, function in HANDLERS.values()}
    values: dict[str, list[float]] = {name: [] for name in functions if name not in known}
    floor, failed = list[float](), set[str]()
    for _ in range(OTHERS_ROUNDS):
        floor.append(_under_client(folder, BARE))
        for name, taken in values.items():
            try:
                taken.append(_under_client(folder, Subject(name), functions[name].handler))
            except RuntimeError:
                failed.add(name)
    base = Figure(floor, "ms")
    rows = [Row(name, Figure(taken, "ms"), base, OTHERS_TARGET) for name, taken in values.items() if name not in failed]
    rows.sort(key=lambda row: -row.ratio)
    text = OTHERS.format(
        rounds=OTHERS_ROUNDS,
        slowest=SLOWEST,
        within=sum(row.ratio <= OTHERS_TARGET for row in rows),
        all=len(rows),
        target=OTHERS_TARGET,
        failed=f" Without an answer to a replayed event: {', '.join(sorted(failed))}." if failed else "",
    )
    return Section(
        "A cold start of every other function",
        text,
        [Row("`import boto3`, a client, one `get_item`", base, base), *rows[:SLOWEST]],
    )


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


def _under_client(folder: Path, subject: Subject, handler: str = "") -> float:
    """Milliseconds from the start of the process to the answer that it sends to Lambda's runtime interface. Raises
    RuntimeError where it answers that it failed."""
    handler, name = HANDLERS.get(subject.name, (handler, subject.name))
    event = json.dumps(json.loads((folder / "events.json").read_text())[name]).encode()
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
