"""Shapes of Volt MX: forms and a query in, JSON out; the login takes either.

A form field that is empty counts as one that was not sent, since that is how an HTML form says it: but for the
description of a key that is modified, which may be emptied. Fields that are not known are ignored.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo

from keywright import errors, strict_json, tokens
from keywright.edge import FORM, JSON, Request, refusals_of
from keywright.issuing import Issued
from keywright.model import Key, Operator

LONGEST_APP_ID: Final = 250
"""No application has a longer id or name."""
LONGEST_DESCRIPTION: Final = 100
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_CONTROLS: Final = frozenset({"Cc", "Zl", "Zp"})

Fields = Mapping[str, list[str]]
"""A form or a query, each field with all its values."""


def form(request: Request, *, may_be_empty: Iterable[str] = ()) -> Fields:
    """The fields that were sent in the body. Raises BodyTooLarge, BodyUnreadable."""
    return _fields(request.form, may_be_empty)


def query(request: Request) -> Fields:
    return _fields(request.query)


def named_app(sent: Fields) -> str | None:
    """The id or name that an application is asked for by; None where none can be called so."""
    match sent.get("appId"):
        case [str(named)] if len(named) <= LONGEST_APP_ID and not _has_controls(named):
            return named
    return None


def named_app_early(request: Request) -> str | None:
    """The same, from a form that has not been looked at yet, to know what to read."""
    try:
        return named_app(form(request))
    except errors.KeywrightError:
        return None


def demand_app(sent: Fields) -> None:
    """Raises FieldMissing unless an application is named."""
    if "appId" not in sent:
        raise errors.FieldMissing(field="appId")


def demand_expiry(sent: Fields) -> None:
    """Raises FieldMissing unless it is said when the key expires, or that it never does. What is neither true nor false
    is wrong and not missing."""
    never = sent.get("neverExpires", ["false"])
    if "expiresOn" not in sent and [each.lower() for each in never] == ["false"]:
        raise errors.FieldMissing(field="expiresOn")


def demand_any_change(sent: Fields) -> None:
    """Raises FieldMissing where nothing is said that could be modified."""
    if sent.keys().isdisjoint({"expiresOn", "neverExpires", "description"}):
        raise errors.FieldMissing(field="expiresOn")


def _fields(pairs: Iterable[tuple[str, str]], may_be_empty: Iterable[str] = ()) -> Fields:
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value)
    return {name: values for name, values in sent.items() if values != [""] or name in may_be_empty}


# --- times ---------------------------------------------------------------------------------------------------------


def instant(text: str, zone: ZoneInfo) -> int:
    """The epoch milliseconds of ``mm/dd/yyyy hh:mm:ss``, two digits each, as clocks in `zone` show it.

    Of a time that clocks show twice it is the first. Raises ValueError where no clock ever shows it: it is beyond the
    calendar, or skipped when summer time begins.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("not mm/dd/yyyy hh:mm:ss")
    local = datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=zone)
    try:
        moment = local.astimezone(UTC)
        shown = moment.astimezone(zone)
    except OverflowError as beyond:
        raise ValueError("beyond the calendar") from beyond
    if shown.replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError("a time that clocks skip")
    return (moment - EPOCH) // timedelta(milliseconds=1)


def shown(ms: int, zone: ZoneInfo) -> str:
    """``MM/DD/YYYY HH:MM:SS`` and the abbreviation of the zone's name, as clocks in `zone` show it."""
    moment = EPOCH + timedelta(milliseconds=ms)
    with suppress(OverflowError):  # the last hours of the year 9999 are beyond the calendar of zones that are ahead
        moment = moment.astimezone(zone)
    return f"{moment:%m/%d/%Y %H:%M:%S %Z}"


# --- forms ---------------------------------------------------------------------------------------------------------


def _only(values: list[str]) -> str:
    if len(values) != 1:
        raise ValueError("a field is named twice")
    return values[0]


def _never_expires(values: list[str]) -> bool:
    spelling = _only(values).lower()
    if spelling not in {"true", "false"}:
        raise ValueError("neither true nor false")
    return spelling == "true"


def _expires_on(values: list[str], info: ValidationInfo) -> int | None:
    if info.data.get("never_expires"):
        return None
    context: dict[str, Any] = info.context or {}
    expires_at_ms = instant(_only(values), context["zone"])
    if expires_at_ms <= context["now_ms"]:
        raise ValueError("a time that has passed")
    return expires_at_ms


def _description(values: list[str]) -> str:
    text = _only(values)
    if len(text) > LONGEST_DESCRIPTION or _has_controls(text):
        raise ValueError("too long, or not one line of text")
    return text


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(character) in _CONTROLS for character in text)


NeverExpires = Annotated[bool, BeforeValidator(_never_expires), Field(alias="neverExpires")]
ExpiresOn = Annotated[int | None, BeforeValidator(_expires_on), Field(alias="expiresOn")]
Description = Annotated[str, BeforeValidator(_description)]


class _Form(BaseModel):
    """The fields stand in the order in which they are looked at, and the first one decides.

    ``neverExpires`` true wins: ``expiresOn`` is then not even parsed.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    never_expires: NeverExpires = False
    expires_at_ms: ExpiresOn = None

    @classmethod
    def read(cls, sent: Fields, *, zone: ZoneInfo, now_ms: int) -> Self:
        """Raises FieldInvalid."""
        try:
            return cls.model_validate(sent, context={"zone": zone, "now_ms": now_ms})
        except ValidationError as invalid:
            raise refusals_of(invalid.errors(include_input=False, include_url=False))[0] from None


class AddAppApiKey(_Form):
    """What a new key is to be."""

    description: Description = ""


class ModifyAppApiKey(_Form):
    """What a key is to be from now on. What was not sent stays as it is."""

    description: Description | None = None

    def expiry_of(self, key: Key) -> int | None:
        """When `key` is to expire; None for never."""
        if self.never_expires:
            return None
        return key.expires_at_ms if self.expires_at_ms is None else self.expires_at_ms


# --- answers -------------------------------------------------------------------------------------------------------


class AppApiKeyMessage(BaseModel):
    """The answer to whatever is done to a key. `id` is the key itself."""

    id: str
    message: str


class AppApiKey(BaseModel):
    """A key, as the vendor shows it: with its secret, which it is called by."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, defer_build=True)

    token: str = Field(alias="appAPIKey", repr=False)
    description: str
    never_expires: bool = Field(alias="neverExpires")
    created_on: str = Field(alias="createdOn")
    updated_on: str = Field(alias="updatedOn")
    expires_on: str | None = Field(alias="expiresOn")

    @classmethod
    def of(cls, key: Key, token: str, zone: ZoneInfo) -> AppApiKey:
        return cls(
            token=token,
            description=key.description,
            never_expires=key.expires_at_ms is None,
            created_on=shown(key.created_at_ms, zone),
            updated_on=shown(key.modified_at_ms, zone),
            expires_on=None if key.expires_at_ms is None else shown(key.expires_at_ms, zone),
        )


class AppApiKeyDetails(BaseModel):
    status: int = 200
    result: AppApiKey


class AppApiKeys(BaseModel):
    status: int = 200
    result: list[AppApiKey]


# --- the login -----------------------------------------------------------------------------------------------------


class Login(BaseModel):
    """Who logs in. `provider` and `domain` are accepted and not looked at: there is one source of users."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    userid: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    provider: str | None = None
    domain: str | None = None

    @classmethod
    def read(cls, request: Request) -> Login:
        """From a JSON body, whose members must be known, or from a form. Raises what is wrong with the body."""
        try:
            return cls.model_validate(_login_members(request))
        except ValidationError as invalid:
            raise refusals_of(invalid.errors(include_input=False, include_url=False))[0] from None


def _login_members(request: Request) -> Any:
    if request.media_type == FORM:
        sent = form(request)
        return {name: _only_value(name, sent[name]) for name in Login.model_fields.keys() & sent.keys()}
    if request.media_type not in {JSON, None}:
        raise errors.ContentTypeRefused
    try:
        return strict_json.loads(request.body)
    except json.JSONDecodeError as unreadable:
        raise errors.BodyUnreadable from unreadable


def _only_value(name: str, values: list[str]) -> str:
    if len(values) != 1:
        raise errors.FieldInvalid(field=name)
    return values[0]


class Profile(BaseModel):
    email: str
    userid: str
    firstname: str
    lastname: str


class ClaimsToken(BaseModel):
    """`exp` is epoch milliseconds."""

    value: str = Field(repr=False)
    exp: int


class LoggedIn(BaseModel):
    """The vendor documents a refresh token and no endpoint that takes one. Ours is kept nowhere and opens nothing."""

    profile: Profile
    refresh_token: str
    claims_token: ClaimsToken

    @classmethod
    def of(cls, operator: Operator, issued: Issued) -> LoggedIn:
        firstname, _, lastname = operator.name.partition(" ")
        assert issued.key.expires_at_ms is not None
        return cls(
            profile=Profile(email=operator.email, userid=operator.id, firstname=firstname, lastname=lastname),
            refresh_token=tokens.new_code(),
            claims_token=ClaimsToken(value=issued.token.reveal(), exp=issued.key.expires_at_ms),
        )
