"""What OpenAPI says of the native API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Union

from pydantic import BaseModel, ConfigDict, Field

from keywright import errors
from keywright.description import (
    BODY,
    FIELDS,
    NOTHING,
    OURS,
    SUCCESS,
    Answer,
    Asked,
    Operation,
    Refusals,
    Security,
    by_status,
    of_the_edge,
    refusing_headers,
)
from keywright.dialects.native import wire
from keywright.dialects.native.refusals import PROBLEM_JSON, row
from keywright.edge import FORM, JSON
from keywright.model import OwnerKind

TITLE: Final = "Native API"
SECURITY_SCHEMES: Final = {
    "native_token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "kw_<stage>_...",
        "description": "An operator's native token. An operation names the scope that the token must have.",
    }
}
PATH_PARAMETERS: Final = {
    "key_id": Annotated[str, Field(min_length=1, max_length=100)],
    "kind": OwnerKind,
    "owner_id": wire.OwnerId,
    "link_id": Annotated[str, Field(min_length=1, max_length=100)],
}
NAMES: Final = {
    "issue_key": {"key_id": "/id"},
    "create_link": {"link_id": "/id"},
    "create_owner": {"kind": "/kind", "owner_id": "/id"},
}
OPEN: Final = frozenset({"get_openapi"})
"""Operations that ask for no credentials."""
POSSESSION: Final = frozenset({"revoke_self"})
"""Operations that ask for none beyond the token in their body."""

IN_PATH: Final[Mapping[str, type[errors.KeywrightError]]] = {
    "key_id": errors.KeyNotFound,
    "owner_id": errors.OwnerNotFound,
    "link_id": errors.LinkNotFound,
}
_ROTATION: Final = (errors.OwnKey, errors.KeyNotRotatable, errors.KeyRevoked)
BESIDES: Final[Mapping[str, Refusals]] = {
    "create_tenant": (errors.TenantExists,),
    "create_owner": (errors.AppNotFound, errors.OwnerExists),
    "list_keys": FIELDS,
    "list_owners": FIELDS,
    "list_audit_events": FIELDS,
    "issue_key": (errors.OwnerNotFound, errors.OwnerNotEligible, errors.KeyExists, errors.LimitReached),
    "create_link": (errors.KeyRevoked, errors.KeyExpired, errors.MailNotSent),
    "list_links": FIELDS,
    "introspect": FIELDS,
    "revoke_self": (*BODY, *FIELDS, errors.Conflict),
    "disable_key": (errors.KeyRevoked,),
    "enable_key": (errors.KeyRevoked,),
    "revoke_key": (errors.KeyRevoked,),
    "change_key": (errors.KeyRevoked, errors.OwnerNotFound, errors.LimitReached),
    "delete_key": (errors.KeyGoesWithOwner, errors.OwnerNotFound),
    "undelete_key": (
        errors.OperatorDisabled,
        errors.OwnerNotFound,
        errors.OwnerNotEligible,
        errors.KeyExists,
        errors.LimitReached,
    ),
    "rotate_key": (*_ROTATION, errors.KeyExpired, errors.RotationUnderWay, errors.OperatorDisabled),
    "extend_rotation": (*_ROTATION, errors.RotationNotUnderWay),
    "cancel_rotation": (*_ROTATION, errors.RotationNotUnderWay),
    "finish_rotation": (*_ROTATION, errors.RotationNotUnderWay),
}
"""What operations may refuse, beyond what their paths and bodies make possible."""


class FieldAtFault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str
    problem: str
    detail: str = ""


class Problem(BaseModel):
    """RFC 9457. `fields` names each part of the request that is at fault, where there is one; `detail` says what would
    be right, of the request or of a field, where that can be said."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(pattern="^urn:keywright:problem:[a-z-]+$")]
    title: str
    status: int
    detail: str = ""
    fields: list[FieldAtFault] = []


def security(operation: Operation) -> Security:
    if operation.name in OPEN | POSSESSION:
        return []
    return [{"native_token": [] if operation.scope is None else [operation.scope]}]


def asked(operation: Operation) -> Asked:
    if operation.name == "change_owner":
        return Asked(bodies={JSON: Union[tuple(wire.CHANGES.values())]})  # noqa: UP007  made of a table
    if operation.name == "introspect":
        return Asked.form(wire.Introspect)
    if operation.name == "revoke_self":
        return Asked(bodies={JSON: wire.Held, FORM: wire.Held})
    return Asked()


def answers(operation: Operation) -> Mapping[int, Answer]:
    if operation.name in OPEN:
        return {200: Answer("This document", {JSON: {"type": "object"}})}
    told = by_status(_refusals(operation), _status, _words)
    refused = {
        status.value: Answer(words, {PROBLEM_JSON: Problem}, refusing_headers(status)) for status, words in told.items()
    }
    return {operation.status: NOTHING if operation.status == HTTPStatus.NO_CONTENT else SUCCESS, **refused}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield from OURS if operation.name in POSSESSION else of_the_edge(operation)
    yield from (IN_PATH[name] for name in operation.variables if name in IN_PATH)
    yield from BESIDES.get(operation.name, ())


def _status(refusal: type[errors.KeywrightError]) -> HTTPStatus:
    return row(refusal)[0]


def _words(refusal: type[errors.KeywrightError]) -> str:
    return f"`{row(refusal)[1]}`: {refusal.message}"
