"""Whether what clients saw can be explained by one record that did one thing after the other.

The check is that of Wing and Gong with Lowe's memory. An operation whose outcome nobody knows may have happened at any
moment from its beginning on, or never.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

S = TypeVar("S", bound=Hashable)
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Operation:
    """`ended` is NEVER where the outcome is unknown; `seen` is then of no meaning."""

    name: str
    seen: Any
    began: float
    ended: float = NEVER


@dataclass(frozen=True, slots=True)
class Spec(Generic[S]):
    """`after(state, operation)` gives the states in which the record may be when it answered so, none where it cannot
    have answered so."""

    first: S
    after: Callable[[S, Operation], Sequence[S]]


def is_linearizable(operations: Sequence[Operation], spec: Spec[S]) -> bool:
    order = sorted(operations, key=lambda each: each.began)
    ended = [each.ended for each in order]
    needed = sum(1 << n for n, each in enumerate(order) if each.ended != NEVER)
    seen: set[tuple[int, S]] = set()
    to_do: list[tuple[int, S]] = [(0, spec.first)]
    while to_do:
        done, state = to_do.pop()
        if done & needed == needed:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        left = [n for n in range(len(order)) if not done >> n & 1]
        first_end = min(ended[n] for n in left)
        may_be_next = [n for n in left if order[n].began <= first_end]
        # The one that ended first is tried first: it is what mostly happened first.
        for n in sorted(may_be_next, key=ended.__getitem__, reverse=True):
            to_do += [(done | 1 << n, after) for after in spec.after(state, order[n])]
    return False
