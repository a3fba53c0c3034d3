"""How a key is mailed: the letter, and what may stand in it.

A line break in a field that becomes a header starts another header, or ends them all (CVE-2024-6923, CVE-2026-1299),
and mail software disagrees on what a line break is. So no header holds anything that could be one, nor anything that
was given with the request but one address; nobody's name stands in a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
        if not 0 < len(self.subject) <= LONGEST_SUBJECT or not is_one_line(self.subject):
            raise ValueError(f"the subject of a mail is one line of 1 to {LONGEST_SUBJECT} characters")
        if _PLACEHOLDER.search(self.subject):
            raise ValueError("neither a key nor a name stands in the subject of a mail")
        placeholders = set(_PLACEHOLDER.findall(self.text))
        if "key" not in placeholders or placeholders - {"key", "owner"}:
            raise ValueError("the text of a mail holds {key}, may hold {owner}, and no other placeholder")
        if not all(map(is_one_line, self.text.split("\n"))):
            raise ValueError("the text of a mail holds no control characters but line feeds")

    def text_for(self, token: Token, owner_name: str) -> str:
        """The text with the key in it. What looks like a placeholder in the name stays what it is."""
        values = {"key": token.reveal(), "owner": owner_name}
        return _PLACEHOLDER.sub(lambda found: values[found[1]], self.text)
