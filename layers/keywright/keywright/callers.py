"""Whoever calls the native API: an operator, by a native token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keywright import errors
from keywright.access import Principal, principal
from keywright.gate import Gate
from keywright.kinds import KeyKind, OwnerKind
from keywright.reading import Reading, Ref, TokenRef
from keywright.verification import Presented


def operator(desk: Gate, presented: Presented, also: Iterable[Ref[Any]] = ()) -> tuple[Principal, Reading]:
    """The operator behind the token, and what was read with it: the token and `also`, in one call, but for what may be
    believed for a while, see `keywright.caching`. Raises CredentialsRefused where it is no operator's or not good, and
    Unavailable."""
    if not presented.refs:
        raise errors.CredentialsRefused
    now_ms = desk.clock.now_ms()
    also = [ref for ref in also if not (isinstance(ref, TokenRef) and desk.cache.find(ref.digest, now_ms))]
    reading = desk.store.read(*presented.refs, *also)
    caller = principal(presented.grant(reading), desk.clock.now_ms(), kinds=(KeyKind.NATIVE,))
    if caller.owner.kind is not OwnerKind.OPERATOR:
        raise errors.CredentialsRefused
    return caller, reading
