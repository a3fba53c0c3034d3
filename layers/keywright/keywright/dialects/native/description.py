"""What OpenAPI says of the native API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Union

from pydantic import BaseModel, ConfigDict, Field

from keywright import errors
from keywright.description import (
    FIELDS,
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
from keywright.edge import JSON
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
}
NAMES: Final = {"issue_key": {"key_id": "/id"}, "create_owner": {"kind": "/kind", "owner_id": "/id"}}
OPEN: Final = frozenset({"get_openapi"})
"""Operations that ask for no credentials."""

IN_PATH: Final[Mapping[str, type[errors.KeywrightError]]] = {
    "key_id": errors.KeyNotFound,
    "owner_id": errors.OwnerNotFound,
}
BESIDES: Final[Mapping[str, Refusals]] = {
    "create_tenant": (errors.TenantExists,),
    "create_owner": (errors.AppNotFound, errors.OwnerExists),
    "list_keys": FIELDS,
    "list_owners": FIELDS,
    "issue_key": (errors.OwnerNotFound, errors.OwnerNotEligible, errors.KeyExists, errors.LimitReached),
    "disable_key": (errors.KeyRevoked,),
    "enable_key": (errors.KeyRevoked,),
    "revoke_key": (errors.KeyRevoked,),
}
"""What operations may refuse, beyond what their paths and bodies make possible."""


class FieldAtFault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str
    problem: str


class Problem(BaseModel):
    """RFC 9457. `fields` names each part of the request that is at fault, where there is one; `detail` says what to do
    instead, where there is something."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(pattern="^urn:keywright:problem:[a-z-]+$")]
    title: str
    status: int
    detail: str = ""
    fields: list[FieldAtFault] = []


def security(operation: Operation) -> Security:
    if operation.name in OPEN:
        return []
    return [{"native_token": [] if operation.scope is None else [operation.scope]}]


def asked(operation: Operation) -> Asked:
    if operation.name == "change_owner":
        return Asked(bodies={JSON: Union[tuple(wire.CHANGES.values())]})  # noqa: UP007  made of a table
    return Asked()


def answers(operation: Operation) -> Mapping[int, Answer]:
    if operation.name in OPEN:
        return {200: Answer("This document", {JSON: {"type": "object"}})}
    told = by_status(_refusals(operation), _status, _words)
    refused = {
        status.value: Answer(words, {PROBLEM_JSON: Problem}, refusing_headers(status)) for status, words in told.items()
    }
    return {operation.status: SUCCESS, **refused}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield from of_the_edge(operation)
    yield from (IN_PATH[name] for name in operation.variables if name in IN_PATH)
    yield from BESIDES.get(operation.name, ())


def _status(refusal: type[errors.KeywrightError]) -> HTTPStatus:
    return row(refusal)[0]


def _words(refusal: type[errors.KeywrightError]) -> str:
    return f"`{row(refusal)[1]}`: {refusal.message}"
