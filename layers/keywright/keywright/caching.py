"""What this process keeps of the tokens that it read, where a key's owner has allowed it: see `Key.cache_seconds`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from keywright.model import Grant

LONGEST_CACHE_SECONDS: Final = 60
_MOST: Final = 10_000


class GrantCache:
    """Grants by the digests of their tokens, each for as long as its own key says, from the moment before it was read:
    so a change of the key is believed in by then at the latest, counted from when the change was answered."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, Grant]] = OrderedDict()

    def find(self, digest: str, now_ms: int) -> Grant | None:
        found = self._kept.get(digest)
        if found is None:
            return None
        read_at_ms, grant = found
        if read_at_ms <= now_ms < read_at_ms + grant.cache_seconds * 1000:
            return grant
        self._kept.pop(digest, None)
        return None

    def keep(self, digest: str, grant: Grant, read_at_ms: int) -> None:
        """`read_at_ms` is no later than the reading began. A key that allows nothing is not kept."""
        if grant.cache_seconds <= 0:
            self._kept.pop(digest, None)
            return
        self._kept[digest] = read_at_ms, grant
        self._kept.move_to_end(digest)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
