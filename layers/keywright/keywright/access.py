"""Who is calling, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keywright import addresses, errors
from keywright.grants import Grant
from keywright.kinds import KeyKind, OwnerRef

if TYPE_CHECKING:
    from keywright.model import Creator

BEYOND_THE_TENANT: Final = "installation"
_SEGMENTS: Final = re.compile(r"[:.]")


@dataclass(frozen=True, slots=True)
class Principal:
    """The result of authentication. The tenant of everything a request touches is this one's and no other."""

    key_id: str
    kind: KeyKind
    owner: OwnerRef
    scopes: tuple[str, ...]
    allowed_cidrs: tuple[str, ...] = ()

    @property
    def tenant(self) -> str:
        return self.owner.tenant

    def creator(self, name: str | None = None) -> Creator:
        from keywright.model import Creator  # noqa: PLC0415  whoever creates something has loaded it

        return Creator(self.owner.id, name or self.owner.id)

    def may(self, scope: str) -> bool:
        return permits(self.scopes, scope)

    def check_address(self, address: str) -> None:
        """Raises CredentialsRefused, as for whatever else is not good, unless the key may be used from there."""
        if not addresses.allows(self.allowed_cidrs, address):
            raise errors.CredentialsRefused

    def demand(self, scope: str) -> None:
        """Raises ScopeMissing unless the caller holds `scope`."""
        if not self.may(scope):
            raise errors.ScopeMissing(detail=f"It takes the scope {scope}.")


def principal(grant: Grant | None, now_ms: int, kinds: Iterable[KeyKind]) -> Principal:
    """The caller behind `grant`.

    Raises CredentialsRefused for every cause alike: a token that is unknown, switched off, expired or revoked, or of a
    kind that is no credential here.
    """
    if grant is None or grant.kind not in kinds or grant.refusal(now_ms) is not None:
        refused = errors.CredentialsRefused()
        refused.presented = grant
        raise refused
    return Principal(grant.key_id, grant.kind, grant.owner, grant.scopes, grant.allowed_cidrs)


def presented(refused: BaseException | None) -> Grant | None:
    """What was read for a credential that was refused, where the refusal or what caused it knows that."""
    while refused is not None:
        if isinstance(refused, errors.CredentialsRefused) and isinstance(refused.presented, Grant):
            return refused.presented
        refused = refused.__cause__
    return None


def permits(granted: Iterable[str], needed: str) -> bool:
    """Whether one of the granted scopes covers `needed`.

    A scope is segments between colons or full stops. A segment ``*`` after the first stands for any one, and as the
    last for all that follow; ``*`` alone is everything within the tenant: what reaches beyond it
    (``installation:...``) must be granted by name.
    """
    granted = tuple(granted)
    if needed in granted:
        return True
    wanted = _SEGMENTS.split(needed)
    return any(_covers(_SEGMENTS.split(scope), wanted) for scope in granted)


def contain(granted: Iterable[str], wanted: Iterable[str]) -> None:
    """Raises ScopeMissing where something wanted is not already held: nobody hands out more than they have."""
    granted = tuple(granted)
    if not all(permits(granted, scope) for scope in wanted):
        raise errors.ScopeMissing(field="scopes")


def _covers(granted: list[str], needed: list[str]) -> bool:
    if granted == ["*"]:
        return needed[0] != BEYOND_THE_TENANT
    if granted[0] != needed[0]:
        return False
    if granted[-1] == "*":
        granted, needed, rest = granted[:-1], needed[: len(granted) - 1], needed[len(granted) - 1 :]
        if not rest:
            return False
    return len(granted) == len(needed) and all(map(_stands_for, granted, needed))


def _stands_for(granted: str, needed: str) -> bool:
    return granted in ("*", needed)
