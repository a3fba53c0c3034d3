"""Shapes of SupportCenter Plus: the parameters of query and form, and the details of answers, all of them strings.

Parameter names are case-sensitive. Those that an operation does not know are ignored, because vendor clients add some
for their routing. A blank one is missing where it is mandatory and wrong where it is not: an `expiresOn` that a script
left empty must not become a key that never expires.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from keywright import errors, model
from keywright.edge import FORM, Request, refusals_of
from keywright.mail import LONGEST_ADDRESS, ONE_ADDRESS
from keywright.tokens import Token

NEVER: Final = "-1"
LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, beyond which other surfaces could not print the date."""
MOST_ROWS: Final = 100

ParametersT = TypeVar("ParametersT", bound="RepKeyParameters")


def _mandatory(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("missing", "blank")
    return text


def _printable(text: str) -> str:
    # U+FFFD is what became of bytes that were no UTF-8: no name that anybody gave.
    if not text.isprintable() or "\ufffd" in text:
        raise ValueError("control characters are not accepted")
    return text


def _in_the_future(text: str, info: ValidationInfo[dict[str, Any]]) -> str:
    if text != NEVER and not info.context["now_ms"] < int(text) <= LATEST_MS:
        raise ValueError("not in the future")
    return text


def _decimal(text: str) -> int:
    # int() would take "+1", "1_0" and the digits of other scripts as well.
    if not re.fullmatch("[0-9]{1,9}", text):
        raise ValueError("not a decimal number")
    return int(text)


Name = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_printable)]
Login = Annotated[Name, BeforeValidator(_mandatory)]
Address = Annotated[str, Field(max_length=LONGEST_ADDRESS, pattern=ONE_ADDRESS)]
ExpiresOn = Annotated[str, Field(pattern=r"^(?:-1|[1-9][0-9]{0,14})$"), AfterValidator(_in_the_future)]
Count = Annotated[int, BeforeValidator(_decimal), Field(ge=1)]


class RepKeyParameters(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)


class OfOneRep(RepKeyParameters):
    support_rep: Login


class GenerateApiKey(OfOneRep):
    expires_on: ExpiresOn = NEVER
    email_id: Address | None = None

    @property
    def expires_at_ms(self) -> int | None:
        return _expires_at_ms(self.expires_on)


class ListApiKeys(RepKeyParameters):
    support_rep: Name | None = None
    business_unit: Name | None = None
    start_index: Count = 1
    row_count: Annotated[Count, Field(le=MOST_ROWS)] = 25


class EmailApiKey(OfOneRep):
    email_id: Annotated[Address, BeforeValidator(_mandatory)]


class RegenerateApiKey(OfOneRep):
    expires_on: ExpiresOn | None = None
    email_id: Address | None = None

    def expires_at_ms(self, key: model.Key) -> int | None:
        """When the new key expires: as `key` would have, unless told otherwise."""
        return key.expires_at_ms if self.expires_on is None else _expires_at_ms(self.expires_on)


def readable_form(request: Request) -> Sequence[tuple[str, str]]:
    """The form as far as it can be read, with no refusal. Who asks, and in what style, is settled before what is asked:
    a form that is too large or misspelt is refused for that later, and looked through for these all the same."""
    if request.media_type != FORM:
        return []
    try:
        return parse_qsl(request.event.decoded_body or "", max_num_fields=100)
    except ValueError:
        return []


def asked(parameters: type[ParametersT], request: Request, now_ms: int) -> ParametersT:
    """What the request asks for, from query and form together.

    Raises BodyUnreadable, BodyTooLarge, FieldMissing, FieldInvalid; a parameter with two different values is invalid.
    """
    if request.body and request.media_type != FORM:
        raise errors.BodyUnreadable
    given: dict[str, str] = {}
    ambiguous: list[str] = []
    known = {field.alias for field in parameters.model_fields.values()}
    for name, value in (*request.query, *request.form):
        if given.setdefault(name, value) != value and name in known:
            ambiguous.append(name)
    try:
        valid = parameters.model_validate(given, context={"now_ms": now_ms})
    except ValidationError as invalid:
        raise refusals_of(invalid.errors(include_input=False, include_url=False))[0] from None
    if ambiguous:
        raise errors.FieldInvalid(field=ambiguous[0])
    return valid


class RepKeyDetails(BaseModel):
    """A new key."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)

    support_rep: str
    apikey: str = Field(repr=False)
    created_time: str
    expires_on: str

    @classmethod
    def of(cls, key: model.Key, token: Token) -> RepKeyDetails:
        return cls(
            support_rep=key.owner.id,
            apikey=token.reveal(),
            created_time=str(key.newest.created_at_ms),
            expires_on=_expires_on(key),
        )


class RepKeyRow(BaseModel):
    """A line of the list."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, defer_build=True)

    support_rep: str
    support_rep_name: str
    business_unit: str
    apikey: str = Field(repr=False)
    created_time: str
    expires_on: str

    @classmethod
    def of(cls, rep: model.SupportRep, key: model.Key, token: Token) -> RepKeyRow:
        return cls(
            support_rep=rep.id,
            support_rep_name=rep.name,
            business_unit=rep.business_unit,
            apikey=token.reveal(),
            created_time=str(key.newest.created_at_ms),
            expires_on=_expires_on(key),
        )


def _expires_at_ms(expires_on: str) -> int | None:
    return None if expires_on == NEVER else int(expires_on)


def _expires_on(key: model.Key) -> str:
    return NEVER if key.expires_at_ms is None else str(key.expires_at_ms)
