"""Shapes of Sunshine Conversations. Bodies are closed: a member that is not here is refused."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from keywright.model import Key
from keywright.tokens import Token

LONGEST_NAME: Final = 100
_UNPRINTABLE: Final = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's controls, line and paragraph separators; joiners, of which emoji are made, are fine. Pydantic refuses lone
surrogates."""


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise ValueError("control characters are not accepted")
    return text


DisplayName = Annotated[
    str, Field(alias="displayName", min_length=1, max_length=LONGEST_NAME), AfterValidator(_printable)
]


class CreateKey(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    display_name: DisplayName


class KeyWithSecret(BaseModel):
    """The vendor shows the secret whenever it shows the key."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, defer_build=True)

    id: str
    display_name: str = Field(alias="displayName")
    secret: str = Field(repr=False)

    @classmethod
    def of(cls, key: Key, token: Token) -> KeyWithSecret:
        return cls(id=key.id, display_name=key.description, secret=token.reveal())


class KeyResponse(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    key: KeyWithSecret


class KeyListResponse(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    keys: list[KeyWithSecret]


class DeletedKey(BaseModel):
    """``{}``."""
