"""Verification: is this credential good, now?

One strongly consistent read by the token's digest, and never the vault; a second read where the kind's rules look at
the owner as it is at this moment; one conditional write where the key has limits. Where its owner allows it, what was
read may be believed for a while: see `keywright.caching`. A refusal is a result. A credential of another tenant is
unknown to the caller.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from keywright import addresses, limits, tokens
from keywright.errors import ChannelNotFound, KeywrightError, OperatorDisabled, OwnerNotEligible, OwnerNotFound
from keywright.gate import Gate
from keywright.grants import Grant, Reason, Verification
from keywright.kinds import RULES, KeyKind, OwnerKind, Requirement
from keywright.limits import Limits, Spending
from keywright.reading import OwnerAt, Reading, TokenRef
from keywright.usage import LastUse, Use

if TYPE_CHECKING:
    from keywright.model import Owner

VERIFIABLE = frozenset(kind for kind, rules in RULES.items() if rules.verifiable)
"""The kinds of key that a service behind may be shown."""
MOST_AT_ONCE: Final = 50
"""How many credentials one call verifies."""
_UNKNOWN = Verification(Reason.UNKNOWN)
_OVER: Final = {limits.RATE: Reason.RATE_LIMITED, limits.QUOTA: Reason.QUOTA_EXCEEDED}
_ONE_USE: Final = Use()
_SIDE_BY_SIDE: Final = 8
T = TypeVar("T")
R = TypeVar("R")


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
        return None if self.digest is None else self.fitting(reading[TokenRef(self.digest)])

    def fitting(self, found: Grant | None) -> Grant | None:
        """What was found under its digest, if the public half fits."""
        if found is None:
            return None
        if self.key_id is not None and not _same(self.key_id, found.key_id):
            return None
        if self.paired and not _same(self.pairing_digest or "", found.pairing_digest or "-"):
            return None
        return found


def verify(
    desk: Gate,
    tenant: str,
    presented: Presented,
    reading: Reading | None = None,
    *,
    kinds: Collection[KeyKind] = VERIFIABLE,
    use: Use = _ONE_USE,
    read_at_ms: int | None = None,
) -> Verification:
    """The verdict for a caller of `tenant`. A credential of other `kinds` is unknown.

    `reading` is what was read already for `presented.refs`, from `read_at_ms` on; without that, or where it does not
    hold them, this process may remember them, or they are read. `use` is what the credential is used for: it is counted
    where the key has limits, and noted; nobody waits for the note. A key that only some addresses may use is refused
    where `use` names none. Raises Unavailable.
    """
    grant = _found(desk, presented, reading, read_at_ms)
    verdict = _at_sight(desk, tenant, presented, grant, kinds, use)
    if verdict.grant is None:
        return verdict
    if verdict.grant.rules.verify_requires:
        ref = OwnerAt(verdict.grant.owner)
        verdict = _with_owner(verdict, desk.store.read(ref)[ref], presented)
    return admitted(desk, verdict, use)


class Asked(NamedTuple):
    """One of several verifications: `kinds` and `use` as for `verify`."""

    presented: Presented
    kinds: Collection[KeyKind] = VERIFIABLE
    use: Use = _ONE_USE


def verify_all(desk: Gate, tenant: str, asked: Sequence[Asked], reading: Reading) -> list[Verification]:
    """The verdicts, in order. `reading` holds the references of all; owners are read together, and limits are asked for
    side by side. A credential that is there twice is used twice. Raises Unavailable, and then some uses may have been
    counted."""
    verdicts = [
        _at_sight(desk, tenant, each.presented, each.presented.grant(reading), each.kinds, each.use) for each in asked
    ]
    grants = (verdict.grant for verdict in verdicts if verdict.grant is not None)
    owners = [*dict.fromkeys(OwnerAt(grant.owner) for grant in grants if grant.rules.verify_requires)]
    found = desk.store.read(*owners) if owners else None
    for n, verdict in enumerate(verdicts):
        if found is not None and verdict.grant is not None and verdict.grant.rules.verify_requires:
            verdicts[n] = _with_owner(verdict, found[OwnerAt(verdict.grant.owner)], asked[n].presented)
    return _side_by_side(
        lambda n: admitted(desk, verdicts[n], asked[n].use),
        range(len(asked)),
        several=sum(_is_limited(verdict.grant) for verdict in verdicts) > 1,
    )


def _side_by_side(deed: Callable[[T], R], each: Iterable[T], *, several: bool) -> list[R]:
    if not several:
        return [deed(one) for one in each]
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  only a batch needs it

    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        return [*threads.map(deed, each)]


def _is_limited(grant: Grant | None) -> bool:
    return grant is not None and (grant.rate_limit is not None or grant.quota is not None)


def _found(desk: Gate, presented: Presented, reading: Reading | None, read_at_ms: int | None) -> Grant | None:
    if presented.digest is None:
        return None
    ref = TokenRef(presented.digest)
    if reading is None or ref not in reading:
        read_at_ms = desk.clock.now_ms()
        if kept := desk.cache.find(ref.digest, read_at_ms):
            return presented.fitting(kept)
        reading = desk.store.read(ref)
    grant = reading[ref]
    if grant is not None and read_at_ms is not None:
        desk.cache.keep(ref.digest, grant, read_at_ms)
    return presented.fitting(grant)


def _at_sight(
    desk: Gate, tenant: str, presented: Presented, grant: Grant | None, kinds: Collection[KeyKind], use: Use
) -> Verification:
    """The verdict as far as the token's own row tells: of what is not refused by that, the grant."""
    if grant is None or grant.owner.tenant != tenant or grant.kind not in kinds:
        return _UNKNOWN
    if reason := grant.refusal(desk.clock.now_ms()):
        return Verification(reason, known=grant)
    if presented.owner_id not in (None, grant.owner.id):
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=OwnerNotFound, known=grant)
    if presented.bundle_name is not None and grant.owner.kind is not OwnerKind.CHANNEL:
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=ChannelNotFound, known=grant)
    if not addresses.allows(grant.allowed_cidrs, use.address):
        return Verification(Reason.ADDRESS_NOT_ALLOWED, known=grant)
    return Verification(None, grant, known=grant)


def _with_owner(verdict: Verification, owner: Owner | None, presented: Presented) -> Verification:
    """The verdict when the owner, as it is now, was looked at too."""
    assert verdict.grant is not None
    if lacking := unmet(owner, verdict.grant.rules.verify_requires):
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=lacking, known=verdict.grant)
    if presented.bundle_name is not None and not _is_bundle(owner, presented.bundle_name):
        return Verification(Reason.OWNER_NOT_ELIGIBLE, cause=ChannelNotFound, known=verdict.grant)
    return replace(verdict, owner=owner)


def admitted(desk: Gate, verdict: Verification, use: Use) -> Verification:
    """The last step of any verification: the use of a key that is good in all else is counted, and noted."""
    if (grant := verdict.grant) is None or use.cost == 0:
        return verdict
    now_ms, spending = desk.clock.now_ms(), None
    if _is_limited(grant):
        held_to = Limits(grant.rate_limit, grant.quota)
        if held_to.affordable(use.cost):
            spending = desk.store.spend(grant.key_id, held_to, use.cost, now_ms)
        else:
            spending = Spending.unaffordable(held_to, use.cost)
        if spending.refused_by is not None:
            return Verification(_OVER[spending.refused_by], spending=spending, known=grant)
    desk.notes.note(grant.key_id, grant.version, LastUse.of(use, now_ms))
    return verdict if spending is None else replace(verdict, spending=spending)


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
    from keywright.model import Channel  # noqa: PLC0415  loaded already, where an owner was read

    return isinstance(owner, Channel) and owner.bundle_name == name


def _digest(text: str) -> str | None:
    canonical = tokens.recognise(text)
    return None if canonical is None else canonical.fingerprint


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
