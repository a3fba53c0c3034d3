"""Issuing: a new key for an owner, or the next version of the key it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import EllipsisType

from keywright import audit, errors, tokens
from keywright.access import Principal, contain
from keywright.limits import Quota, RateLimit
from keywright.model import (
    RULES,
    Creator,
    EventType,
    Key,
    KeyKind,
    OwnerRef,
    Version,
)
from keywright.ports import Desk, Record, Require, SaveKey, Stale, Write
from keywright.tokens import Token

LONGEST_DESCRIPTION = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be issued. `expires_at_ms` None means never; for `transient` see `Key`."""

    kind: KeyKind
    owner: OwnerRef
    description: str = ""
    scopes: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    pairing_digest: str | None = None
    external_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed_cidrs: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    quota: Quota | None = None
    cache_seconds: int = 0
    transient: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and the token of its newest version, in the clear for the one answer that shows it."""

    key: Key
    token: Token


def issue(
    desk: Desk,
    caller: Principal,
    order: Order,
    *,
    creator: Creator | None = None,
    also: Callable[[Key], tuple[Write, ...]] = lambda _: (),
) -> Issued:
    """A new key. `also` gives what belongs to the same change.

    Raises FieldInvalid (a kind of key that the owner cannot have, an expiry that is past), ScopeMissing (more scopes
    than the caller has), and what the kind requires of its owner: OwnerNotFound, OwnerNotEligible, KeyExists,
    LimitReached. One seal and one transaction.
    """
    if order.owner.tenant != caller.tenant:
        raise ValueError("an order is for the caller's own tenant")
    contain(caller.scopes, order.scopes)
    draft, token = draft_key(desk, order, creator or caller.creator())
    key = sealed(desk, draft, token)
    desk.store.commit(*placement(key), record(desk, caller, EventType.KEY_ISSUED, key), *also(key))
    return Issued(key, token)


def draft_key(desk: Desk, order: Order, creator: Creator, *, now_ms: int | None = None) -> tuple[Key, Token]:
    """A new key whose only version is not sealed yet, with its token. `now_ms` is the moment of a greater change that
    it is part of. Raises FieldInvalid."""
    now_ms, rules = desk.clock.now_ms() if now_ms is None else now_ms, RULES[order.kind]
    if order.owner.kind not in rules.owners:
        kinds = (kind for kind, rules in RULES.items() if order.owner.kind in rules.owners)
        raise errors.FieldInvalid(field="kind", detail=f"Of this owner it is one of: {', '.join(kinds)}.")
    if order.expires_at_ms is not None and order.expires_at_ms <= now_ms:
        raise errors.FieldInvalid(field="expires_at", detail="It must be in the future.")
    if order.transient and rules.limit is not None:
        raise ValueError("what the store forgets by itself gives no place back")
    token = tokens.generate(rules.format, stage=desk.stage)
    key = Key(
        id=tokens.new_id(rules.id_prefix),
        kind=order.kind,
        owner=order.owner,
        creator=creator,
        created_at_ms=now_ms,
        modified_at_ms=now_ms,
        versions=(draft_version(token, 1, creator, now_ms),),
        last_version=1,
        description=order.description,
        scopes=order.scopes,
        expires_at_ms=order.expires_at_ms,
        pairing_digest=order.pairing_digest,
        external_id=order.external_id,
        metadata=order.metadata,
        allowed_cidrs=order.allowed_cidrs,
        rate_limit=order.rate_limit,
        quota=order.quota,
        cache_seconds=order.cache_seconds,
        transient=order.transient,
    )
    return key, token


def issue_version(
    desk: Desk,
    caller: Principal,
    key: Key,
    *,
    creator: Creator,
    expires_at_ms: int | EllipsisType | None = ...,
    also: Callable[[Key], tuple[Write, ...]] = lambda _: (),
) -> Issued:
    """The next version of a key; the oldest makes room where the kind's rules say so.

    A revoked key stays so: the version is then the first of its successor, and its number the next all the same.
    The key's expiry stays as well, unless another is given. `also` gives what belongs to the same change.

    Raises FieldInvalid (an expiry that is past), Stale where `key` is no longer current, and what the further writes
    raise. One seal and one transaction.
    """
    now_ms = desk.clock.now_ms()
    if isinstance(expires_at_ms, int) and expires_at_ms <= now_ms:
        raise errors.FieldInvalid(field="expires_at", detail="It must be in the future.")
    revoked = key.revoked_at_ms is not None
    if revoked and not key.rules.single:
        raise ValueError("a successor takes the place of a single key, and counts towards no limit")
    current = key.successor(tokens.new_id(key.rules.id_prefix), creator, now_ms) if revoked else key
    token = tokens.generate(key.rules.format, stage=desk.stage)
    following = current.with_version(draft_version(token, key.last_version + 1, creator, now_ms), now_ms)
    if expires_at_ms is not ...:
        following = following.amended(now_ms, description=current.description, expires_at_ms=expires_at_ms)
    following = sealed(desk, following, token)
    save = SaveKey(following, before=None if revoked else key)
    try:
        desk.store.commit(*also(following), save, record(desk, caller, EventType.VERSION_ISSUED, following))
    except errors.KeyExists as succeeded:
        raise Stale from succeeded
    return Issued(following, token)


def sealed(desk: Desk, key: Key, token: Token) -> Key:
    """The key with its newest version sealed."""
    version = key.newest
    ciphertext = desk.vault.seal(token, tenant=key.tenant, key_id=key.id, version=version.number)
    return replace(key, versions=(*key.versions[:-1], replace(version, sealed=ciphertext)))


def placement(key: Key) -> tuple[Write, ...]:
    """The writes that put a new key under an existing owner."""
    return Require(key.owner, key.issue_requires, count=key.kind if key.takes_a_place else None), SaveKey(key)


def record(
    desk: Desk,
    caller: Principal,
    event: EventType,
    key: Key,
    *,
    reason: str = "",
    version: int | None = None,
    link_id: str = "",
) -> Record:
    more = {"reason": reason, "version": version or key.last_version, "link_id": link_id}
    return audit.record(desk, caller, event, key.owner, key.id, **more)


def draft_version(token: Token, number: int, creator: Creator, now_ms: int) -> Version:
    """A version that is not sealed yet."""
    return Version(
        number=number,
        digest=token.digest,
        sealed=b"",
        serial=tokens.new_serial(),
        created_at_ms=now_ms,
        creator=creator,
    )
