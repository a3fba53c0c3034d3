"""What must be true of keys, kept in dicts beside the bundle: every surface has to say the same as this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from keywright.model import Key, KeyKind

DAY_MS: Final = 86_400_000
SINGLE: Final = frozenset({KeyKind.ANDROID_ACCESS_KEY, KeyKind.REP_KEY})
PLACES: Final[Mapping[KeyKind, int]] = {
    KeyKind.APP_SECRET: 10,
    KeyKind.INTEGRATION_SECRET: 10,
    KeyKind.APP_API_KEY: 100,
}
DEPENDS_ON_OWNER: Final = frozenset({KeyKind.ANDROID_ACCESS_KEY, KeyKind.REP_KEY, KeyKind.APP_API_KEY})
KEEPS_ITS_PLACE: Final = KeyKind.APP_API_KEY
"""Once it has expired, too."""
Owner = tuple[str, str, str]
"""Tenant, kind and id."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A key. `working` are its versions that are not over, `until` when a former one will be, `off` those switched off;
    `marked` tells that the sweep has seen its expiry."""

    id: str
    kind: KeyKind
    owner: Owner
    working: tuple[int, ...] = (1,)
    last: int = 1
    until: tuple[tuple[int, int], ...] = ()
    off: frozenset[int] = frozenset()
    enabled: bool = True
    expires: int | None = None
    marked: bool = False
    revoked: bool = False
    deleted: bool = False

    @classmethod
    def seen(cls, key: Key, now_ms: int) -> Self:
        """The stored key, as one of these."""
        working = key.working(now_ms)
        return cls(
            key.id,
            key.kind,
            (key.owner.tenant, key.owner.kind.value, key.owner.id),
            tuple(version.number for version in working),
            key.last_version,
            tuple((version.number, version.retires_at_ms) for version in working if version.retires_at_ms is not None),
            frozenset(version.number for version in working if not version.enabled),
            key.enabled,
            key.expires_at_ms,
            key.expiry_marked_at_ms is not None,
            key.revoked_at_ms is not None,
            key.deleted_at_ms is not None,
        )

    def at(self, now_ms: int) -> Kept:
        """Without the versions whose time is over by then."""
        over = {number for number, until in self.until if until <= now_ms}
        if not over:
            return self
        working = tuple(number for number in self.working if number not in over)
        until = tuple(each for each in self.until if each[0] not in over)
        return replace(self, working=working, until=until, off=self.off - over)

    def has_expired(self, now_ms: int) -> bool:
        return self.expires is not None and self.expires <= now_ms

    @property
    def stands(self) -> bool:
        return not (self.revoked or self.deleted)

    @property
    def takes_a_place(self) -> bool:
        return self.kind in PLACES and self.stands and (not self.marked or self.kind is KEEPS_ITS_PLACE)

    def state(self, now_ms: int) -> str:
        if self.deleted:
            return "deleted"
        if self.revoked:
            return "revoked"
        if not self.enabled:
            return "disabled"
        return "expired" if self.has_expired(now_ms) else "active"

    def next_version(self, *, keep: int = 0, retires_at_ms: int | None = None) -> Kept:
        """With another secret: beside it stay the `keep` newest, or the newest until it retires, or none."""
        former = self.working[len(self.working) - keep :] if keep else ()
        until: tuple[tuple[int, int], ...] = ()
        if retires_at_ms is not None:
            former, until = self.working[-1:], ((self.working[-1], retires_at_ms),)
        number = self.last + 1
        return replace(self, working=(*former, number), last=number, until=until, off=self.off & set(former))


@dataclass(slots=True)
class Ledger:
    """All keys that the proof knows, the tokens that somebody was given, by key and version, who holds the place of a
    kind of which an owner has one, and which owners are not what their keys need."""

    keys: dict[str, Kept] = field(default_factory=dict)
    tokens: dict[tuple[str, int], str] = field(default_factory=dict)
    holder: dict[Owner, str] = field(default_factory=dict)
    not_eligible: set[Owner] = field(default_factory=set)

    def put(self, key: Kept) -> None:
        if key.kind in SINGLE:
            before = self.keys.get(key.id)
            if before is None or (before.deleted and not key.deleted and self._place_is_free(key)):
                self.holder[key.owner] = key.id
            elif key.deleted and self.holder.get(key.owner) == key.id:
                del self.holder[key.owner]
        self.keys[key.id] = key

    def _place_is_free(self, key: Kept) -> bool:
        holder = self.keys.get(self.holder.get(key.owner, ""))
        return holder is None or (holder.revoked and not key.revoked)

    def living(self, owner: Owner) -> Kept | None:
        """The one key of an owner that has one, unless that is revoked."""
        holder = self.keys.get(self.holder.get(owner, ""))
        return None if holder is None or holder.revoked else holder

    def has_room(self, owner: Owner, kind: KeyKind) -> bool:
        taken = sum(key.takes_a_place for key in self.keys.values() if (key.owner, key.kind) == (owner, kind))
        return kind not in PLACES or taken < PLACES[kind]

    def verdict(self, key_id: str, version: int, now_ms: int) -> str:
        """ "good", or why it is not."""
        key = self.keys[key_id].at(now_ms)
        if key.deleted or version not in key.working:
            return "unknown"
        if key.revoked:
            return "revoked"
        if not key.enabled or version in key.off:
            return "disabled"
        if key.has_expired(now_ms):
            return "expired"
        return "owner_not_eligible" if key.kind in DEPENDS_ON_OWNER and key.owner in self.not_eligible else "good"

    def listed(self, owner: Owner) -> Iterable[Kept]:
        """What the native listing of an owner shows."""
        return (
            key
            for key in self.keys.values()
            if key.owner == owner and not key.deleted and (key.kind not in SINGLE or self.holder.get(owner) == key.id)
        )

    def swept(self, now_ms: int) -> None:
        for key in [*self.keys.values()]:
            if key.stands and key.has_expired(now_ms):
                self.keys[key.id] = replace(key, marked=True)
