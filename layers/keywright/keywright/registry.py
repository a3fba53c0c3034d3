"""The registry: tenants, and the owners that keys are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from keywright import audit, errors, lifecycle, tokens
from keywright.access import BEYOND_THE_TENANT, Principal
from keywright.audit import Stored
from keywright.issuing import Issued, Order, draft_key, record, sealed
from keywright.model import (
    OWNER_NOT_FOUND,
    App,
    Channel,
    Creator,
    EventType,
    Integration,
    Key,
    KeyKind,
    KeyState,
    Operator,
    Owner,
    OwnerKind,
    OwnerRef,
    Platform,
    Sealed,
    SupportRep,
    Tenant,
)
from keywright.ports import (
    Desk,
    OwnerAt,
    Record,
    Require,
    RequireNoKey,
    SaveKey,
    SaveOwner,
    SaveTenant,
    SealedSecret,
    SingleKeyRef,
    Write,
)
from keywright.tokens import Format, Token

OwnerT = TypeVar("OwnerT", bound=Owner)

ACCESS_KEY_KINDS = {Platform.ANDROID: KeyKind.ANDROID_ACCESS_KEY, Platform.IOS: KeyKind.IOS_ACCESS_KEY}
TENANT_SCOPES = ("*",)
"""What the first operator of a tenant may do: everything within it, and nothing beyond."""
INSTALLATION_SCOPES = ("*", f"{BEYOND_THE_TENANT}:*")
"""What the very first operator may do: that, and open tenants."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A tenant with its first operator's key."""

    tenant: Tenant
    operator: Operator
    issued: Issued


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """A channel, its key with version 1, and the app with the half that its channels share."""

    channel: Channel
    app: App
    key: Key
    token: Token
    pairing: Token


def open_tenant(
    desk: Desk, *, tenant_id: str, name: str, operator_name: str, email: str, actor: str, scopes: tuple[str, ...]
) -> Opened:
    """A tenant, its first operator and that operator's key, in one transaction. Raises TenantExists."""
    now_ms = desk.clock.now_ms()
    tenant = Tenant(tenant_id, name, now_ms)
    operator = Operator(
        tenant=tenant_id,
        id=tokens.new_number(),
        name=operator_name,
        email=email,
        created_at_ms=now_ms,
        modified_at_ms=now_ms,
    )
    order = Order(kind=KeyKind.NATIVE, owner=operator.ref, description="first key", scopes=scopes)
    draft, token = draft_key(desk, order, Creator(operator.id, operator_name), now_ms=now_ms)
    key = sealed(desk, draft, token)
    event = audit.event(EventType.TENANT_CREATED, operator.ref, tenant_id, actor=actor, at_ms=now_ms)
    desk.store.commit(SaveTenant(tenant), SaveOwner(operator), SaveKey(key), Record(event))
    return Opened(tenant, operator, Issued(key, token))


def owner_at(desk: Desk, owner: OwnerRef) -> Owner:
    """The owner as it is now. Raises OwnerNotFound of its kind."""
    ref = OwnerAt(owner)
    if (found := desk.store.read(ref)[ref]) is None:
        raise OWNER_NOT_FOUND[owner.kind]
    return found


def owner_with_key(desk: Desk, owner: OwnerRef) -> tuple[Owner, Key | None]:
    """The same, with a rep's key, since that may not outlive a change of the rep."""
    if owner.kind is not OwnerKind.SUPPORT_REP:
        return owner_at(desk, owner), None
    ref, key = OwnerAt(owner), SingleKeyRef(owner)
    reading = desk.store.read(ref, key)
    if (found := reading[ref]) is None:
        raise OWNER_NOT_FOUND[owner.kind]
    return found, reading[key]


def add_operator(desk: Desk, caller: Principal, *, id: str | None, **attributes: Any) -> Operator:
    """Raises OwnerExists."""
    return _add(desk, caller, Operator(tenant=caller.tenant, id=id or tokens.new_number(), **attributes, **_now(desk)))


def add_app(desk: Desk, caller: Principal, *, id: str | None, **attributes: Any) -> App:
    """Raises OwnerExists."""
    return _add(desk, caller, App(tenant=caller.tenant, id=id or tokens.new_number(), **attributes, **_now(desk)))


def add_support_rep(desk: Desk, caller: Principal, *, id: str, **attributes: Any) -> SupportRep:
    """`id` is the login name. Raises OwnerExists."""
    return _add(desk, caller, SupportRep(tenant=caller.tenant, id=id, **attributes, **_now(desk)))


def add_integration(desk: Desk, caller: Principal, *, id: str | None, app_id: str, **attributes: Any) -> Integration:
    """`id` is unique within the app. Raises AppNotFound, OwnerExists."""
    full_id = Integration.id_of(app_id, id or tokens.new_id(""))
    integration = Integration(tenant=caller.tenant, id=full_id, app_id=app_id, **attributes, **_now(desk))
    return _add(desk, caller, integration, Require(OwnerRef(caller.tenant, OwnerKind.APP, app_id)))


def add_channel(
    desk: Desk,
    caller: Principal,
    app: App,
    *,
    platform: Platform,
    bundle_name: str,
    creator: Creator,
    also: tuple[Write, ...] = (),
    **attributes: Any,
) -> OpenedChannel:
    """A channel is born with version 1 of its access key; the app gets its shared half with its first channel.

    One transaction, to which `also` belongs. Raises OwnerExists, Stale where `app` is no longer current, and what the
    further writes raise.
    """
    now_ms = desk.clock.now_ms()
    paired, pairing, revealed = _paired(desk, caller, app, now_ms)
    channel = Channel(
        tenant=app.tenant,
        id=Channel.id_of(app.id, platform),
        name=app.name,
        app_id=app.id,
        platform=platform,
        bundle_name=bundle_name,
        bundle_id=tokens.new_number(),
        code=tokens.new_code(),
        creator=creator,
        **attributes,
        created_at_ms=now_ms,
        modified_at_ms=now_ms,
    )
    assert paired.pairing is not None
    order = Order(kind=ACCESS_KEY_KINDS[platform], owner=channel.ref, pairing_digest=paired.pairing.digest)
    draft, token = draft_key(desk, order, creator, now_ms=now_ms)
    key = sealed(desk, draft, token)
    app_stands = Require(app.ref) if paired is app else SaveOwner(paired, before=app)
    desk.store.commit(
        *also,
        app_stands,
        SaveOwner(channel),
        SaveKey(key),
        _record(desk, caller, EventType.OWNER_CREATED, channel),
        record(desk, caller, EventType.KEY_ISSUED, key),
        *revealed,
    )
    return OpenedChannel(channel, paired, key, token, pairing)


def change(
    desk: Desk,
    caller: Principal,
    before: OwnerT,
    attributes: dict[str, Any],
    *,
    key: Key | None = None,
    also: tuple[Write, ...] = (),
) -> OwnerT:
    """The owner with other attributes; what is so already is not written. `before` and, of a rep, the `key` are what
    `owner_with_key` found.

    A rep whose login is withdrawn loses the key with the same write, to which `also` belongs. Raises Stale where what
    was found is no longer so, and what the further writes raise.
    """
    after = before
    if also or any(getattr(before, name) != value for name, value in attributes.items()):
        after = before.changed(desk.clock.now_ms(), **attributes)
        told = _record(desk, caller, EventType.OWNER_CHANGED, after)
        desk.store.commit(
            *also, SaveOwner(after, before), *_gone_with_the_login(desk, caller, before, after, key), told
        )
    # Whoever was broken off here before disables the rest by the same request.
    if isinstance(after, Operator) and not after.enabled:
        _disable_native_keys(desk, caller, after)
    return after


def pairing_secret(app: App) -> Stored:
    """The sealed half that all access keys of the app's channels share."""
    if app.pairing is None:
        raise errors.ChannelNotFound
    return Stored(app.ref, SealedSecret(app.tenant, app.pairing_id, 1, app.pairing.ciphertext))


def _gone_with_the_login(
    desk: Desk, caller: Principal, before: Owner, after: Owner, key: Key | None
) -> tuple[Write, ...]:
    """What takes the key away where this change withdraws a login; there is no way back by enabling it again."""
    if not (isinstance(before, SupportRep) and isinstance(after, SupportRep)):
        return ()
    if after.login_enabled or not before.login_enabled:
        return ()
    if key is None or key.revoked_at_ms is not None:
        return (RequireNoKey(after.ref),)
    return lifecycle.deletion(desk, caller, key, key.deleted(desk.clock.now_ms()))


def _disable_native_keys(desk: Desk, caller: Principal, operator: Operator) -> None:
    """Native tokens are verified without a look at their owner, so they are switched off with it, one by one.

    The operator is off before, so no key is added meanwhile; a call that broke off is finished by the next.
    """
    after = None
    while True:
        page = desk.store.keys_of(operator.ref, KeyKind.NATIVE, after=after)
        for key in page.items:
            if key.state(desk.clock.now_ms()) is not KeyState.REVOKED:
                lifecycle.disable(desk, caller, key)
        if (after := page.next) is None:
            return


def _paired(desk: Desk, caller: Principal, app: App, now_ms: int) -> tuple[App, Token, tuple[Record, ...]]:
    """The app with its shared half, that half, and the record of its reveal where the app had it before."""
    if app.pairing is not None:
        [shared], revealed = audit.opened(desk, caller, [pairing_secret(app)])
        return app, shared, revealed
    token, pairing_id = tokens.generate(Format.PAIRING, stage=desk.stage), tokens.new_id("pair_")
    ciphertext = desk.vault.seal(token, tenant=app.tenant, key_id=pairing_id, version=1)
    return app.changed(now_ms, pairing_id=pairing_id, pairing=Sealed(token.digest, ciphertext)), token, ()


def _add(desk: Desk, caller: Principal, owner: OwnerT, *also: Require) -> OwnerT:
    desk.store.commit(*also, SaveOwner(owner), _record(desk, caller, EventType.OWNER_CREATED, owner))
    return owner


def _now(desk: Desk) -> dict[str, Any]:
    now_ms = desk.clock.now_ms()
    return {"created_at_ms": now_ms, "modified_at_ms": now_ms}


def _record(desk: Desk, caller: Principal, event: EventType, owner: Owner) -> Record:
    return audit.record(desk, caller, event, owner.ref, owner.id)
