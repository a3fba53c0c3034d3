"""Removing an owner, with all that is below it: its keys, and an app's channels and integrations with theirs.

That can be more than one transaction holds, so it is done in steps, each of them whole. First the owner is marked as
leaving: from then on it is found by nobody and gets no more keys. Then its keys are deleted one by one, and last the
owner. A removal that broke off is taken up by the next, from where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from keywright import audit, lifecycle
from keywright.access import Principal
from keywright.model import (
    OWNER_NOT_FOUND,
    Channel,
    EventType,
    Integration,
    Owner,
    OwnerKind,
    OwnerRef,
    Platform,
)
from keywright.ports import Desk, OwnerAt, Record, RemoveOwner, SaveOwner


def remove(desk: Desk, caller: Principal, owner: OwnerRef, *, time_is_up: Callable[[], bool]) -> bool:
    """Whether all is gone; False means that `time_is_up` came first, and another call must follow.

    Raises OwnerNotFound of the owner's kind, Stale.
    """
    if (found := _read(desk, owner)) is None:
        raise OWNER_NOT_FOUND[owner.kind]
    return _remove(desk, caller, found, time_is_up)


def _remove(desk: Desk, caller: Principal, owner: Owner, time_is_up: Callable[[], bool]) -> bool:
    if not owner.leaving:
        leaving = owner.changed(desk.clock.now_ms(), leaving=True)
        desk.store.commit(SaveOwner(leaving, owner), _record(desk, caller, EventType.OWNER_LEAVING, owner))
        owner = leaving
    for below in _below(desk, owner):
        if time_is_up() or not _remove(desk, caller, below, time_is_up):
            return False
    while keys := desk.store.keys_of(owner.ref).items:
        for key in keys:
            if time_is_up():
                return False
            lifecycle.delete(desk, caller, key)
    desk.store.commit(RemoveOwner(owner), _record(desk, caller, EventType.OWNER_REMOVED, owner))
    return True


def _below(desk: Desk, owner: Owner) -> Iterator[Owner]:
    if owner.kind is not OwnerKind.APP:
        return
    for platform in Platform:
        channel = OwnerRef(owner.tenant, OwnerKind.CHANNEL, Channel.id_of(owner.id, platform))
        if (found := _read(desk, channel)) is not None:
            yield found
    prefix = Integration.id_of(owner.id, "")
    while integrations := desk.store.owners(owner.tenant, OwnerKind.INTEGRATION, prefix=prefix, leaving=True).items:
        yield from integrations


def _read(desk: Desk, owner: OwnerRef) -> Owner | None:
    ref = OwnerAt(owner, leaving=True)
    return desk.store.read(ref)[ref]


def _record(desk: Desk, caller: Principal, event: EventType, owner: Owner) -> Record:
    return audit.record(desk, caller, event, owner.ref, owner.id)
