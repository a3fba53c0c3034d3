"""How figures are taken.

Subjects that are compared take turns, round by round, each in a process of its own, so that what else the machine does
hits them alike; a figure is the median of the rounds, its spread the middle half of them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import ROOT, environment_of

ROUNDS = 15


@dataclass(frozen=True)
class Subject:
    """A name of `subjects.py`, and which client of AWS the setting gives it."""

    name: str
    client: str = "lean"

    def environment(self, folder: Path) -> dict[str, str]:
        return environment_of(folder, KEYWRIGHT_AWS_CLIENT=self.client, BENCHMARK_PLACE=str(folder))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.benchmarks.worker", self.name, *arguments]


@dataclass(frozen=True)
class Compared:
    """What becomes a row: a subject, the subject it is measured by, its name in the table, its target."""

    subject: Subject
    floor: Subject
    name: str
    target: float | None = None


def take_turns(takers: Sequence[Callable[[], float]], rounds: int = ROUNDS) -> list[list[float]]:
    """What each of them gave, round by round; who begins a round changes from one to the next."""
    values: list[list[float]] = [[] for _ in takers]
    for number in range(rounds):
        for offset in range(len(takers)):
            index = (number + offset) % len(takers)
            values[index].append(takers[index]())
    return values


def processor_time(subjects: Sequence[Subject], folder: Path, *, operations: int = 100) -> list[Figure]:
    """Microseconds of the processor, user and system, for one operation of a warm process."""
    with ExitStack() as running:
        takers = [running.enter_context(_worker(subject, folder, operations)) for subject in subjects]
        for take in takers:
            take()
        return [Figure(values, "us") for values in take_turns(takers)]


@contextmanager
def _worker(subject: Subject, folder: Path, operations: int) -> Iterator[Callable[[], float]]:
    with subprocess.Popen(
        subject.command(),
        env=subject.environment(folder),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        if stdout.readline() != "ready\n":
            raise RuntimeError(f"{subject.name} did not start")

        def take() -> float:
            stdin.write(f"{operations}\n")
            return float(stdout.readline())

        yield take
        stdin.close()


def instructions(subjects: Sequence[Subject], folder: Path, *, operations: int = 40) -> list[Figure] | None:
    """Thousands of instructions for one operation, as valgrind counts them: the difference between a short run and a
    longer one. None on a machine without valgrind."""
    if shutil.which("valgrind") is None:
        return None

    def executed(subject: Subject, count: int) -> int:
        return count_instructions(subject, folder, subject.command(str(count)))

    return [
        Figure([(executed(each, 2 * operations) - executed(each, operations)) / operations / 1e3], "k")
        for each in subjects
    ]


def count_instructions(subject: Subject, folder: Path, command: Sequence[str]) -> int:
    environment = {**subject.environment(folder), "PYTHONHASHSEED": "0"}
    environment["AWS_ENDPOINT_URL"] = environment["BENCHMARK_PLAIN_URL"]
    told = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    collected = re.search(r"Collected : (\d+)", told.stderr)
    assert collected is not None, told.stderr
    return int(collected[1])
