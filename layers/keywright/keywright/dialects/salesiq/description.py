"""What OpenAPI says of Zoho SalesIQ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from keywright import errors
from keywright.description import (
    CREDENTIALS,
    FIELDS,
    OURS,
    RETURNED,
    SUCCESS,
    Answer,
    Asked,
    Operation,
    Security,
    listed,
)
from keywright.dialects.salesiq.refusals import MESSAGES, TOKEN_TABLE, code_of
from keywright.edge import JSON
from keywright.model import Platform

TITLE: Final = "Zoho SalesIQ"
TOKEN: Final = "refresh_access_token"
SECURITY_SCHEMES: Final = {
    "salesiq_oauthtoken": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Zoho-oauthtoken 1000.<32 hex>.<32 hex>`. An operation names the scope that it asks for.",
    },
    "salesiq_client": {
        "type": "http",
        "scheme": "basic",
        "description": "An OAuth client's id and secret, in place of `client_id` and `client_secret` in the form.",
    },
}
PATH_PARAMETERS: Final = {
    "screenname": Annotated[str, Field(min_length=1, max_length=64, description="The portal: the caller's tenant.")],
    "appId": Annotated[str, Field(pattern="^[0-9]+$")],
    "kind": Platform,
    "version": Annotated[str, Field(pattern="^[0-9]+$")],
}
NAMES: Final = {"create_access_key": {"version": "/data/access_keys/0/version"}}
IN_PATH: Final[Mapping[str, tuple[type[errors.KeywrightError], ...]]] = {
    "screenname": (errors.TenantNotFound, errors.OperatorDisabled),
    "appId": (errors.AppNotFound,),
    "version": (errors.KeyNotFound,),
}


class TokenForm(BaseModel):
    """`client_id` and `client_secret`, unless the client authenticates by a header."""

    grant_type: Literal["refresh_token", "client_credentials"]
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: Annotated[str | None, Field(description="Mandatory with the grant of that name.")] = None
    scope: Annotated[str | None, Field(description="Some of what was granted, parted by spaces or commas.")] = None


class TokenRefusal(BaseModel):
    """RFC 6749 5.2."""

    model_config = ConfigDict(extra="forbid")

    error: Annotated[str, Field(json_schema_extra={"enum": sorted({word for _, word in TOKEN_TABLE.values()})})]


class SalesiqError(BaseModel):
    """At most one of `json_key`, `param` and `header` names the culprit."""

    model_config = ConfigDict(extra="forbid")

    message: str
    code: Annotated[int, Field(json_schema_extra={"enum": [*MESSAGES]})]
    json_key: str = ""
    param: str = ""
    header: str = ""


class SalesiqRefusal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    error: SalesiqError


def security(operation: Operation) -> Security:
    if operation.name == TOKEN:
        return [{}, {"salesiq_client": []}]
    return [{"salesiq_oauthtoken": [] if operation.scope is None else [operation.scope]}]


def asked(operation: Operation) -> Asked:
    return Asked.form(TokenForm) if operation.name == TOKEN else Asked()


def answers(operation: Operation) -> Mapping[int, Answer]:
    if operation.name == TOKEN:
        return _of_token_endpoint()
    codes = dict.fromkeys(map(code_of, _refusals(operation)))
    words = listed(f"{code} {MESSAGES[code]}" for code in sorted(codes))
    return {200: Answer(f"Success, or an `error`:\n\n{words}", {JSON: [RETURNED, SalesiqRefusal]})}


def _of_token_endpoint() -> Mapping[int, Answer]:
    told: dict[int, set[str]] = {}
    for status, word in TOKEN_TABLE.values():
        if status not in {HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}:
            told.setdefault(status.value, set()).add(f"`{word}`")
    refused = {status: Answer(listed(sorted(words)), {JSON: TokenRefusal}) for status, words in told.items()}
    by_header = Answer("`invalid_client`, by a header", {JSON: TokenRefusal}, ["WWW-Authenticate"])
    return {200: SUCCESS, 401: by_header, **refused}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield errors.PathUnknown
    yield from CREDENTIALS
    yield errors.ScopeMissing
    for name in operation.variables:
        yield from IN_PATH.get(name, ())
    if operation.body is not None:
        yield errors.ContentTypeRefused
        yield errors.BodyUnreadable
        yield from FIELDS
    if operation.name == "create_channel":
        yield errors.OwnerExists
    yield from OURS
