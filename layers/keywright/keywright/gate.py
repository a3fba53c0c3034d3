"""What a verification works at: the ports that it needs, and no vault among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keywright.caching import GrantCache
from keywright.usage import NO_NOTES, Notes

if TYPE_CHECKING:
    from keywright.ports import Clock, GrantStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whoever works at a `Desk` works at a gate too."""

    store: GrantStore
    clock: Clock
    notes: Notes = NO_NOTES
    cache: GrantCache = field(default_factory=GrantCache, compare=False, repr=False)
