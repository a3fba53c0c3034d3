"""What a path names, within the caller's tenant: an app, an integration of it, a key of either.

Each of them is looked for in one read together with the caller's owner, and refused in the dialect's order: first the
caller's right to the app, then what is not there, from the outside in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from keywright import errors, tokens
from keywright.dialects.sunshine import credentials
from keywright.edge import Caller, Request
from keywright.model import CUSTOM, RULES, App, Integration, Key, KeyKind, Owner, OwnerKind, OwnerRef
from keywright.ports import KeyRef, OwnerAt, Ref

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""What the id of an app or of an integration can be. Anything else names nothing, and is not looked for."""
KINDS: Final = {OwnerKind.INTEGRATION: KeyKind.INTEGRATION_SECRET, OwnerKind.APP: KeyKind.APP_SECRET}
"""Which of an owner's keys there are to this dialect."""


def refs(tenant: str, request: Request) -> Iterator[Ref[Any]]:
    """What there is to be read for `app`, `custom_integration` and `key`."""
    named = _app_at(tenant, request), _integration_at(tenant, request), _key_at(request)
    return (ref for ref in named if ref is not None)


def app(request: Request, caller: Caller) -> App:
    """The app whose own keys the path is about. Raises ScopeMissing, AppNotFound, in this order."""
    credentials.check_account(caller.principal, request.path_parameters["appId"])
    return _app(request, caller)


def custom_integration(request: Request, caller: Caller) -> Integration:
    """The integration whose keys the path is about. Raises ScopeMissing, AppNotFound, IntegrationNotFound, NotCustom,
    in this order."""
    credentials.check_app(caller.principal, request.path_parameters["appId"])
    _app(request, caller)
    ref = _integration_at(caller.principal.tenant, request)
    found = None if ref is None else caller.reading[ref]
    if not isinstance(found, Integration):
        raise errors.IntegrationNotFound
    CUSTOM.check(found)
    return found


def key(request: Request, caller: Caller, owner: Owner) -> Key:
    """The key that the path names among the owner's. Raises KeyNotFound, the same for a key of somebody else."""
    ref = _key_at(request)
    found: Key | None = None if ref is None else caller.reading[ref]
    if found is None or found.owner != owner.ref or not is_listed(found):
        raise errors.KeyNotFound
    return found


def is_listed(key: Key) -> bool:
    """Whether there is such a key to this dialect. What takes one of the ten places, be it disabled or expired, is
    there to be seen and deleted; a revoked one takes none, and the vendor has no word for it."""
    return key.takes_a_place and key.kind is KINDS.get(key.owner.kind)


def _app(request: Request, caller: Caller) -> App:
    ref = _app_at(caller.principal.tenant, request)
    found = None if ref is None else caller.reading[ref]
    if not isinstance(found, App):
        raise errors.AppNotFound
    return found


def _app_at(tenant: str, request: Request) -> OwnerAt | None:
    app_id = request.path_parameters["appId"]
    return OwnerAt(OwnerRef(tenant, OwnerKind.APP, app_id)) if _ID.fullmatch(app_id) else None


def _integration_at(tenant: str, request: Request) -> OwnerAt | None:
    app_id, integration_id = request.path_parameters["appId"], request.path_parameters.get("integrationId", "")
    if not _ID.fullmatch(app_id) or not _ID.fullmatch(integration_id):
        return None
    return OwnerAt(OwnerRef(tenant, OwnerKind.INTEGRATION, Integration.id_of(app_id, integration_id)))


def _key_at(request: Request) -> KeyRef | None:
    owner = OwnerKind.INTEGRATION if "integrationId" in request.path_parameters else OwnerKind.APP
    key_id = request.path_parameters.get("keyId", "")
    return KeyRef(key_id) if tokens.is_id(key_id, {RULES[KINDS[owner]].id_prefix}) else None
