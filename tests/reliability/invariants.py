"""What holds of the table whatever was done to it, by whom, and however that ended.

| | |
| - | --- |
| a | the live versions of a key are one; two during an overlap; as many as its kind keeps where they stand alone |
| b | version numbers run without a gap, and none was given twice |
| c | a token's row says what its key says, each has its key, and each key has them all; so has the list |
| d | the counter of an owner's keys is the number of those that take a place, and not above the limit |
| e | a change of a key and its event are one transaction |
| f | a kept answer names versions that exist |
| g | no secret lies there in clear |
| h | a ciphertext opens under its own context and under no other |
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from keywright import errors
from keywright.adapters import dynamodb
from keywright.adapters.items import build, plain_item
from keywright.model import RULES, EventType, Grant, Key, KeyKind, OwnerKind, OwnerRef
from keywright.ports import KeptAnswer, SealedSecret, SecretVault
from tests.quick_table import Address, Item
from tests.reliability.stand_ins import Commit

_GIVES_A_VERSION: Final = frozenset({EventType.KEY_ISSUED, EventType.VERSION_ISSUED, EventType.KEY_ROTATED})
_ABOUT_BUT_NO_CHANGE: Final = frozenset(
    {
        EventType.KEY_REVEALED,
        EventType.KEY_REFUSED,
        EventType.WARNING_NOT_MAILED,
        EventType.LINK_CREATED,
        EventType.LINK_OPENED,
        EventType.LINK_REVOKED,
    }
)
_TELLS_OF_A_KEY: Final = tuple(
    event
    for event in EventType
    if event.startswith(("key_", "version_", "rotation_")) and event not in _ABOUT_BUT_NO_CHANGE
)
_US: Final = "\x1f"


class Inspector:
    """Says what is wrong with a table, each finding beginning with its letter. What it has decoded it remembers, as
    runs share most of their items; an item that is seen must not be changed in place."""

    def __init__(self, vault: SecretVault | None = None) -> None:
        self._vault = vault
        self._known: dict[int, tuple[Item, Any]] = {}
        self._opened: set[SealedSecret] = set()
        self._searched: dict[int, Item] = {}

    def violations(
        self,
        items: Mapping[Address, Item],
        now_ms: int,
        *,
        secrets: Iterable[str] = (),
        commits: Iterable[Commit] = (),
    ) -> list[str]:
        keys = {
            key.id: key
            for (pk, _), item in items.items()
            if pk.startswith("KEY#") and "purged_at_ms" not in item and (key := self._built(Key, item))
        }
        return [
            *(finding for key in keys.values() for finding in _versions(key, now_ms)),
            *self._numbers(items, keys),
            *self._tokens(items, keys),
            *self._listed(items, keys),
            *_counters(items, keys),
            *(finding for commit in commits for finding in _told(commit)),
            *self._answers(items, keys),
            *self._in_clear(items, [*secrets]),
            *(finding for key in keys.values() for finding in self._sealed(key)),
        ]

    def _built(self, cls: type, item: Item) -> Any:
        known = self._known.get(id(item))
        if known is None or known[0] is not item:
            known = self._known[id(item)] = item, build(cls, plain_item(item))
        return known[1]

    def forget(self, kept: Mapping[Address, Item]) -> None:
        """All but what is still there: memory is no cleverer than that."""
        ids = set(map(id, kept.values()))
        self._known = {each: known for each, known in self._known.items() if each in ids}
        self._searched = {each: item for each, item in self._searched.items() if each in ids}

    def _numbers(self, items: Mapping[Address, Item], keys: Mapping[str, Key]) -> Iterable[str]:
        given: dict[str, list[int]] = {}
        for (pk, _), item in items.items():
            if pk.startswith("EVENTS#") and item["type"]["S"] in _GIVES_A_VERSION:
                given.setdefault(item["subject"]["S"], []).append(int(item["version"]["N"]))
        for key_id, those in given.items():
            if (key := keys.get(key_id)) is None:
                continue
            numbers = sorted(those)
            if numbers != [*range(numbers[0], numbers[0] + len(numbers))]:
                yield f"b: {key_id} was given the versions {numbers}"
            if numbers[-1] != key.last_version:
                yield f"b: {key_id} counts {key.last_version} versions, and was given {numbers}"

    def _tokens(self, items: Mapping[Address, Item], keys: Mapping[str, Key]) -> Iterable[str]:
        expected = {
            version.digest: (key, version)
            for key in keys.values()
            if key.deleted_at_ms is None
            for version in key.versions
        }
        found = {pk.removeprefix("TOKEN#"): item for (pk, _), item in items.items() if pk.startswith("TOKEN#")}
        for digest, item in found.items():
            grant = self._built(Grant, item)
            if digest not in expected:
                yield f"c: a token of {grant.key_id} has no live version"
            elif grant != Grant.of(*expected[digest]):
                yield f"c: a token of {grant.key_id} says something else than its key"
        for digest in expected.keys() - found.keys():
            yield f"c: version {expected[digest][1].number} of {expected[digest][0].id} has no token"

    def _listed(self, items: Mapping[Address, Item], keys: Mapping[str, Key]) -> Iterable[str]:
        for key in keys.values():
            if key.deleted_at_ms is not None:
                address = dynamodb._deleted_address(key)
            elif key.rules.single and not key.is_standing:
                continue  # its place may be its successor's
            else:
                address = dynamodb._list_address(key)
            if (item := items.get(address)) is None:
                yield f"c: {key.id} is in no list"
            elif self._built(Key, item) != key:
                yield f"c: the list shows another {key.id}"
        for (pk, sk), item in items.items():
            if (pk.startswith("KEYS#") or (pk.startswith("OWNERS#") and _US in sk)) and item["id"]["S"] not in keys:
                yield f"c: the list shows {item['id']['S']}, which is not there"

    def _answers(self, items: Mapping[Address, Item], keys: Mapping[str, Key]) -> Iterable[str]:
        for (pk, _), item in items.items():
            if pk.startswith("IDEMPOTENCY#"):
                for each in self._built(KeptAnswer, item).secrets:
                    key = keys.get(each.sealed.key_id)
                    if each.owner is not None and (key is None or each.sealed.version > key.last_version):
                        yield f"f: an answer names version {each.sealed.version} of {each.sealed.key_id}"

    def _in_clear(self, items: Mapping[Address, Item], secrets: Sequence[str]) -> Iterable[str]:
        spellings = [
            spelling
            for secret in secrets
            for spelling in (secret, base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex())
        ]
        new = [(address, item) for address, item in items.items() if id(item) not in self._searched]
        self._searched.update((id(item), item) for _, item in new)
        text = repr(new)
        yield from (f"g: {spelling[:6]}... lies in clear" for spelling in spellings if spelling in text)

    def _sealed(self, key: Key) -> Iterable[str]:
        if self._vault is None:
            return
        for version in key.versions:
            sealed = SealedSecret.of(key, version)
            if sealed in self._opened or not sealed.ciphertext:
                continue
            self._opened.add(sealed)
            (token,) = self._vault.reveal([sealed])
            if token.digest != version.digest:
                yield f"h: version {version.number} of {key.id} holds the secret of another"
            for other in (
                replace(sealed, version=version.number + 1),
                replace(sealed, tenant=f"{key.tenant}-"),
                replace(sealed, key_id=f"{key.id}0"),
            ):
                try:
                    self._vault.reveal([other])
                except (errors.Fault, errors.Unavailable):
                    continue
                yield f"h: version {version.number} of {key.id} opens under another context"


def _versions(key: Key, now_ms: int) -> Iterable[str]:
    numbers = [version.number for version in key.versions]
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] > key.last_version):
        yield f"b: {key.id} has the versions {numbers} of {key.last_version}"
    if not key.is_standing:
        return
    working = key.working(now_ms)
    if key.rules.versions_stand_alone:
        if len(working) > key.rules.versions_kept:
            yield f"a: {len(working)} versions of {key.id} are live"
    elif [version.retires_at_ms is None for version in working] not in ([True], [False, True]):
        yield f"a: {len(working)} versions of {key.id} are live"


def _counters(items: Mapping[Address, Item], keys: Mapping[str, Key]) -> Iterable[str]:
    places = Counter((key.owner, key.kind) for key in keys.values() if key.takes_a_place)
    counted: dict[tuple[OwnerRef, KeyKind], int] = {}
    for (pk, sk), item in items.items():
        if not pk.startswith("OWNERS#") or _US in sk or pk.endswith("#names"):
            continue
        tenant, _, kind = pk.removeprefix("OWNERS#").rpartition("#")
        for name, value in item.items():
            if name.startswith("live_"):
                owner = OwnerRef(tenant, OwnerKind(kind), sk)
                counted[owner, KeyKind(name.removeprefix("live_"))] = int(value["N"])
    for which in places.keys() | counted.keys():
        owner, kind = which
        if counted.get(which, 0) != places[which]:
            yield f"d: {counted.get(which, 0)} {kind}s of {owner.id} are counted, and {places[which]} are live"
        if (limit := RULES[kind].limit) is not None and places[which] > limit:
            yield f"d: {places[which]} {kind}s of {owner.id} are live, and {limit} are allowed"


def _told(commit: Commit) -> Iterable[str]:
    if any(kind == EventType.TENANT_CREATED for kind, _ in commit.events):
        return  # its first operator and that one's key are born with it, and are one change
    changed, told = set(commit.keys), {subject for kind, subject in commit.events if kind in _TELLS_OF_A_KEY}
    yield from (f"e: {key_id} was changed, and nothing told of it" for key_id in changed - told)
    yield from (f"e: a change of {key_id} was told of that did not come" for key_id in told - changed)
