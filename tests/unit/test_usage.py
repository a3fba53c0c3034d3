from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from keywright import errors
from keywright.usage import LONGEST_AGENT, LastUse, Use, UseNotes

NOW = 1_790_000_000_000
HOUR = 3_600_000


class Notebook:
    """Remembers what it was told; `meanwhile` happens before."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.told: list[tuple[str, int, LastUse, int]] = []
        self._meanwhile = meanwhile

    def note_use(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None:
        self._meanwhile()
        self.told.append((key_id, version, use, unless_since_ms))


def test_a_use_is_noted_once_an_interval_for_each_version() -> None:
    book = Notebook()
    notes = UseNotes(book, HOUR)
    for at_ms in (NOW, NOW + 1, NOW + HOUR - 1, NOW + HOUR, NOW + HOUR + 1):
        notes.note("key_1", 1, LastUse(at_ms))
    notes.note("key_1", 2, LastUse(NOW))
    notes.note("key_2", 1, LastUse(NOW))
    notes.settle()
    assert book.told == [
        ("key_1", 1, LastUse(NOW), NOW - HOUR),
        ("key_1", 1, LastUse(NOW + HOUR), NOW),
        ("key_1", 2, LastUse(NOW), NOW - HOUR),
        ("key_2", 1, LastUse(NOW), NOW - HOUR),
    ]


def test_whoever_used_a_key_does_not_wait_for_the_note() -> None:
    hold = threading.Event()
    book = Notebook(hold.wait)
    notes = UseNotes(book, HOUR)
    notes.note("key_1", 1, LastUse(NOW))
    assert book.told == []
    hold.set()
    notes.settle()
    assert len(book.told) == 1


def test_a_note_that_fails_is_tried_again_a_minute_later_and_tells_nobody_but_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise errors.Unavailable

    book = Notebook(fail)
    notes, tried = UseNotes(book, HOUR), []
    for at_ms in (NOW, NOW + 1, NOW + 59_999, NOW + 60_000):
        before = len(caplog.records)
        notes.note("key_1", 1, LastUse(at_ms, "203.0.113.7", "agent"))
        notes.settle()
        tried.append(len(caplog.records) - before)
    assert tried == [1, 0, 0, 1]
    assert {record.getMessage() for record in caplog.records} == {"a use was not noted: Unavailable"}


def test_while_too_many_wait_a_note_is_left_out_and_may_come_later() -> None:
    hold = threading.Event()
    book = Notebook(hold.wait)
    notes = UseNotes(book, HOUR)
    for n in range(300):
        notes.note(f"key_{n}", 1, LastUse(NOW))
    hold.set()
    notes.settle()
    assert 100 <= len(book.told) <= 101
    notes.note("key_299", 1, LastUse(NOW + 1))
    notes.settle()
    assert book.told[-1][:3] == ("key_299", 1, LastUse(NOW + 1))


def test_of_a_users_agent_only_what_can_be_printed_is_kept_and_not_too_much() -> None:
    use = LastUse.of(Use("203.0.113.7", "curl\r\n\x1b" + "é" * 500), NOW)
    assert use == LastUse(NOW, "203.0.113.7", "curl???" + "é" * (LONGEST_AGENT - 7))
    assert LastUse.of(Use(), NOW) == LastUse(NOW, "", "")
