"""What this process keeps of the tokens that it read, where a key's owner has allowed it: see `Key.cache_seconds`."""

from __future__ import annotations

from typing import Final

from keywright.grants import Grant
from keywright.recent import Recent

LONGEST_CACHE_SECONDS: Final = 60


class GrantCache:
    """Grants by the digests of their tokens, each for as long as its own key says, from the moment before it was read:
    so a change of the key is believed in by then at the latest, counted from when the change was answered."""

    def __init__(self) -> None:
        self._kept: Recent[str, tuple[int, Grant]] = Recent()

    def find(self, digest: str, now_ms: int) -> Grant | None:
        found = self._kept.find(digest)
        if found is None:
            return None
        read_at_ms, grant = found
        if read_at_ms <= now_ms < read_at_ms + grant.cache_seconds * 1000:
            return grant
        self._kept.forget(digest)
        return None

    def keep(self, digest: str, grant: Grant, read_at_ms: int) -> None:
        """`read_at_ms` is no later than the reading began. A key that allows nothing is not kept."""
        if grant.cache_seconds <= 0:
            self._kept.forget(digest)
        else:
            self._kept.remember(digest, (read_at_ms, grant))
