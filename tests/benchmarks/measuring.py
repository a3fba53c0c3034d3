"""How figures are taken.

Subjects that are compared take turns, round by round, each in a process of its own, so that what else the machine does
hits them alike; a figure is the median of the rounds, its spread the middle half of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import ROOT, environment_of

MOST_SECONDS = 180
"""How long is waited for one table of instructions."""
NOT_COUNTED = f"There is no valgrind here, or it took longer than {MOST_SECONDS} seconds.\n"
ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "15"))


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
        takers = [
            running.enter_context(spoken_to(subject.command(), operations, subject.environment(folder)))
            for subject in subjects
        ]
        for take in takers:
            take()
        return [Figure(values, "us") for values in take_turns(takers)]


@contextmanager
def spoken_to(
    command: Sequence[str], operations: int, environment: Mapping[str, str] | None = None
) -> Iterator[Callable[[], float]]:
    """A process that is told how many operations to carry out, and tells what one of them took: see worker.py."""
    with subprocess.Popen(
        command,
        env=environment,
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
            raise RuntimeError(f"{command} did not start")

        def take() -> float:
            stdin.write(f"{operations}\n")
            return float(stdout.readline())

        yield take
        stdin.close()


def instructions(subjects: Sequence[Subject], folder: Path, *, operations: int = 20) -> list[Figure] | None:
    """Thousands of instructions for one operation, as valgrind counts them: the difference between a short run and a
    longer one. None on a machine without valgrind."""
    runs = [(each, each.command(str(count))) for each in subjects for count in (operations, 3 * operations)]
    if (counted := count_all(runs, folder)) is None:
        return None
    pairs = zip(counted[::2], counted[1::2], strict=True)
    return [Figure([(longer - shorter) / (2 * operations) / 1e3], "k") for shorter, longer in pairs]


def count_all(runs: Sequence[tuple[Subject, Sequence[str]]], folder: Path) -> list[int] | None:
    """The instructions of each, side by side, since what else a machine does makes no difference to them. None on one
    without valgrind, or where all of them take longer than is waited."""
    if shutil.which("valgrind") is None:
        return None
    until = time.monotonic() + MOST_SECONDS

    def count(run: tuple[Subject, Sequence[str]]) -> int:
        return count_instructions(run[0], folder, run[1], max(0.1, until - time.monotonic()))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        try:
            return [*threads.map(count, runs)]
        except subprocess.TimeoutExpired:
            return None


def count_instructions(subject: Subject, folder: Path, command: Sequence[str], seconds: float) -> int:
    environment = {**subject.environment(folder), "PYTHONHASHSEED": "0"}
    environment["AWS_ENDPOINT_URL"] = environment["BENCHMARK_PLAIN_URL"]
    told = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        env=environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    collected = re.search(r"Collected : (\d+)", told.stderr)
    assert collected is not None, told.stderr
    return int(collected[1])
