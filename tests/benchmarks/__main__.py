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

from tests.benchmarks import cold, warm
from tests.benchmarks.figures import Section
from tests.benchmarks.place import ROOT, place

DOCUMENT = ROOT / "docs/performance.md"
SCRIPTS = {"warm": warm, "cold": cold}


def main(names: Sequence[str]) -> None:
    sections: list[Section] = []
    with place() as folder:
        for name in names or SCRIPTS:
            for section in SCRIPTS[name].run(folder):
                sys.stdout.write(f"{section}\n")
                sys.stdout.flush()
                sections.append(section)
    if not names:
        DOCUMENT.write_text(document(sections))


def document(sections: Sequence[Section]) -> str:
    head = f"""\
# Performance

Written by `make bench` on {datetime.now(UTC):%d %B %Y}, on {os.cpu_count()} processors ({_processor()}),
Python {platform.python_version()}, boto3 {boto3.__version__}.

Subjects that are compared took turns in one run, each in a process of its own. A figure is a median, with the middle
half of its rounds; a ratio is to the row of ratio 1 above it. A machine at work on other things makes the figures
larger and leaves the ratios. AWS itself, its network and Lambda's share of a processor are in none of them. How they
are taken stands in `tests/benchmarks`.
"""
    return "\n".join([head, *map(str, sections)]).rstrip("\n") + "\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main(sys.argv[1:])
