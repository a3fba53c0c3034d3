"""Many clients at one key, each doing one thing after the other, in an order that chance chooses and a seed repeats."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from keywright import errors
from keywright.ports import Desk
from tests.quick_table import Crash
from tests.reliability.deeds import DEEDS, UNKNOWN, Scene, last_looks, settled, verify_version
from tests.reliability.histories import Operation
from tests.reliability.interleaving import Deed, Gate, run
from tests.reliability.stand_ins import Fault, Plan

_WEIGHTS: Final = {"verify": 10, "rotate": 3, "overlap": 1, "change": 2, "delete": 2, "undelete": 3, "revoke": 0.1}
_LOSSES: Final = (Fault.LOST, Fault.BEFORE_SEND, Fault.CRASH_AFTER, Fault.CRASH_BEFORE, Fault.CONFLICT)
DeskOf = Callable[[Gate, Plan], Desk]


def losing(chance: random.Random, share: float) -> Plan:
    """Hits that share of the transactions; whoever crashes comes back and goes on."""

    def plan(operation: str, _: Mapping[str, Any]) -> Fault | None:
        if operation != "TransactWriteItems" or chance.random() >= share:
            return None
        return chance.choice(_LOSSES)

    return plan


def history(
    at: Scene, seed: int, *, clients: int, each: int, lost: float = 0.05, desk_of: DeskOf | None = None
) -> list[Operation]:
    """Of `clients` that do `each` so many operations; at the end everything is looked at."""
    at.again()
    chance = random.Random(seed)  # noqa: S311  to be repeated, not to be guessed
    told: list[Operation] = []
    plan = losing(chance, lost)
    open_desk: DeskOf = desk_of or at.cloud.desk
    names, weights = [*_WEIGHTS], [*_WEIGHTS.values()]

    def client(gate: Gate) -> None:
        desk = open_desk(gate, plan)
        for name in chance.choices(names, weights, k=each):
            version = chance.choice([*at.tokens]) if name == "verify" else 0
            gate.begin()
            try:
                result = verify_version(at, desk, version) if version else settled(DEEDS[name], at, desk)
            except (Crash, errors.Unavailable):
                result = UNKNOWN
            if result.said == errors.Unavailable.__name__:
                result = UNKNOWN
            began = gate.step if gate.began is None else gate.began
            if result != UNKNOWN:
                told.append(Operation(f"verify {version}" if version else name, result, began, gate.step))
            elif not version:
                told.append(Operation(name, UNKNOWN, began))

    deeds: Sequence[Deed] = [client] * clients
    ran = run(deeds, chance.choice)
    for outcome in ran.outcomes:
        if outcome.failure is not None:
            raise outcome.failure
    return told + last_looks(at, len(ran.schedule))


def begun_after_an_end(operations: Sequence[Operation]) -> int:
    """How many verifications began after a secret had been ended by an operation that had returned."""
    ends = [each for each in operations if each.name in {"rotate", "revoke", "delete"} and each.seen.said == "done"]
    first = min((each.ended for each in ends), default=None)
    return 0 if first is None else sum(each.name.startswith("verify") and each.began > first for each in operations)
