"""What a deed costs when a thousand keys are stored, and when a million are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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
no deed reads one. Each size has an engine and a process of its own, and the sizes take turns."""


def run(folder: Path) -> list[Section]:
    taken: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as running:
        deeds = {}
        for stored in STORED:
            rows = str(folder / f"{stored}.sqlite")
            engine, url = running.enter_context(_speaking("tests.benchmarks.engine", rows))
            environment = {**Subject("verify").environment(folder), "AWS_ENDPOINT_URL": url}
            deeds[stored], _ = running.enter_context(_speaking("tests.benchmarks.deeds", environment=environment))
            _ask(engine, str(stored))
            _ask(deeds[stored], str(OPERATIONS // 5))
        for number in range(ROUNDS):
            for offset in range(len(STORED)):
                stored = STORED[(number + offset) % len(STORED)]
                for name, value in json.loads(_ask(deeds[stored], str(OPERATIONS))).items():
                    taken.setdefault((name, stored), []).append(value)
    figures = {each: Figure(values, "us") for each, values in taken.items()}
    names = dict.fromkeys(name for name, _ in figures)
    table = [
        Row(
            f"{name}, {stored:,} keys stored",
            figures[name, stored],
            figures[name, STORED[0]],
            TARGET if stored > STORED[0] else None,
        )
        for name in names
        for stored in STORED
    ]
    return [Section("The same deed among more keys", TEXT, table)]


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
