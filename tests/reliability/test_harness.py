"""The harness finds what it is there to find: each bug that is planted here is found, and without it nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.model import RULES, Grant, KeyKind
from keywright.ports import Desk, Reading, Ref, Require, TokenRef, Write
from tests.quick_table import Crash
from tests.reliability.crowds import history
from tests.reliability.deeds import DEEDS, Scene, scene, settled, spec
from tests.reliability.histories import NEVER, Operation, Spec, is_linearizable
from tests.reliability.interleaving import Deed, Gate, every
from tests.reliability.invariants import Inspector
from tests.reliability.stand_ins import Fault, Plan, Wire, no_fault
from tests.reliability.test_interleavings import judge

Plant = Callable[[Wire], DynamoDBKeyStore]


def healthy(wire: Wire) -> DynamoDBKeyStore:
    return DynamoDBKeyStore(wire, "keys")


def bad_runs(at: Scene, plant: Plant, *names: str, plan: Plan = no_fault) -> tuple[int, set[str]]:
    """How many schedules there are, and by which letters the bad ones were found out."""
    inspector = Inspector(at.cloud.desk().vault)
    schedules, letters = 0, set[str]()

    def act(name: str) -> Deed:
        def done(gate: Gate) -> Any:
            desk = at.cloud.desk(gate, plan)
            desk = replace(desk, store=plant(Wire(at.cloud.table, gate, plan)))
            return settled(DEEDS[name], at, desk)

        return done

    def prepare() -> list[Deed]:
        at.again()
        return [act(name) for name in names]

    for ran in every(prepare, most=2_000):
        letters |= {finding[0] for finding in judge(at, inspector, names, ran)}
        inspector.forget(at.held.items)
        schedules += 1
    return schedules, letters


class Without:
    """A client that leaves a condition out of what it sends."""

    def __init__(self, wire: JsonService, condition: str) -> None:
        self._wire = wire
        self._condition = condition

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        changed = deepcopy(dict(request))
        for deed in changed.get("TransactItems", ()):
            ((_, body),) = deed.items()
            if self._condition in body.get("ConditionExpression", ""):
                rest = body["ConditionExpression"].replace(self._condition, "").removesuffix(" AND ")
                body["ConditionExpression"] = rest
                if not rest:
                    del body["ConditionExpression"]
                # A value that nothing uses would be refused, and the bug found out by that.
                told = f"{rest} {body.get('UpdateExpression')}"
                values = body.get("ExpressionAttributeValues", {})
                body["ExpressionAttributeValues"] = {name: value for name, value in values.items() if name in told}
        return self._wire.call(operation, changed)


class QueryThenPut(DynamoDBKeyStore):
    """Looks whether there is room, and then takes it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(Without(wire, "(attribute_not_exists(#live) OR #live < :limit)"), "keys")

    def commit(self, *writes: Write) -> None:
        for write in writes:
            if isinstance(write, Require) and write.count is not None and write.by > 0:
                limit = RULES[write.count].limit or 0
                standing = self.keys_of(write.owner, write.count, where=lambda key: key.takes_a_place).items
                if len(standing) >= limit:
                    raise errors.LimitReached(limit=limit)
        super().commit(*writes)


class OneByOne:
    """A client that sends what belongs together in several calls."""

    def __init__(self, wire: JsonService) -> None:
        self._wire = wire

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "TransactWriteItems":
            return self._wire.call(operation, request)
        for n, deed in enumerate(request["TransactItems"]):
            token = f"{request['ClientRequestToken']}{n}"
            try:
                self._wire.call(operation, {**request, "TransactItems": [deed], "ClientRequestToken": token})
            except ServiceError as refused:
                reasons = [{"Code": "None"}] * len(request["TransactItems"])
                reasons[n : n + 1] = refused.body["CancellationReasons"]
                raise ServiceError(refused.code, refused.status, {"CancellationReasons": reasons}) from refused
        return {}


class FiveTicks(DynamoDBKeyStore):
    """Believes what it has read of a token for its next five reads."""

    def __init__(self, wire: Wire, held: dict[Ref[Any], tuple[int, Grant | None]]) -> None:
        super().__init__(wire, "keys")
        self._held = held

    def read(self, *refs: Ref[Any]) -> Reading:
        if len(refs) != 1 or not isinstance(refs[0], TokenRef):
            return super().read(*refs)
        left, grant = self._held.get(refs[0], (0, None))
        if left == 0:
            left, grant = 6, super().read(*refs)[refs[0]]
        self._held[refs[0]] = left - 1, grant
        return Reading({refs[0]: grant})


def test_a_limit_that_is_looked_up_and_then_taken_is_found() -> None:
    at = scene(KeyKind.APP_SECRET, others=8)
    assert bad_runs(at, healthy, "create", "create")[1] == set()
    schedules, letters = bad_runs(at, QueryThenPut, "create", "create")
    assert "d" in letters
    assert schedules > 2


def test_a_rotation_in_several_calls_is_found_by_a_crash_between_them() -> None:
    at = scene(KeyKind.NATIVE)
    inspector = Inspector(at.cloud.desk().vault)

    def after_a_crash(split: bool, nth: int) -> set[str]:
        at.again()
        calls = iter(range(100))

        def plan(_operation: str, _request: Mapping[str, Any]) -> Fault | None:
            return Fault.CRASH_BEFORE if next(calls) == nth else None

        wire = Wire(at.cloud.table, plan=plan)
        store = DynamoDBKeyStore(OneByOne(wire) if split else wire, "keys")
        with suppress(Crash):
            settled(DEEDS["rotate"], at, replace(at.cloud.desk(), store=store))
        table = at.cloud.table
        return {each[0] for each in inspector.violations(table.items, at.cloud.clock.ms, commits=table.commits)}

    assert [after_a_crash(False, nth) for nth in range(4)] == [set()] * 4
    found = [after_a_crash(True, nth) for nth in range(8)]
    assert {"c", "e"} <= set().union(*found)


def test_a_rotation_in_several_calls_is_found_by_another_between_them() -> None:
    at = scene(KeyKind.NATIVE)
    plant: Plant = lambda wire: DynamoDBKeyStore(OneByOne(wire), "keys")  # noqa: E731
    assert bad_runs(at, plant, "rotate", "rotate")[1] & {"a", "b", "c", "n"}


@pytest.mark.parametrize(
    ("condition", "names", "letters"),
    [
        ("revision = :before", ("rotate", "revoke"), {"b", "c", "n"}),
        ("(attribute_not_exists(#live) OR #live < :limit)", ("create", "undelete"), {"d"}),
    ],
)
def test_a_missing_condition_is_found(condition: str, names: tuple[str, str], letters: set[str]) -> None:
    counted = "#live" in condition
    at = scene(KeyKind.APP_SECRET, "deleted", others=9) if counted else scene(KeyKind.NATIVE)
    plant: Plant = lambda wire: DynamoDBKeyStore(Without(wire, condition), "keys")  # noqa: E731
    assert bad_runs(at, healthy, *names)[1] == set()
    assert bad_runs(at, plant, *names)[1] & letters


def test_a_cache_of_five_ticks_is_found() -> None:
    at = scene(KeyKind.NATIVE)
    held: dict[Ref[Any], tuple[int, Grant | None]] = {}

    def cached(gate: Gate, plan: Plan) -> Desk:
        return replace(at.cloud.desk(), store=FiveTicks(Wire(at.cloud.table, gate, plan), held))

    refused = 0
    for seed in range(40):
        held.clear()
        assert is_linearizable(history(at, seed, clients=8, each=6), spec(at))
        refused += not is_linearizable(history(at, seed, clients=8, each=6, desk_of=cached), spec(at))
    assert refused >= 5


def test_an_operation_whose_outcome_is_unknown_may_have_happened_or_not() -> None:
    def after(state: int, operation: Operation) -> list[int]:
        if operation.name == "write":
            return [operation.seen]
        return [state] if operation.seen == state else []

    register = Spec(0, after)
    write = Operation("write", 1, began=1, ended=NEVER)
    for value in (0, 1):
        assert is_linearizable([write, Operation("read", value, 2, 3)], register)
    assert not is_linearizable([write, Operation("read", 1, 2, 3), Operation("read", 0, 4, 5)], register)
    assert not is_linearizable([replace(write, ended=2), Operation("read", 0, 3, 4)], register)
