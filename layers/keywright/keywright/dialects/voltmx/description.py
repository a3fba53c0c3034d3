"""What OpenAPI says of Volt MX Foundry Engagement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from keywright import errors
from keywright.description import (
    SUCCESS,
    Answer,
    Asked,
    Operation,
    Refusals,
    Schema,
    Security,
    by_status,
    of_the_edge,
    refusing_headers,
)
from keywright.dialects.voltmx import refusals, wire
from keywright.dialects.voltmx.credentials import APP_API_KEY, CLAIMS_TOKEN
from keywright.dialects.voltmx.refusals import row
from keywright.edge import FORM, JSON

TITLE: Final = "Volt MX Foundry Engagement"
SECURITY_SCHEMES: Final = {
    "voltmx_claims_token": {"type": "apiKey", "in": "header", "name": CLAIMS_TOKEN[0], "description": "From login."},
    "voltmx_former_claims_token": {"type": "apiKey", "in": "header", "name": CLAIMS_TOKEN[1]},
    "voltmx_password": {
        "type": "http",
        "scheme": "basic",
        "description": "An operator's id and native token. Where a claims token is sent as well, that counts.",
    },
    "voltmx_app_api_key": {
        "type": "apiKey",
        "in": "header",
        "name": APP_API_KEY[0],
        "description": "For the keys of its own application.",
    },
    "voltmx_former_app_api_key": {"type": "apiKey", "in": "header", "name": APP_API_KEY[1]},
}
PATH_PARAMETERS: Final = {
    "appKey": Annotated[str, Field(pattern="^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
}
NAMES: Final = {"add_app_api_key": {"appKey": "/id"}}
AppId = Annotated[str, Field(min_length=1, max_length=wire.LONGEST_APP_ID)]
ExpiresOn = Annotated[
    str,
    Field(
        pattern="^(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])/[0-9]{4} ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
        description="mm/dd/yyyy hh:mm:ss on a 24-hour clock in the installation's time zone, in the future.",
    ),
]
NeverExpires = Annotated[Literal["true", "false"], Field(description="In any case. `true` wins.")]
Description = Annotated[
    str, Field(max_length=wire.LONGEST_DESCRIPTION, pattern="^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$")
]


class _Fields(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class AppIdQuery(_Fields):
    app_id: AppId


class ModifyAppApiKeyForm(_Fields):
    """One of the three at least; an expired key asks for an expiry, or for none ever."""

    expires_on: ExpiresOn | None = None
    never_expires: NeverExpires | None = None
    description: Description | None = None


class AddAppApiKeyForm(ModifyAppApiKeyForm):
    """With `neverExpires` true or an `expiresOn`."""

    app_id: AppId


class VoltmxRefusal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Literal[""]
    message: str


class VoltmxGetRefusal(BaseModel):
    """`result` and `message` are the same."""

    model_config = ConfigDict(extra="forbid")

    status: int
    result: str
    message: str


ASKED: Final[Mapping[str, Asked]] = {
    "add_app_api_key": Asked.form(AddAppApiKeyForm),
    "get_app_api_keys": Asked(query=AppIdQuery),
    "modify_app_api_key": Asked.form(ModifyAppApiKeyForm),
    "login": Asked(bodies={JSON: wire.Login, FORM: wire.Login}),
}
BESIDES: Final[Mapping[str, Refusals]] = {
    "add_app_api_key": (errors.AppNotFound, errors.NotPublished, errors.LimitReached),
    "get_app_api_keys": (errors.AppNotFound, errors.KeyNotFound),
}
IN_ITS_WORDS: Final = {
    "get_app_api_keys": refusals.GET_ALL,
    "modify_app_api_key": refusals.MODIFY,
    "delete_app_api_key": refusals.DELETE,
    "login": refusals.LOGIN,
}


def security(operation: Operation) -> Security:
    """The login takes credentials in its body, and a key is no credential where keys are added."""
    scopes = [] if operation.scope is None else [operation.scope]
    operators = [{each: scopes} for each in ("voltmx_claims_token", "voltmx_former_claims_token", "voltmx_password")]
    match operation.name:
        case "login":
            return []
        case "add_app_api_key":
            return operators
    return [*operators, {"voltmx_app_api_key": []}, {"voltmx_former_app_api_key": []}]


def asked(operation: Operation) -> Asked:
    return ASKED.get(operation.name, Asked())


def answers(operation: Operation) -> Mapping[int, Answer]:
    told = by_status(_refusals(operation), _status, lambda refusal: _words(operation, refusal))
    refused = {
        status.value: Answer(words, {JSON: _envelope(operation, status)}, refusing_headers(status))
        for status, words in told.items()
    }
    return {operation.status: SUCCESS, **refused}


def _refusals(operation: Operation) -> Iterator[type[errors.KeywrightError]]:
    yield from of_the_edge(operation)
    if asked(operation) != Asked():
        yield from (errors.FieldMissing, errors.FieldInvalid)
    if operation.variables:
        yield errors.KeyNotFound
        yield errors.NotPublished
    yield from BESIDES.get(operation.name, ())


def _envelope(operation: Operation, status: HTTPStatus) -> Schema:
    """What is no path of the dialect's is no GET of its either."""
    is_get = operation.method == "GET" and status is not HTTPStatus.NOT_FOUND
    return VoltmxGetRefusal if is_get else VoltmxRefusal


def _status(refusal: type[errors.KeywrightError]) -> HTTPStatus:
    return row(refusal)[0]


def _words(operation: Operation, refusal: type[errors.KeywrightError]) -> str:
    text = row(refusal)[1]
    return IN_ITS_WORDS.get(operation.name, refusals.ADD).instead.get(text, text)
