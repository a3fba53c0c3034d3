"""What OpenAPI says of SupportCenter Plus, and of the page that stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from keywright import errors
from keywright.description import (
    CREDENTIALS,
    OURS,
    TEXT,
    Answer,
    Asked,
    Operation,
    Refusals,
    Security,
    listed,
    refusing_headers,
)
from keywright.dialects.supportcenter import console, wire
from keywright.dialects.supportcenter.refusals import TABLE, failure_of
from keywright.dialects.supportcenter.styles import Classic
from keywright.edge import JSON

TITLE: Final = "SupportCenter Plus"
XML: Final = "text/xml"
SECURITY_SCHEMES: Final = {
    "supportcenter_apikey": {
        "type": "apiKey",
        "in": "query",
        "name": "apikey",
        "description": "The key of a rep with the role SDAdmin. It may as well be a field of the form.",
    },
    "supportcenter_technician_key": {"type": "apiKey", "in": "header", "name": "TECHNICIAN_KEY"},
    "supportcenter_authtoken": {
        "type": "apiKey",
        "in": "header",
        "name": "authtoken",
        "description": "The same key as `TECHNICIAN_KEY`, for where a proxy drops names with an underscore.",
    },
}
PATH_PARAMETERS: Final[Mapping[str, object]] = {}
NAMES: Final[Mapping[str, Mapping[str, str]]] = {}
PAGE: Final = "console"
PARAMETERS: Final[Mapping[str, type[wire.RepKeyParameters]]] = {
    "generate_api_key": wire.GenerateApiKey,
    "list_api_keys": wire.ListApiKeys,
    "email_api_key": wire.EmailApiKey,
    "regenerate_api_key": wire.RegenerateApiKey,
    "delete_api_key": wire.OfOneRep,
}
OF_THE_REP: Final[Mapping[str, Refusals]] = {
    "generate_api_key": (errors.LoginNotEnabled, errors.RoleNotAssigned, errors.KeyExists, errors.MailNotSent),
    "list_api_keys": (),
    "email_api_key": (errors.LoginNotEnabled, errors.KeyNotFound, errors.MailNotSent),
    "regenerate_api_key": (errors.LoginNotEnabled, errors.RoleNotAssigned, errors.KeyNotFound, errors.MailNotSent),
    "delete_api_key": (errors.KeyNotFound,),
}
"""In the order of checks, after the rep was found."""


class RepKeySucceeded(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["Success"]
    statuscode: Literal[200]
    statusmessage: str


class RepKeyFailed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["Failure"]
    statuscode: Annotated[int, Field(ge=5101, le=5199)]
    statusmessage: str


class _Classic(BaseModel):
    """The `response` of JSON, the root element of XML."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"xml": {"name": "response"}})

    uri: Annotated[str, Field(json_schema_extra={"xml": {"attribute": True}})]


class RepKeyFailure(_Classic):
    result: RepKeyFailed


class RepKeyDone(_Classic):
    result: RepKeySucceeded


class RepKeyShown(RepKeyDone):
    details: wire.RepKeyDetails


class RepKeysListed(RepKeyDone):
    details: Annotated[
        list[Annotated[wire.RepKeyRow, Field(json_schema_extra={"xml": {"name": "apiKey"}})]],
        Field(json_schema_extra={"xml": {"wrapped": True}}),
    ]
    hasMoreRows: Literal["true", "false"]  # noqa: N815  the wire's own spelling


SHOWS: Final[Mapping[str, type[RepKeyDone]]] = {
    "generate_api_key": RepKeyShown,
    "list_api_keys": RepKeysListed,
    "regenerate_api_key": RepKeyShown,
}


def security(operation: Operation) -> Security:
    return [] if operation.name == PAGE else [{scheme: []} for scheme in SECURITY_SCHEMES]


def asked(operation: Operation) -> Asked:
    """A POST may have its parameters in the query as well, or some of them there."""
    parameters = PARAMETERS.get(operation.name)
    if parameters is None:
        return Asked()
    return Asked(query=parameters) if operation.method == "GET" else Asked.form(parameters)


def answers(operation: Operation) -> Mapping[int, Answer]:
    if operation.name == PAGE:
        suffix = operation.path.rpartition(".")[2]
        media_type = console.MEDIA_TYPES.get(suffix, console.MEDIA_TYPES["html"])
        return {200: Answer("The file", {media_type: TEXT})}
    told: dict[int, dict[str, None]] = {}
    for refusal in _refusals(operation):
        failure = failure_of(refusal())
        status = Classic("", xml=False).refuse(failure).status_code
        told.setdefault(status, {})[f"{failure.statuscode} {_words(refusal)}"] = None
    content = _content(operation, RepKeyFailure)
    answers = {
        status: Answer(listed(words), content, refusing_headers(HTTPStatus(status))) for status, words in told.items()
    }
    refused = listed(told[200])
    success = SHOWS.get(operation.name, RepKeyDone)
    content = _content(operation, success, RepKeyFailure)
    return {**answers, 200: Answer(f"Success, or a `Failure`:\n\n{refused}", content)}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield from CREDENTIALS
    yield from (errors.RoleMissing, errors.FieldMissing, errors.FieldInvalid, errors.SupportRepNotFound)
    yield from OF_THE_REP[operation.name]
    yield from (errors.Conflict, errors.TooManyRequests, *OURS)


def _words(refusal: type[errors.KeywrightError]) -> str:
    return next(TABLE[cls] for cls in refusal.__mro__ if cls in TABLE).message.format(parameter="...")


def _content(operation: Operation, *alternatives: type[BaseModel]) -> Mapping[str, list[type[BaseModel]]]:
    if operation.path.startswith("/api/xml/"):
        return {XML: [*alternatives]}
    return {JSON: [_ENCLOSED[each] for each in alternatives]}


_ENCLOSED: Final[Mapping[type[BaseModel], type[BaseModel]]] = {
    each: create_model(f"{each.__name__}Response", __config__=ConfigDict(extra="forbid"), response=(each, ...))
    for each in (RepKeyFailure, RepKeyDone, RepKeyShown, RepKeysListed)
}
