"""Orders for keys. That of a refresh token names the OAuth client which alone can use it."""

from __future__ import annotations

import re
from typing import Final

from keywright import errors, lifecycle
from keywright.access import Principal
from keywright.dialects.native import wire
from keywright.edge import Request
from keywright.issuing import Order
from keywright.model import KeyKind
from keywright.ports import KeyRef, Reading

_OF_A_CLIENT: Final = "It is the id of an OAuth client of the tenant that is not revoked."

_CLIENT_ID: Final = re.compile(wire.CLIENT_ID)


def reads(request: Request) -> tuple[KeyRef, ...]:
    """The client that a body names, known before that is validated."""
    named = request.json_member("client_id")
    return () if named is None or not _CLIENT_ID.fullmatch(named) else (KeyRef(named),)


def order(body: wire.IssueKey, caller: Principal, reading: Reading) -> Order:
    """Raises FieldMissing, FieldUnknown where a client is named or is not, against the kind of key, and FieldInvalid
    for a client that is not there, revoked, or of another tenant."""
    return Order(
        kind=KeyKind(body.kind),
        owner=body.owner.within(caller.tenant),
        description=body.description,
        scopes=tuple(body.scopes),
        expires_at_ms=wire.milliseconds(body.expires_at),
        pairing_digest=_pairing_digest(body, caller, reading),
        **body.settings(),
    )


def _pairing_digest(body: wire.IssueKey, caller: Principal, reading: Reading) -> str | None:
    """Of the client's secret: what must be presented beside a refresh token."""
    if KeyKind(body.kind) is not KeyKind.REFRESH_TOKEN:
        if body.client_id is not None:
            raise errors.FieldUnknown(field="client_id")
        return None
    if body.client_id is None:
        raise errors.FieldMissing(field="client_id")
    try:
        client = lifecycle.own(caller, reading[KeyRef(body.client_id)])
    except errors.KeyNotFound as absent:
        raise errors.FieldInvalid(field="client_id", detail=_OF_A_CLIENT) from absent
    if client.kind is not KeyKind.OAUTH_CLIENT or client.revoked_at_ms is not None:
        raise errors.FieldInvalid(field="client_id", detail=_OF_A_CLIENT)
    return client.newest.digest
