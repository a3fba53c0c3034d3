"""The words in which a dialect describes its API for OpenAPI, beyond what the signatures of its endpoints say.

Each dialect's ``description.py`` has what a `Description` names. `make openapi` reads them; nothing imports one of them
at run time, so what is said there costs no function anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from keywright import errors
from keywright.edge import FORM, JSON

Schema = Any
"""A type that pydantic has a schema for, a JSON schema as a dict, or `RETURNED`."""
Security = Sequence[Mapping[str, Sequence[str]]]
"""Alternatives, each the schemes that it takes together, with the scopes that the caller must hold."""

RETURNED: Final = object()
"""What the endpoint's function says that it returns."""
TEXT: Final = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: `name` is the endpoint's module, `status` its success's, `body` the media type the edge asks for."""

    name: str
    method: str
    path: str
    status: int = 200
    scope: str | None = None
    body: str | None = None
    repeatable: bool = False

    @property
    def variables(self) -> Sequence[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def writes(self) -> bool:
        return self.method != "GET" and not self.name.startswith(("list_", "verify_", "introspect"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request holds that the function's signature does not tell. `bodies` are by media type."""

    query: Schema = None
    bodies: Mapping[str, Schema] = field(default_factory=dict)

    @classmethod
    def form(cls, schema: Schema) -> Asked:
        return cls(bodies={FORM: schema})


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is by media type, `headers` are those that the answer always has."""

    description: str
    content: Mapping[str, Schema]
    headers: Sequence[str] = ()


SUCCESS: Final = Answer("Success", {JSON: RETURNED})
NOTHING: Final = Answer("Success, without a body", {})

HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "WWW-Authenticate": {"description": "The schemes that are taken here (RFC 9110 11.6.1).", "schema": TEXT},
    "Retry-After": {"description": "Seconds (RFC 9110 10.2.3).", "schema": {"type": "integer", "minimum": 0}},
}
"""All that an answer may be said to have."""


class Description(Protocol):
    """A dialect's ``description.py``."""

    TITLE: str
    SECURITY_SCHEMES: Mapping[str, Mapping[str, Any]]
    PATH_PARAMETERS: Mapping[str, Schema]
    NAMES: Mapping[str, Mapping[str, str]]
    """By operation, what its answer names for the paths of other operations: the variables, with where in the body."""

    def security(self, operation: Operation) -> Security: ...

    def asked(self, operation: Operation) -> Asked: ...

    def answers(self, operation: Operation) -> Mapping[int, Answer]:
        """By status, that of the success among them."""


# --- refusals ------------------------------------------------------------------------------------------------------

Refusals = Iterable[type[errors.KeywrightError]]

CREDENTIALS: Final = (errors.CredentialsMissing, errors.CredentialsRefused)
BODY: Final = (errors.ContentTypeRefused, errors.BodyTooLarge, errors.BodyUnreadable)
FIELDS: Final = (errors.FieldMissing, errors.FieldUnknown, errors.FieldInvalid)
OURS: Final = (errors.Unavailable, errors.Fault)


def of_the_edge(operation: Operation) -> Refusals:
    """What any endpoint may refuse that is reached like this one, whatever it is about."""
    yield from CREDENTIALS
    if operation.scope is not None:
        yield errors.ScopeMissing
    if operation.variables:
        yield errors.PathUnknown
    if operation.body is not None:
        yield from BODY
        yield from FIELDS
    if operation.repeatable:
        yield errors.IdempotencyKeyReused
        yield errors.FieldInvalid
    if operation.writes:
        yield errors.Conflict
    yield from OURS


def by_status(
    refusals: Refusals,
    status: Callable[[type[errors.KeywrightError]], HTTPStatus],
    words: Callable[[type[errors.KeywrightError]], str],
) -> Mapping[HTTPStatus, str]:
    """What each status may mean, each wording once, in the order of the refusals."""
    told: dict[HTTPStatus, dict[str, None]] = {}
    for refusal in refusals:
        told.setdefault(status(refusal), {})[words(refusal)] = None
    return {each: listed(told[each]) for each in sorted(told)}


def listed(words: Iterable[str]) -> str:
    """As a list of Markdown, where there are several."""
    first, *more = words
    return "\n".join(f"- {each}" for each in (first, *more)) if more else first


def refusing_headers(status: HTTPStatus) -> Sequence[str]:
    """What an answer of this status has in every dialect that speaks HTTP by statuses."""
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return ["WWW-Authenticate"]
        case HTTPStatus.TOO_MANY_REQUESTS | HTTPStatus.SERVICE_UNAVAILABLE:
            return ["Retry-After"]
    return []
