"""The keys of an app or of a custom integration, as this dialect has them: the same deeds for both."""

from __future__ import annotations

from collections.abc import Iterable

from keywright import audit, issuing
from keywright.access import Principal
from keywright.audit import Stored
from keywright.dialects.sunshine import paths, wire
from keywright.issuing import Order
from keywright.model import App, Integration, Key
from keywright.ports import Desk


def create(desk: Desk, caller: Principal, owner: App | Integration, body: wire.CreateKey) -> wire.KeyResponse:
    """Raises LimitReached, and what the owner no longer is by the time of the write."""
    order = Order(kind=paths.KINDS[owner.kind], owner=owner.ref, description=body.display_name)
    issued = issuing.issue(desk, caller, order)
    return wire.KeyResponse(key=wire.KeyWithSecret.of(issued.key, issued.token))


def all_of(desk: Desk, caller: Principal, owner: App | Integration) -> wire.KeyListResponse:
    """Oldest first, each with its secret. Revoked keys stay in the store's list, so it may have several pages."""
    found: list[Key] = []
    after = None
    while True:
        page = desk.store.keys_of(owner.ref, paths.KINDS[owner.kind], after=after)
        found += filter(paths.is_listed, page.items)
        if (after := page.next) is None:
            return wire.KeyListResponse(keys=shown(desk, caller, found))


def one(desk: Desk, caller: Principal, key: Key) -> wire.KeyResponse:
    [view] = shown(desk, caller, [key])
    return wire.KeyResponse(key=view)


def shown(desk: Desk, caller: Principal, keys: Iterable[Key]) -> list[wire.KeyWithSecret]:
    keys = list(keys)
    tokens = audit.reveal(desk, caller, (Stored.of(key, key.newest) for key in keys))
    return [wire.KeyWithSecret.of(key, token) for key, token in zip(keys, tokens, strict=True)]
