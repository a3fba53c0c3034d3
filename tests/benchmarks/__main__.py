"""Takes every figure and writes docs/performance.md: `make bench`.

`python -m tests.benchmarks warm` takes those of one script and writes nothing.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import boto3

from tests.benchmarks import beside, cold, counts, growth, warm
from tests.benchmarks.figures import Section
from tests.benchmarks.place import ROOT, place

DOCUMENT = ROOT / "docs/performance.md"
SCRIPTS = {"warm": warm, "beside": beside, "cold": cold, "counts": counts, "growth": growth}


WHAT_IT_TAKES = {
    "the authorizer: one verification": (
        "The authorizer, warm: the store's read over TLS is most of it. The next table has it by instructions, without "
        "TLS."
    ),
    "the authorizer, lean": (
        "The authorizer's cold start: two thirds of what it executes before its first answer are the interpreter, TLS, "
        "logging, and `inspect`, which dataclasses load; the rest is its own modules. Values without dataclasses would "
        "save an eighth."
    ),
    "`POST /v1/keys`": (
        "`POST /v1/keys`: an issue spends as much in the resolver and in validation as in its three calls of AWS. It "
        "would have to do without both, as `keywright.direct` does for the verification."
    ),
    "the authorizer, a key with a cache": (
        "The authorizer beside other libraries, from a cache: what remains is the event, the line of the log and the "
        "verdict's own checks. A library that is called with a key in hand, and writes nothing, has none of the three."
    ),
    "the authorizer, every key read anew": (
        "The authorizer beside other libraries, every key read anew: a read over TLS is most of it; the peer's store "
        "is in its own process. A key's owner may choose a cache."
    ),
    **dict.fromkeys(
        ("NativeCreateLink", "StreamsMailWarnings", "SupportcenterEmailApiKey"),
        "The cold starts of NativeCreateLink, StreamsMailWarnings and SupportcenterEmailApiKey: a function loads boto3 "
        "with its first mail, which the event here asks for. The lean client would have to speak the wire of SES.",
    ),
    **dict.fromkeys(
        ("Native", "Salesiq", "Sunshine", "Voltmx"),
        "The cold starts of functions that mail nothing: each loads the resolver and pydantic, like `POST /v1/keys`, "
        "and no boto3. They lie near the target, and which of them miss it in three rounds changes from run to run. "
        "They too would have to do without both.",
    ),
}
"""By the beginning of a row's name, what is said where it misses its target."""


def main(names: Sequence[str]) -> None:
    sections: list[Section | str] = []
    with place() as folder:
        for name in names or SCRIPTS:
            for section in SCRIPTS[name].run(folder):
                sys.stdout.write(f"{section}\n")
                sys.stdout.flush()
                sections.append(section)
    if not names:
        DOCUMENT.write_text(document(sections))


def document(sections: Sequence[Section | str]) -> str:
    head = f"""\
# Performance

Written by `make bench` on {datetime.now(UTC):%d %B %Y}, on {os.cpu_count()} processors ({_processor()}),
Python {platform.python_version()}, boto3 {boto3.__version__}.

Subjects that are compared took turns in one run, each in a process of its own. A figure is a median, with the middle
half of its rounds; a ratio is to the row of ratio 1 above it. A machine at work on other things makes the figures
larger and leaves the ratios. AWS itself, its network and Lambda's share of a processor are in none of them. How they
are taken stands in `tests/benchmarks`.
"""
    return "\n".join([head, _missed(sections), *map(str, sections)]).rstrip("\n") + "\n"


def _missed(sections: Sequence[Section | str]) -> str:
    """Said first, so that nobody has to look for it."""
    judged = [
        (section.title, row)
        for section in sections
        if isinstance(section, Section)
        for row in section.rows
        if row.target is not None
    ]
    rows = [(title, row) for title, row in judged if row.verdict == "missed"]
    missed = [f"- {title}: {row.name}, {row.ratio:.2f} where {row.target:.2f} was the target" for title, row in rows]
    said = f"Of {len(judged)} targets {len(missed)} are missed" + (":" if missed else ".")
    takes = dict.fromkeys(
        take for name, take in WHAT_IT_TAKES.items() if any(row.name.startswith(name) for _, row in rows)
    )
    if takes:
        missed += ["", "What it would take:", "", *(f"- {take}" for take in takes)]
    return "\n".join(["## Targets", "", said, "", *missed, *([""] if missed else [])])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main(sys.argv[1:])
