"""A verification beside those of other people's libraries, on this machine and in the same rounds.

The peers are installed into `.cache/benchmarks`, never into `.venv`; where one cannot be had, the text says so and why.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import Subject, spoken_to, take_turns
from tests.benchmarks.place import ROOT

SOURCES = Path(__file__).with_name("peers")
CACHE = ROOT / ".cache/benchmarks"
OPERATIONS = 100
TEXT = """\
Processor time, user and system, of one verification in a warm process. Ours is the authorizer's whole handler: event
in, read over TLS, answer out, log line and metrics on. A peer's is its library alone, with its store in its own
process: no request, no network, no log."""


class NotHad(Exception):
    """A peer could not be installed, and why."""


def rest_framework() -> Sequence[str]:
    """Raises NotHad."""
    folder, uv = CACHE / "django", Path(sys.executable).with_name("uv")
    python = folder / "bin/python"
    if not python.exists():
        _run([str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)])
    wanted = ["-r", str(SOURCES / "requirements.txt")]
    _run([str(uv), "pip", "install", "--quiet", "--python", str(python), *wanted])
    return [str(python), str(SOURCES / "rest_framework.py")]


def better_auth() -> Sequence[str]:
    """Raises NotHad."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NotHad("there is no Node.js here")
    folder = CACHE / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "better_auth.mjs"):
        shutil.copy(SOURCES / name, folder / name)
    if not (folder / "node_modules/@better-auth/api-key").is_dir():
        _run(["npm", "install", "--no-audit", "--no-fund", "--legacy-peer-deps", "--prefix", str(folder)])
    return ["node", str(folder / "better_auth.mjs")]


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NotHad(f"{Path(command[0]).name} failed: {type(failure).__name__}") from failure
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise NotHad(f"{Path(command[0]).name} failed: {last[:120]}")


PEERS: Sequence[tuple[str, Callable[[], Sequence[str]], float]] = (
    ("`djangorestframework-api-key` 3.1.0, SQLite in memory", rest_framework, 0.7),
    ("`@better-auth/api-key` 1.7.5, its fastest mode", better_auth, 0.5),
)
CACHED_TARGET = 0.1


def run(folder: Path) -> list[Section]:
    ours = [
        ("the authorizer, every key read anew", "authorize"),
        ("the authorizer, a key with a cache", "authorize_cached"),
    ]
    missing: list[str] = []
    with ExitStack() as running:
        takers = []
        for _, name in ours:
            subject = Subject(name)
            takers.append(running.enter_context(spoken_to(subject.command(), OPERATIONS, subject.environment(folder))))
        had = []
        for title, install, target in PEERS:
            try:
                takers.append(running.enter_context(spoken_to(install(), OPERATIONS)))
                had.append((title, target))
            except NotHad as reason:
                missing.append(f"{title} is not among them: {reason}.")
        for take in takers:
            take()
        figures = [Figure(values, "us") for values in take_turns(takers)]
    rows = []
    for (title, target), peer in zip(had, figures[2:], strict=True):
        rows.append(Row(title, peer, peer))
        rows.append(Row(ours[0][0], figures[0], peer, target))
        rows.append(Row(ours[1][0], figures[1], peer, CACHED_TARGET))
    return [Section("A verification beside other libraries", "\n".join([TEXT, *missing]), rows)]
