"""Token formats: generation, recognition, canonical spelling, digest. The only module that makes secrets.

A token is what a holder presents. Only the SHA-256 of its canonical spelling is ever used to find it: with at least
122 random bits there is nothing to guess, so a fast hash is the right one (NIST SP 800-63B 3.1.3.2). Two formats are
compared without case by their vendors and one may arrive percent-encoded; each has exactly one canonical spelling,
or the same key could be presented under several digests.

A native token is ``kw_<stage>_`` + 43 characters (256 random bits in base 62) + a 6-character checksum (CRC-32 of
all that stands before it, in base 62). The checksum proves nothing; it lets garbage be refused before any call is made
and lets leak scanners find tokens without false alarms.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import string
import threading
import zlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final
from urllib.parse import quote, unquote

_BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_NATIVE: Final = re.compile(r"(kw_[a-z0-9]{1,16}_[0-9A-Za-z]{43})([0-9A-Za-z]{6})")
_GUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_BEARER: Final = re.compile(r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{86}")
_PAIRING: Final = re.compile(r"[0-9A-Za-z]{64}")
_LINK: Final = re.compile(r"[0-9A-Za-z]{43}")
_ID: Final = re.compile(r"[0-9a-f]{24}")
_ACCESS_KEY_BYTES: Final = (112, 120)
LONGEST: Final = 480
"""No token of ours, however it is percent-encoded, is longer; what is longer is refused unread."""


class Format(StrEnum):
    """How a token is written."""

    NATIVE = "native"
    ACCESS_KEY_112 = "access_key_112"
    """112 random bytes in base64, percent-encoded."""
    ACCESS_KEY_120 = "access_key_120"
    PAIRING = "pairing"
    """64 of [0-9A-Za-z]; never valid alone."""
    BEARER = "bearer"
    """``1000.<32 hex>.<32 hex>``."""
    GUID_UPPER = "guid_upper"
    """A random UUID version 4 in capitals, compared without case."""
    GUID_LOWER = "guid_lower"
    SECRET = "secret"
    """64 random bytes in base64url, 86 characters."""


class Token:
    """A secret in the clear. It shows itself to nobody who does not call `reveal`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the canonical spelling. Raises ValueError where the text is no token of ours."""
        canonical = recognise(self._text)
        if canonical is None:
            raise ValueError("not a token")
        return canonical.fingerprint

    def __repr__(self) -> str:
        return "Token(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Token) and secrets.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash would be an oracle, and no secret belongs into a set

    def __reduce__(self) -> str:
        raise TypeError("a token is not pickled")


class Canonical:
    """The one spelling of a presented token, reduced at once to what may be kept of it."""

    __slots__ = ("fingerprint",)

    def __init__(self, spelling: str) -> None:
        self.fingerprint = hashlib.sha256(spelling.encode()).hexdigest()


def generate(form: Format, *, stage: str) -> Token:
    """A new token. `stage` marks the installation in native tokens: 1 to 16 of [a-z0-9]."""
    match form:
        case Format.NATIVE:
            body = f"kw_{stage}_{_random_base62(43)}"
            return Token(body + _checksum(body))
        case Format.ACCESS_KEY_112 | Format.ACCESS_KEY_120:
            length = 112 if form is Format.ACCESS_KEY_112 else 120
            return Token(quote(base64.b64encode(secrets.token_bytes(length)).decode(), safe=""))
        case Format.PAIRING:
            return Token(_random_base62(64))
        case Format.BEARER:
            return Token(f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}")
        case Format.GUID_UPPER:
            return Token(_random_guid().upper())
        case Format.GUID_LOWER:
            return Token(_random_guid())
        case Format.SECRET:
            return Token(secrets.token_urlsafe(64))


def recognise(text: str) -> Canonical | None:
    """The canonical form of `text`, or None where no format of ours could have made it (so no call need be made)."""
    if len(text) > LONGEST or not text.isascii():
        return None
    if native := _NATIVE.fullmatch(text):
        return Canonical(text) if _checksum(native[1]) == native[2] else None
    if _GUID.fullmatch(text):
        return Canonical(text.lower())
    if _BEARER.fullmatch(text) or _SECRET.fullmatch(text) or _PAIRING.fullmatch(text):
        return Canonical(text)
    return _recognise_access_key(text)


def new_id(prefix: str) -> str:
    """An identifier that is no secret: `prefix` and 24 hexadecimal digits, 96 random bits."""
    return f"{prefix}{secrets.token_hex(12)}"


def new_link_token() -> Token:
    """256 random bits in base 62, so that no mail program cuts off a last character that is no letter. It opens a
    one-time link and is no key: `recognise` takes it for nothing."""
    return Token(_random_base62(43))


def link_digest(text: str) -> str | None:
    """SHA-256, in hex, of what may be the token of a one-time link; None of what can be none."""
    return hashlib.sha256(text.encode()).hexdigest() if _LINK.fullmatch(text) else None


def new_link_id(at_ms: int) -> str:
    """An identifier that sorts by time: ``link_`` and 24 hexadecimal digits, 48 bits of epoch milliseconds and 48
    random ones."""
    return f"link_{at_ms:012x}{secrets.token_hex(6)}"


def new_event_id(at_ms: int) -> str:
    """An identifier that sorts by time: ``evt_`` and a ULID (github.com/ulid/spec), which is 48 bits of epoch
    milliseconds and 80 random ones in Crockford's base 32. Those that one process makes in one millisecond count up,
    so they sort as they were made."""
    global _latest_event  # noqa: PLW0603  the order is the process's
    with _one_event_at_a_time:
        before_ms, before = _latest_event
        # The highest bit is left free for counting up.
        number = before + 1 if at_ms == before_ms else secrets.randbits(79)
        _latest_event = at_ms, number
    bits = at_ms << 80 | number
    return "evt_" + "".join(_CROCKFORD[bits >> shift & 31] for shift in range(125, -1, -5))


_latest_event = (-1, 0)
_one_event_at_a_time: Final = threading.Lock()
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def is_id(text: str, prefixes: Iterable[str]) -> bool:
    """Whether `new_id` can have made it with one of the prefixes. What it cannot have made need not be looked for."""
    return any(text.startswith(prefix) and _ID.fullmatch(text, len(prefix)) for prefix in prefixes)


def new_number() -> str:
    """An identifier of 24 decimal digits: what every dialect accepts as the id of an app."""
    return str(10**23 + secrets.randbelow(9 * 10**23))


def new_code() -> str:
    """64 hexadecimal digits that come with a channel; an identifier, no secret."""
    return secrets.token_hex(32)


def new_serial() -> str:
    """A lower-case UUID version 4 that names a version, and opens nothing."""
    return _random_guid()


def _recognise_access_key(text: str) -> Canonical | None:
    spelling = unquote(text)
    try:
        raw = base64.b64decode(spelling, validate=True)
    except ValueError:  # no base64, or percent-decoded to what is not even ASCII
        return None
    # Spare bits of the last base64 character would give one key several spellings: only the one we print counts.
    if len(raw) not in _ACCESS_KEY_BYTES or base64.b64encode(raw).decode() != spelling:
        return None
    return Canonical(spelling)


def _random_guid() -> str:
    from uuid import UUID  # noqa: PLC0415  it loads all of `platform`, and what only verifies makes none

    return str(UUID(bytes=secrets.token_bytes(16), version=4))


def _random_base62(length: int) -> str:
    text = ""
    while len(text) < length:
        # 248 is four times 62. A larger byte is thrown away: it would make some characters likelier than others.
        text += "".join(_BASE62[byte % 62] for byte in secrets.token_bytes(length) if byte < 248)
    return text[:length]


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
