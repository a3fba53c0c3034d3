"""R1: every interleaving of two and of three operations on one key, at each call of AWS. R8: the same of two while a
fault meets the first of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations_with_replacement as multisets
from itertools import product
from typing import Any

import pytest

from keywright import errors
from keywright.model import KeyKind
from tests.engine.process import PROGRAM
from tests.quick_table import Crash
from tests.reliability.deeds import EIGHT, UNKNOWN, Scene, deed, last_looks, scene, spec
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.histories import Operation, is_linearizable
from tests.reliability.interleaving import Deed, Ran, every
from tests.reliability.invariants import Inspector
from tests.reliability.stand_ins import Fault, Plan, no_fault

MOST_OF_TRIPLES = 1_000 if NIGHTLY else 20 if PROGRAM else 110
"""Schedules of one set of three in one scene."""
SCENES = {
    "native": (KeyKind.NATIVE, "active", 0),
    "native, deleted": (KeyKind.NATIVE, "deleted", 0),
    "native, due": (KeyKind.NATIVE, "due", 0),
    "one place left": (KeyKind.APP_SECRET, "active", 8),
    "no place left": (KeyKind.APP_SECRET, "active", 9),
    "no place left, due": (KeyKind.APP_SECRET, "due", 9),
    "one place left, deleted": (KeyKind.APP_SECRET, "deleted", 9),
}
PAIRS = [*multisets(EIGHT, 2)]
TRIPLES = [*multisets(("create", "rotate", "revoke", "delete", "undelete"), 3)]


def judge(at: Scene, inspector: Inspector, names: Sequence[str], ran: Ran) -> list[str]:
    """What is wrong with a run, with the schedule that it takes to see it again."""
    steps = len(ran.schedule)
    operations = []
    for name, outcome in zip(names, ran.outcomes, strict=True):
        if outcome.failure is not None and not isinstance(outcome.failure, Crash):
            raise outcome.failure
        if outcome.failure is not None or outcome.result.said == errors.Unavailable.__name__:
            operations.append(Operation(name, UNKNOWN, outcome.began))
        else:
            operations.append(Operation(name, outcome.result, outcome.began, outcome.ended))
    table = at.cloud.table
    found = inspector.violations(table.items, at.cloud.clock.ms, secrets=at.secrets, commits=table.commits)
    operations += last_looks(at, steps)
    if not is_linearizable(operations, spec(at)):
        found.append(f"not linearizable: {operations}")
    return [f"{finding} (schedule {ran.schedule})" for finding in found]


def explore(
    which: str, names: Sequence[str], most: int | None = None, plan_of: Callable[[], Plan] = lambda: no_fault
) -> int:
    """How many schedules there were; `plan_of` gives the faults of the first client anew for each."""
    kind, state, others = SCENES[which]
    at = scene(kind, state, others=others)
    inspector = Inspector(at.cloud.desk().vault)

    def prepare() -> list[Deed]:
        at.again()
        first, *others = names
        return [deed(at, first, plan_of()), *(deed(at, name) for name in others)]

    schedules = 0
    for ran in every(prepare, most):
        assert judge(at, inspector, names, ran) == []
        inspector.forget(at.held.items)
        schedules += 1
    return schedules


@pytest.mark.parametrize("which", SCENES)
def test_pairs(which: str, figures: Figures) -> None:
    schedules = sum(explore(which, pair) for pair in PAIRS)
    figures.add("R1", schedules=schedules)
    figures.note("R1", pairs=len(PAIRS))


@pytest.mark.parametrize("which", ["native", "one place left", "one place left, deleted"])
def test_triples(which: str, figures: Figures) -> None:
    schedules = sum(explore(which, triple, MOST_OF_TRIPLES) for triple in TRIPLES)
    figures.add("R1", schedules=schedules)
    figures.note("R1", triples=len(TRIPLES))


def at_attempt(number: int, fault: Fault) -> Plan:
    attempts = iter(range(1000))

    def plan(operation: str, _: Mapping[str, Any]) -> Fault | None:
        return fault if next(attempts) == number and fault.can_meet(operation) else None

    return plan


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_while_another_is_at_work(fault: Fault, figures: Figures) -> None:
    writers = ("create", "rotate", "revoke", "delete", "undelete") if NIGHTLY else ("create", "rotate", "delete")
    for which in ("native", "one place left"):
        for names in product(writers, writers):
            for number in range(3):
                runs = explore(which, names, None if NIGHTLY else 6, lambda n=number: at_attempt(n, fault))  # type: ignore[misc]
                figures.add("R8", runs=runs)
