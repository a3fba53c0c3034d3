"""How a key is mailed: the letter, and what may stand in it.

A line break in a field that becomes a header starts another header, or ends them all (CVE-2024-6923, CVE-2026-1299),
and mail software disagrees on what a line break is. So no header holds anything that could be one, nor anything that
was given with the request but one address; nobody's name stands in a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from keywright.tokens import Token

LONGEST_ADDRESS: Final = 254
LONGEST_SUBJECT: Final = 200
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ONE_ADDRESS: Final = rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})*$"
"""The HTML standard's "valid e-mail address": one, without a display name. Nothing that it takes is a separator."""
_ADDRESS: Final = re.compile(ONE_ADDRESS.removesuffix("$"))
_BREAKS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")


def is_one_address(text: str) -> bool:
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def is_one_line(text: str) -> bool:
    """Whether no control character and no line separator of Unicode stands in `text`."""
    return _BREAKS.search(text) is None


def _check(subject: str, text: str, *, must: str, may: tuple[str, ...]) -> None:
    if not 0 < len(subject) <= LONGEST_SUBJECT or not is_one_line(subject):
        raise ValueError(f"the subject of a mail is one line of 1 to {LONGEST_SUBJECT} characters")
    if _PLACEHOLDER.search(subject):
        raise ValueError("neither a key nor a name stands in the subject of a mail")
    placeholders = set(_PLACEHOLDER.findall(text))
    if must not in placeholders or placeholders - {must, *may}:
        allowed = " and ".join(f"{{{each}}}" for each in may)
        raise ValueError(f"the text of a mail holds {{{must}}}, may hold {allowed}, and no other placeholder")
    if not all(map(is_one_line, text.split("\n"))):
        raise ValueError("the text of a mail holds no control characters but line feeds")


@dataclass(frozen=True, slots=True)
class Letter:
    """The mail that an installation sends. In `text` stand ``{key}`` and, where it likes, ``{owner}``, the name of the
    key's owner; the subject is always the same. Raises ValueError for a letter that could not be sent, or would not
    hold the key."""

    sender: str
    subject: str
    text: str

    def __post_init__(self) -> None:
        if not is_one_address(self.sender):
            raise ValueError("the sender is not one e-mail address")
        _check(self.subject, self.text, must="key", may=("owner",))

    def text_for(self, token: Token, owner_name: str) -> str:
        """The text with the key in it. What looks like a placeholder in the name stays what it is."""
        values = {"key": token.reveal(), "owner": owner_name}
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)


# --- warnings ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WarningLetter:
    """The mail that warns of an expiry. In `text` stand ``{key_id}`` and, where it likes, ``{owner}``,
    ``{description}``, ``{expires}`` and ``{days}``; of the secret there is nothing to fill in. Raises ValueError."""

    subject: str
    text: str

    def __post_init__(self) -> None:
        _check(self.subject, self.text, must="key_id", may=("owner", "description", "expires", "days"))

    def text_for(self, warning: Warned) -> str:
        """The text, filled in. What looks like a placeholder in a name or a description stays what it is."""
        expires = datetime.fromtimestamp(warning.expires_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
        values = {
            "key_id": warning.key_id,
            "owner": _BREAKS.sub(" ", warning.owner_name),
            "description": _BREAKS.sub(" ", warning.description) or "(none)",
            "expires": expires,
            "days": str(warning.days_left),
        }
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What a warning says: never anything of the secret."""

    key_id: str
    owner_name: str
    description: str
    expires_at_ms: int
    days_left: int


WARNING: Final = WarningLetter(
    "Your API key expires",
    "Hello {owner},\n\nan API key of yours expires soon.\n\n    Key:         {key_id}\n    Description: {description}\n"
    "    Expires:     {expires}\n    Days left:   {days}\n\n"
    "Replace or extend it before then; afterwards it opens nothing.\n",
)


# --- one-time links ------------------------------------------------------------------------------------------------

LINK_SUBJECT: Final = "An API key is waiting for you"
_LINK_TEXT: Final = """\
Hello,

an API key is waiting for you here:

    {url}

The page shows it once, and until {until} UTC. If it says that somebody opened the link before you, tell whoever sent
you the key at once: then the key is in other hands.
"""


def link_text(url: Token, until_ms: int) -> str:
    """The text of a mail with a one-time link."""
    until = datetime.fromtimestamp(until_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    return _LINK_TEXT.format(url=url.reveal(), until=until)
