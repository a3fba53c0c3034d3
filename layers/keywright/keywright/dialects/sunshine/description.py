"""What OpenAPI says of Sunshine Conversations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from keywright import errors
from keywright.description import (
    SUCCESS,
    Answer,
    Asked,
    Operation,
    Security,
    by_status,
    of_the_edge,
    refusing_headers,
)
from keywright.dialects.sunshine.refusals import row
from keywright.edge import JSON

TITLE: Final = "Sunshine Conversations"
SECURITY_SCHEMES: Final = {
    "sunshine_key": {
        "type": "http",
        "scheme": "basic",
        "description": "The id of a key and its secret.",
    },
    "sunshine_jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "HS256 over a key's secret; `kid` is the key's id, `scope` its kind's, `exp` may be left out.",
    },
}
_ID = Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,64}$")]
PATH_PARAMETERS: Final = {
    "appId": _ID,
    "integrationId": _ID,
    "keyId": Annotated[str, Field(pattern="^(app|int)_[0-9a-f]{24}$")],
}
NAMES: Final = {each: {"keyId": "/key/id"} for each in ("create_integration_key", "create_app_key")}
IN_PATH: Final[Mapping[str, tuple[type[errors.KeywrightError], ...]]] = {
    "appId": (errors.ScopeMissing, errors.AppNotFound),
    "integrationId": (errors.IntegrationNotFound, errors.NotCustom),
    "keyId": (errors.KeyNotFound,),
}
OF_A_NAME: Final = (errors.TooShort, errors.TooLong, errors.WrongType)


class SunshineError(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str
    title: str


class SunshineErrors(BaseModel):
    """Only a 400 may list several."""

    model_config = ConfigDict(extra="forbid")

    errors: Annotated[list[SunshineError], Field(min_length=1)]


def security(_operation: Operation) -> Security:
    return [{"sunshine_key": []}, {"sunshine_jwt": []}]


def asked(_operation: Operation) -> Asked:
    return Asked()


def answers(operation: Operation) -> Mapping[int, Answer]:
    told = by_status(_refusals(operation), _status, _words)
    refused = {
        status.value: Answer(words, {JSON: SunshineErrors}, refusing_headers(status)) for status, words in told.items()
    }
    return {operation.status: SUCCESS, **refused}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield from of_the_edge(operation)
    for name in operation.variables:
        yield from IN_PATH.get(name, ())
    if operation.body is not None:
        yield from OF_A_NAME
        yield errors.LimitReached


def _status(refusal: type[errors.KeywrightError]) -> HTTPStatus:
    return row(refusal()).status


def _words(refusal: type[errors.KeywrightError]) -> str:
    _, code, title = row(refusal())
    return f"`{code}`: {title}"
