"""The functions' clock, moved ahead: so that thirty days pass while somebody looks on.

Only for the stack on this machine: a deployed function has no such setting, and nothing of the bundle knows of it. What
moves is `time.time_ns`, which is what the bundle tells the time by; `time.time` stays, for by that the runtime counts
out an invocation's time, and calls to AWS are signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FARTHEST = 100 * 365 * 86_400
"""Seconds; beyond that, moments of a key's life would leave what a date can say."""


def read(offset_file: Path) -> int:
    """The seconds that stand in the file; 0 where there is none. Raises ValueError for anything else."""
    try:
        text = offset_file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return 0
    seconds = int(text)
    if abs(seconds) > FARTHEST:
        raise ValueError(f"{seconds} seconds are more than a hundred years")
    return seconds


def shifted(offset_file: Path, real_ns: Callable[[], int] = time.time_ns) -> Callable[[], int]:
    """A clock in nanoseconds that is ahead of `real_ns` by what stands in the file, looked up at each use. While it
    cannot be understood, because somebody is just writing it, the last offset holds."""
    offset_ns = 0

    def time_ns() -> int:
        nonlocal offset_ns
        with suppress(OSError, ValueError):
            offset_ns = read(offset_file) * 1_000_000_000
        return real_ns() + offset_ns

    return time_ns


def shift(offset_file: Path) -> None:
    """Moves the clock of this process, for good."""
    time.time_ns = shifted(offset_file)
