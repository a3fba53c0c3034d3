"""JSON Web Tokens that callers sign with a key's secret: HS256 (RFC 7515, RFC 7518 3.2), and nothing else.

Read by hand because the general libraries are laxer than a credential should be: they let pass added padding, members
named twice, times that are no integers and secrets of a few bytes. What is accepted here has exactly one spelling.

A token names its key (`kid`), and that key's record alone says whose the token is. It claims the `scope` that its kind
of key has, and may say when it is over (`exp`) and when it begins (`nbf`). Further claims are ignored; further members
of the header are refused, `crit` among them.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from keywright import addresses, strict_json, tokens
from keywright.errors import Fault, Unavailable
from keywright.limits import Spending
from keywright.model import RULES, Grant, Key, Reason, Verification
from keywright.ports import Desk, KeyRef, OwnerAt, Reading, SealedSecret
from keywright.tokens import Token
from keywright.usage import Use
from keywright.verification import admitted, fulfils

LONGEST: Final = 8_192
"""Characters. API Gateway takes 10,240 bytes for all headers together."""
SHORTEST_SECRET: Final = 32
"""Bytes: as many as the hash has (RFC 7518 3.2)."""
NOT_BEFORE_LEEWAY_SECONDS: Final = 60
OVER: Final = frozenset({Reason.DISABLED, Reason.EXPIRED, Reason.REVOKED})
"""What is said of a key that is there and signs nothing any more, or not for now."""
_ONE_USE: Final = Use()
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})
_SIGNERS: Final = frozenset(rules.id_prefix for rules in RULES.values() if rules.jwt_scope is not None)
"""What the ids of keys that sign begin with."""


class Flaw(StrEnum):
    """Why a token is refused for its own sake, and not for its key's."""

    MALFORMED = "malformed"
    WRONG_SCOPE = "wrong_scope"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    WRONG_SIGNATURE = "wrong_signature"


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself. Nothing of it is true until `is_signed_with` says so of the secret it names."""

    key_id: str
    scope: str
    expires_at: int | None
    not_before: int | None
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def ref(self) -> KeyRef:
        """What must be read to judge it."""
        return KeyRef(self.key_id)

    def untimely(self, now_ms: int) -> Flaw | None:
        """By the token's own times, in seconds: over at `expires_at` itself, and early by at most the leeway."""
        if self.expires_at is not None and now_ms >= self.expires_at * 1000:
            return Flaw.TOKEN_EXPIRED
        if self.not_before is not None and now_ms < (self.not_before - NOT_BEFORE_LEEWAY_SECONDS) * 1000:
            return Flaw.TOKEN_NOT_YET_VALID
        return None

    def is_signed_with(self, secret: Token) -> bool:
        """The HMAC's key is the secret's text as it was issued, not the bytes it decodes to."""
        key = secret.reveal().encode()
        return len(key) >= SHORTEST_SECRET and hmac.compare_digest(
            hmac.digest(key, self.signed, "sha256"), self.signature
        )


@dataclass(frozen=True, slots=True)
class Verified:
    """A refused verification is a result, not an error. Only a valid token has a `grant` and a `scope`.

    `expires_at_ms` is when it stops of itself, by its own expiry or its key's; None means that it does not. `known` is
    what there is about a key of the tenant's that did sign the token and is not good: for the tenant's own records, and
    never to open anything.
    """

    reason: Reason | Flaw | None
    grant: Grant | None = None
    scope: str | None = None
    expires_at_ms: int | None = None
    spending: Spending | None = None
    known: Grant | None = field(default=None, compare=False)

    @property
    def valid(self) -> bool:
        return self.reason is None


def read(text: str) -> Unverified:
    """The token taken apart. Raises ValueError for whatever is not exactly what a key of ours can have signed."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    header_part, payload_part, signature_part = text.split(".")
    header, payload = _members(header_part), _members(payload_part)
    if not header.keys() <= _HEADER_MEMBERS or header.get("alg") != "HS256" or header.get("typ", "JWT") != "JWT":
        raise ValueError("not a header of ours")
    key_id = _string(header, "kid")
    if not tokens.is_id(key_id, _SIGNERS):
        raise ValueError("no key that signs")
    return Unverified(
        key_id=key_id,
        scope=_string(payload, "scope"),
        expires_at=_integer(payload, "exp"),
        not_before=_integer(payload, "nbf"),
        signed=f"{header_part}.{payload_part}".encode(),
        signature=_decoded(signature_part),
    )


def is_compact(text: str) -> bool:
    """Whether something is written as JSON Web Tokens are, whatever it says (RFC 7515 7.1)."""
    header, *others = text.split(".")
    try:
        return len(others) == 2 and "alg" in _members(header)
    except ValueError:
        return False


def refs(text: str) -> tuple[KeyRef, ...]:
    """What must be read to verify it; nothing where it is refused as it stands."""
    try:
        return (read(text).ref,)
    except ValueError:
        return ()


def judge(desk: Desk, token: Unverified, key: Key | None) -> Reason | Flaw | None:
    """Why a token is refused, or None. `key` is what was read for its `ref`.

    The vault is asked last, once, and not for what is refused anyway. Whether the key's owner is as the key requires is
    left to whoever asks.
    """
    if key is None or key.deleted_at_ms is not None:
        return Reason.UNKNOWN
    now_ms = desk.clock.now_ms()
    if over := Grant.of(key, key.newest).refusal(now_ms):
        return over
    if token.scope != key.rules.jwt_scope:
        return Flaw.WRONG_SCOPE
    if flaw := token.untimely(now_ms):
        return flaw
    return None if _is_signed(desk, token, key) else Flaw.WRONG_SIGNATURE


def dead_signer(desk: Desk, token: Unverified, key: Key) -> Grant | None:
    """The grant of a key that `judge` found to be over, if it did sign the token: whoever knows a key's public id can
    write a token in its name, and that is no use of the key. None too where the vault does not open its secret: the
    verdict needs no vault."""
    try:
        return Grant.of(key, key.newest) if _is_signed(desk, token, key) else None
    except (Fault, Unavailable):
        return None


def verify(
    desk: Desk,
    tenant: str,
    text: str,
    reading: Reading,
    use: Use = _ONE_USE,
    *,
    known_if: frozenset[Reason] = OVER,
) -> Verified:
    """The verdict for a caller of `tenant`; `reading` holds what `refs` names. Another tenant's key is unknown. `use`
    is as for `keywright.verification.verify`. Of a key in `OVER` it costs a call of the vault to learn whether it did
    sign: it is made only where the reason is among those in which somebody will look at `known`."""
    try:
        token = read(text)
    except ValueError:
        return Verified(Flaw.MALFORMED)
    key = reading[token.ref]
    if key is None or key.tenant != tenant:
        return Verified(Reason.UNKNOWN)
    if refused := judge(desk, token, key):
        return Verified(refused, known=dead_signer(desk, token, key) if refused in known_if else None)
    grant = Grant.of(key, key.newest)
    if requirements := key.rules.verify_requires:
        owner = OwnerAt(key.owner)
        if not fulfils(desk.store.read(owner)[owner], requirements):
            return Verified(Reason.OWNER_NOT_ELIGIBLE, known=grant)
    if not addresses.allows(grant.allowed_cidrs, use.address):
        return Verified(Reason.ADDRESS_NOT_ALLOWED, known=grant)
    verdict = admitted(desk, Verification(None, grant), use)
    if verdict.grant is None:
        return Verified(verdict.reason, spending=verdict.spending, known=grant)
    own_expiry = None if token.expires_at is None else token.expires_at * 1000
    ends = [end for end in (own_expiry, key.expires_at_ms) if end is not None]
    return Verified(None, grant, token.scope, min(ends, default=None), verdict.spending)


def _is_signed(desk: Desk, token: Unverified, key: Key) -> bool:
    [secret] = desk.vault.reveal([SealedSecret.of(key, key.newest)])
    return token.is_signed_with(secret)


def _decoded(part: str) -> bytes:
    """base64url without padding, in its one canonical spelling: Python decodes many others to the same bytes."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise ValueError("not canonical")
    return raw


def _members(part: str) -> dict[str, Any]:
    value = strict_json.loads(_decoded(part).decode())
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004  `read` raises ValueErrors
    return value


def _string(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ValueError("no string")  # noqa: TRY004
    return value


def _integer(members: dict[str, Any], name: str) -> int | None:
    """None only where the member is absent; booleans are integers to Python, and not to JSON."""
    if name not in members:
        return None
    value = members[name]
    if type(value) is not int:
        raise ValueError("no integer")
    return value
