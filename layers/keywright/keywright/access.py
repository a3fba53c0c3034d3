"""Who is calling, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keywright import errors
from keywright.model import Creator, Grant, KeyKind, OwnerRef

BEYOND_THE_TENANT: Final = "installation"
_SEGMENTS: Final = re.compile(r"[:.]")


@dataclass(frozen=True, slots=True)
class Principal:
    """The result of authentication. The tenant of everything a request touches is this one's and no other."""

    key_id: str
    kind: KeyKind
    owner: OwnerRef
    scopes: tuple[str, ...]

    @property
    def tenant(self) -> str:
        return self.owner.tenant

    def creator(self, name: str | None = None) -> Creator:
        return Creator(self.owner.id, name or self.owner.id)

    def may(self, scope: str) -> bool:
        return permits(self.scopes, scope)

    def demand(self, scope: str) -> None:
        """Raises ScopeMissing unless the caller holds `scope`."""
        if not self.may(scope):
            raise errors.ScopeMissing


def principal(grant: Grant | None, now_ms: int, kinds: Iterable[KeyKind]) -> Principal:
    """The caller behind `grant`.

    Raises CredentialsRefused for every cause alike: a token that is unknown, switched off, expired or revoked, or of a
    kind that is no credential here.
    """
    if grant is None or grant.kind not in kinds or grant.refusal(now_ms) is not None:
        raise errors.CredentialsRefused
    return Principal(grant.key_id, grant.kind, grant.owner, grant.scopes)


def permits(granted: Iterable[str], needed: str) -> bool:
    """Whether one of the granted scopes covers `needed`.

    A scope is segments between colons or full stops; a last segment ``*`` stands for all that follow. ``*`` alone is
    everything within the tenant: what reaches beyond it (``installation:...``) must be granted by name.
    """
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
    if granted[-1] == "*":
        return len(needed) >= len(granted) and needed[: len(granted) - 1] == granted[:-1]
    return granted == needed
