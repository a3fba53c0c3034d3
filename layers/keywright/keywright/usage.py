"""Uses of a key: from where and by what, and the note of the last one, which nobody waits for."""

from __future__ import annotations

import logging
import queue
import threading
from typing import Final, NamedTuple, Protocol

from keywright.recent import Recent

LONGEST_AGENT: Final = 120
"""Characters of a user agent that are noted; the rest is cut off."""
INTERVAL_MS: Final = 3_600_000
_MOST_WAITING: Final = 100
_AFTER_A_FAILURE_MS: Final = 60_000

logger: Final = logging.getLogger(__name__)


class Use(NamedTuple):
    """How a credential is used: from which address, by what, and at what cost under its limits.

    `address` is the end caller's, None where nobody said. A use that costs nothing is a look: it is neither counted nor
    noted.
    """

    address: str | None = None
    user_agent: str = ""
    cost: int = 1


class LastUse(NamedTuple):
    """When a version of a key was used last, as far as it was noted."""

    at_ms: int
    address: str = ""
    user_agent: str = ""

    @classmethod
    def of(cls, use: Use, at_ms: int) -> LastUse:
        agent = use.user_agent[:LONGEST_AGENT]
        if not agent.isprintable():
            agent = "".join(each if each.isprintable() else "?" for each in agent)
        return cls(at_ms, use.address or "", agent)


class Notebook(Protocol):
    """Where last uses are kept: a `KeyStore`."""

    def note_use(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None: ...


class UseNotes:
    """Notes last uses, at most one for each version and interval, on a thread of its own.

    Whoever used a key neither waits for its note nor hears of its failure. What this process noted it remembers, and
    asks the store for nothing within the interval; that two processes do not note twice is a condition of the write.
    A note that failed is tried again with a use a minute later; one that finds too many waiting is left out.
    """

    def __init__(self, notebook: Notebook, interval_ms: int = INTERVAL_MS) -> None:
        self._notebook = notebook
        self._interval_ms = interval_ms
        self._noted: Recent[tuple[str, int], int] = Recent()
        self._waiting: queue.Queue[tuple[str, int, LastUse]] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, key_id: str, version: int, use: LastUse) -> None:
        """Returns at once, and raises nothing."""
        which = key_id, version
        with self._lock:
            noted_at_ms = self._noted.find(which)
            if noted_at_ms is not None and noted_at_ms <= use.at_ms < noted_at_ms + self._interval_ms:
                return
            try:
                self._waiting.put_nowait((key_id, version, use))
            except queue.Full:
                return
            self._noted.remember(which, use.at_ms)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="use-notes", daemon=True)
                self._thread.start()

    def settle(self) -> None:
        """Waits until nothing is waiting: for whoever wants to see what was noted."""
        self._waiting.join()

    def _work(self) -> None:
        while True:
            key_id, version, use = self._waiting.get()
            try:
                self._notebook.note_use(key_id, version, use, unless_since_ms=use.at_ms - self._interval_ms)
            except Exception as failure:  # noqa: BLE001  nobody is there who could be told, and the next use comes
                logger.warning("a use was not noted: %s", type(failure).__name__)
                with self._lock:  # after `note`, which may not have remembered the use yet
                    self._noted.remember((key_id, version), use.at_ms - self._interval_ms + _AFTER_A_FAILURE_MS)
            finally:
                self._waiting.task_done()


class Notes(Protocol):
    def note(self, key_id: str, version: int, use: LastUse) -> None:
        """Sees to it that the use is noted, at some time, if it is time for a note; returns at once."""


class NoNotes:
    """Where nobody wants to know."""

    def note(self, key_id: str, version: int, use: LastUse) -> None:
        return


NO_NOTES: Final = NoNotes()
