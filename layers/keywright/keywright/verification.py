"""Verification: is this credential good, now?

One strongly consistent read by the token's digest, and never the vault; a second read where the kind's rules look at
the owner as it is at this moment. A refusal is a result. A credential of another tenant is unknown to the caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from keywright import tokens
from keywright.errors import ChannelNotFound, KeywrightError, OperatorDisabled, OwnerNotEligible, OwnerNotFound
from keywright.model import RULES, Channel, Grant, KeyKind, Owner, OwnerKind, Reason, Requirement, Verification
from keywright.ports import Desk, OwnerAt, Reading, TokenRef

VERIFIABLE = frozenset(kind for kind, rules in RULES.items() if rules.verifiable)
"""The kinds of key that a service behind may be shown."""
_UNKNOWN = Verification(Reason.UNKNOWN)
_NO_SUCH_BUNDLE = Verification(Reason.OWNER_NOT_ELIGIBLE, cause=ChannelNotFound)


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as it was shown: a token, alone or with the public half it belongs to.

    `digest` is None for what no format of ours could have made: it is refused without any read. `owner_id` is whom the
    credential was shown for, and `bundle_name` by which installed app, where the request says so.
    """

    digest: str | None
    key_id: str | None = None
    pairing_digest: str | None = None
    paired: bool = False
    owner_id: str | None = None
    bundle_name: str | None = None

    @classmethod
    def token(cls, text: str) -> Presented:
        return cls(_digest(text))

    @classmethod
    def with_key_id(cls, key_id: str, secret: str) -> Presented:
        return cls(_digest(secret), key_id=key_id)

    @classmethod
    def with_pairing(cls, pairing: str, token: str) -> Presented:
        return cls(_digest(token), pairing_digest=_digest(pairing), paired=True)

    @property
    def refs(self) -> tuple[TokenRef, ...]:
        """What must be read to judge it."""
        return () if self.digest is None else (TokenRef(self.digest),)

    def grant(self, reading: Reading) -> Grant | None:
        """What was read for it, if the public half fits."""
        if self.digest is None or (found := reading[TokenRef(self.digest)]) is None:
            return None
        if self.key_id is not None and not _same(self.key_id, found.key_id):
            return None
        if self.paired and not _same(self.pairing_digest or "", found.pairing_digest or "-"):
            return None
        return found


def verify(
    desk: Desk,
    tenant: str,
    presented: Presented,
    reading: Reading | None = None,
    *,
    kinds: Collection[KeyKind] = VERIFIABLE,
) -> Verification:
    """The verdict for a caller of `tenant`. `reading` is what was read already for `presented.refs`. A credential of
    other `kinds` is unknown."""
    if reading is None:
        reading = desk.store.read(*presented.refs)
    grant = presented.grant(reading)
    if grant is None or grant.owner.tenant != tenant or grant.kind not in kinds:
        return _UNKNOWN
    if reason := grant.refusal(desk.clock.now_ms()):
        return Verification(reason)
    if presented.owner_id not in (None, grant.owner.id):
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=OwnerNotFound)
    if presented.bundle_name is not None and grant.owner.kind is not OwnerKind.CHANNEL:
        return _NO_SUCH_BUNDLE
    if not (requirements := grant.rules.verify_requires):
        return Verification(None, grant)
    ref = OwnerAt(grant.owner)
    owner = desk.store.read(ref)[ref]
    if lacking := unmet(owner, requirements):
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=lacking)
    if presented.bundle_name is not None and not _is_bundle(owner, presented.bundle_name):
        return _NO_SUCH_BUNDLE
    return Verification(None, grant, owner)


def fulfils(owner: Owner | None, requirements: Iterable[Requirement]) -> bool:
    """Whether the owner, as it was read, is there and is all that is required of it."""
    return unmet(owner, requirements) is None


def unmet(owner: Owner | None, requirements: Iterable[Requirement]) -> type[KeywrightError] | None:
    """The first of the requirements that the owner, as it was read, does not fulfil; OwnerNotFound where it is gone."""
    if owner is None:
        return OwnerNotFound
    try:
        for requirement in requirements:
            requirement.check(owner)
    except (OwnerNotEligible, OperatorDisabled) as refusal:
        return type(refusal)
    return None


def _is_bundle(owner: Owner | None, name: str) -> bool:
    return isinstance(owner, Channel) and owner.bundle_name == name


def _digest(text: str) -> str | None:
    canonical = tokens.recognise(text)
    return None if canonical is None else canonical.fingerprint


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
