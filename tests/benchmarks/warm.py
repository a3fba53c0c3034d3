"""What a warm operation costs the processor: the store's read, a verification, an issue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import Compared, Subject, instructions, processor_time

GET, ISSUE = Subject("bare_get_item"), Subject("bare_issue")
COMPARED = [
    Compared(GET, GET, "bare boto3 `get_item`"),
    Compared(Subject("read_token"), GET, "the store reads a token, lean"),
    Compared(Subject("read_token", "boto3"), GET, "the same, boto3"),
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


def run(folder: Path) -> list[Section]:
    subjects = [each.subject for each in COMPARED]
    sections = [_section("A warm operation", TIMES, processor_time(subjects, folder))]
    if (counted := instructions(subjects, folder)) is not None:
        sections.append(_section("A warm operation, by instructions", INSTRUCTIONS, counted))
    return sections


def _section(title: str, text: str, figures: Sequence[Figure]) -> Section:
    by_subject = dict(zip((each.subject for each in COMPARED), figures, strict=True))
    rows = [Row(each.name, by_subject[each.subject], by_subject[each.floor], each.target) for each in COMPARED]
    return Section(title, text, rows)
