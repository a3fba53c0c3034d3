"""What a deed costs when a thousand keys are stored, and when a million are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import ROUNDS, Subject
from tests.benchmarks.place import ROOT

STORED = (1_000, 100_000, 1_000_000)
OPERATIONS = 50
TARGET = 1.1
TEXT = """\
Processor time of the layer's code for one deed, over HTTP to an engine of our own that holds the rows in SQLite, three
for each key (`tests/benchmarks/engine.py`): the keys that stand in the way are rows of nothing but their addresses, and
no deed reads one. The figures of one size are taken together, so what else the machine did then is in the ratios."""


def run(folder: Path) -> list[Section]:
    figures: dict[tuple[str, int], Figure] = {}
    with _speaking("tests.benchmarks.engine", str(folder / "rows.sqlite")) as (engine, url):
        subject = Subject("verify")
        environment = {**subject.environment(folder), "AWS_ENDPOINT_URL": url}
        with _speaking("tests.benchmarks.deeds", environment=environment) as (deeds, _):
            for stored in STORED:
                _ask(engine, str(stored))
                _ask(deeds, str(OPERATIONS // 5))
                rounds = [json.loads(_ask(deeds, str(OPERATIONS))) for _ in range(ROUNDS)]
                for name in rounds[0]:
                    figures[name, stored] = Figure([each[name] for each in rounds], "us")
    names = dict.fromkeys(name for name, _ in figures)
    rows = [
        Row(
            f"{name}, {stored:,} keys stored",
            figures[name, stored],
            figures[name, STORED[0]],
            TARGET if stored > STORED[0] else None,
        )
        for name in names
        for stored in STORED
    ]
    return [Section("The same deed among more keys", TEXT, rows)]


@contextmanager
def _speaking(
    module: str, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that says one line when it is ready, and then answers each line with one."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        try:
            yield process, _line(process.stdout)
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    return _line(process.stdout)


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    if not (line := stream.readline()):
        raise RuntimeError("a process of the benchmark ended")
    return line.strip()
