"""The App API key that a path names, and whoever asks: looked at in the vendor's order."""

from __future__ import annotations

from dataclasses import dataclass

from keywright import errors, lifecycle
from keywright.access import Principal
from keywright.dialects.voltmx import credentials, wire
from keywright.edge import Caller, Request
from keywright.model import PUBLISHED, Grant, Key, KeyKind, Owner
from keywright.ports import Desk, KeyRef, OwnerAt, TokenRef
from keywright.verification import Presented


@dataclass(frozen=True, slots=True)
class Named:
    """A key that the caller may act on, and its token in the one spelling that was given out."""

    key: Key
    token: str


@dataclass(frozen=True, slots=True)
class Change:
    """The same, and what is to become of it. An expired key is not modified but regenerated."""

    named: Named
    sent: wire.Fields
    regenerates: bool


def in_path(request: Request) -> tuple[TokenRef, ...]:
    """What must be read to know the key; nothing where no key is spelled so."""
    return Presented.token(request.path_parameters["appKey"]).refs


def named(desk: Desk, request: Request, caller: Caller) -> Named:
    """Raises what refuses the caller, then KeyNotFound, NotPublished."""
    search = _Search(desk, request, caller)
    credentials.admit(caller.principal, search.caller)
    return search.named()


def to_change(desk: Desk, request: Request, caller: Caller) -> Change:
    """Raises what refuses the caller, then FieldMissing and what makes a form unreadable, KeyNotFound, NotPublished.

    Then FieldMissing once more, for what only the key tells to be required: the expiry of one that has expired, and of
    one that is told not to live for ever any longer.
    """
    search = _Search(desk, request, caller)
    credentials.admit(caller.principal, search.caller)
    sent = wire.form(request, may_be_empty=("description",))
    wire.demand_any_change(sent)
    found = search.named()
    has_expired = found.key.has_expired(desk.clock.now_ms())
    if has_expired or (found.key.expires_at_ms is None and "neverExpires" in sent):
        wire.demand_expiry(sent)
    return Change(found, sent, has_expired)


class _Search:
    """One read of whoever asks and of the key, whose token was read together with the caller's."""

    def __init__(self, desk: Desk, request: Request, caller: Caller) -> None:
        self._principal, self._spelling = caller.principal, request.path_parameters["appKey"]
        grant = next((caller.reading[ref] for ref in in_path(request)), None)
        keys = [KeyRef(grant.key_id)] if grant is not None and _is_within_reach(grant, caller.principal) else []
        owner = OwnerAt(caller.principal.owner)
        reading = desk.store.read(owner, *keys)
        self.caller: Owner | None = reading[owner]
        self._key = reading[keys[0]] if keys else None

    def named(self) -> Named:
        """Another tenant's key, and what is another application's when an application asks, raise the same KeyNotFound
        as what is no key at all; then NotPublished, where the application that asks is not."""
        key = lifecycle.own(self._principal, self._key)
        if key.revoked_at_ms is not None:
            raise errors.KeyNotFound
        if credentials.is_application(self._principal) and self.caller is not None:
            PUBLISHED.check(self.caller)
        return Named(key, self._spelling.lower())


def _is_within_reach(grant: Grant, caller: Principal) -> bool:
    if grant.kind is not KeyKind.APP_API_KEY or grant.owner.tenant != caller.tenant:
        return False
    return not credentials.is_application(caller) or grant.owner == caller.owner
