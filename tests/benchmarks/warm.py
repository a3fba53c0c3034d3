"""What a warm operation costs the processor: the store's read, a verification, an issue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import NOT_COUNTED, Compared, Subject, instructions, processor_time

GET, ISSUE = Subject("bare_get_item"), Subject("bare_issue")
COMPARED = [
    Compared(GET, GET, "bare boto3 `get_item`"),
    Compared(Subject("read_token"), GET, "the store reads a token, lean"),
    Compared(Subject("read_token", "boto3"), GET, "the same, boto3"),
    Compared(Subject("authorize"), GET, "the authorizer: one verification, lean", 0.20),
    Compared(Subject("authorize", "boto3"), GET, "the same, boto3"),
    Compared(Subject("verify"), GET, "`POST /v1/keys/verify`, caller and token in one read, lean", 0.35),
    Compared(Subject("verify", "boto3"), GET, "the same, boto3"),
    Compared(ISSUE, ISSUE, "bare boto3 `encrypt` and `transact_write_items`"),
    Compared(Subject("issue"), ISSUE, "`POST /v1/keys`: read the caller, seal, write, lean", 0.45),
    Compared(Subject("issue", "boto3"), ISSUE, "the same, boto3"),
]
TIMES = """\
Processor time, user and system, of one operation in a warm process, over TLS to a process that answers at once; log
line and metrics are on."""
INSTRUCTIONS = """\
The same by instructions, which repeat from run to run: in thousands, as valgrind counts them, and without TLS, whose
cryptography it cannot leave to the processor."""


def run(folder: Path) -> list[Section | str]:
    subjects = [each.subject for each in COMPARED]
    sections = [_section("A warm operation", TIMES, processor_time(subjects, folder))]
    judged = [each for each in COMPARED if each.target is not None or each.subject == each.floor]
    counted, title = instructions([each.subject for each in judged], folder), "A warm operation, by instructions"
    return [
        *sections,
        f"## {title}\n\n{NOT_COUNTED}" if counted is None else _section(title, INSTRUCTIONS, counted, judged),
    ]


def _section(title: str, text: str, figures: Sequence[Figure], compared: Sequence[Compared] = COMPARED) -> Section:
    by_subject = dict(zip((each.subject for each in compared), figures, strict=True))
    rows = [Row(each.name, by_subject[each.subject], by_subject[each.floor], each.target) for each in compared]
    return Section(title, text, rows)
