"""What the native API does with owners of any kind."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from keywright import errors, registry
from keywright.access import Principal
from keywright.dialects.native import wire
from keywright.edge import refusals_of
from keywright.model import App, Channel, Creator, Owner, OwnerKind, OwnerRef, Platform
from keywright.ports import Desk, OwnerAt


def address(caller: Principal, kind: str, owner_id: str) -> OwnerRef:
    """Raises OwnerNotFound for a kind that there is not."""
    if kind not in set(OwnerKind):
        raise errors.OwnerNotFound
    return OwnerRef(caller.tenant, OwnerKind(kind), owner_id)


def create(desk: Desk, caller: Principal, body: wire.CreateOwner) -> Owner:
    """Raises OwnerExists, AppNotFound."""
    attributes = body.model_dump(exclude={"kind"})
    match body:
        case wire.CreateOperator():
            caller.demand("operators:change")
            return registry.add_operator(desk, caller, **attributes)
        case wire.CreateApp():
            return registry.add_app(desk, caller, **attributes)
        case wire.CreateIntegration():
            return registry.add_integration(desk, caller, **attributes)
        case wire.CreateSupportRep():
            return registry.add_support_rep(desk, caller, **attributes)
        case wire.CreateChannel():
            attributes["notifications"] = _notifications(body.platform, body.notifications)
            attributes["components"] = tuple(body.components)
            app, creator = _app_and_creator(desk, caller, attributes.pop("app_id"))
            attributes["test_devices"] = tuple(device.model_dump() for device in body.test_devices)
            return registry.add_channel(desk, caller, app, creator=creator, **attributes).channel


def _app_and_creator(desk: Desk, caller: Principal, app_id: str) -> tuple[App, Creator]:
    """The app, and the caller under the name of now. Raises AppNotFound."""
    app_at, operator_at = OwnerAt(OwnerRef(caller.tenant, OwnerKind.APP, app_id)), OwnerAt(caller.owner)
    reading = desk.store.read(app_at, operator_at)
    app, operator = reading[app_at], reading[operator_at]
    if not isinstance(app, App):
        raise errors.AppNotFound
    return app, caller.creator(operator.name if operator else None)


def change(desk: Desk, caller: Principal, owner: OwnerRef, body: dict[str, Any]) -> Owner:
    """Raises OwnerNotFound, FieldUnknown, FieldInvalid, Stale; ScopeMissing, as operators take a scope of their own."""
    if owner.kind is OwnerKind.OPERATOR:
        caller.demand("operators:change")
    before, key = registry.owner_with_key(desk, owner)
    return registry.change(desk, caller, before, _changes(before, body), key=key)


def _changes(owner: Owner, body: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `body` changes. Raises FieldUnknown, FieldInvalid for the first field at fault."""
    try:
        changed = wire.CHANGES[owner.kind].model_validate(body)
    except ValidationError as invalid:
        found = invalid.errors(include_input=False, include_url=False)
        raise refusals_of([{**each, "loc": ("body", *each["loc"])} for each in found])[0] from None
    named = changed.model_dump(include=changed.model_fields_set)
    if empty := next((name for name, value in named.items() if value is None and name != "role"), None):
        raise errors.FieldInvalid(field=empty, detail="It may be left out, and not be null.")
    if isinstance(owner, Channel) and isinstance(changed, wire.ChangeChannel) and changed.notifications is not None:
        named["notifications"] = {**owner.notifications, **_notifications(owner.platform, changed.notifications)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in named.items()}


def _notifications(platform: Platform, given: wire.ChannelNotifications) -> dict[str, str]:
    """What is named of them, in the words in which a channel keeps them. Raises FieldUnknown for a certificate that is
    not an ios channel's."""
    named = given.model_dump(include=given.model_fields_set)
    if platform is not Platform.IOS and "certificate" in named:
        raise errors.FieldUnknown(field="notifications.certificate")
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in named.items()}
