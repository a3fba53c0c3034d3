"""scheduled.sweep_expired_keys, as EventBridge Scheduler starts it: under its own rights, on the template's table."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from keywright import errors
from keywright.model import EventType, Key, KeyKind
from local import demo
from local.aws import Fault, error
from local.iam import Call
from local.runtime import Context
from local.schedule import scheduled_event
from local.stack import Stack
from local.template import Schedule
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = "ScheduledSweepExpiredKeys"
BUCKETS = 4

Sweep = Callable[[], tuple[Any, list[str]]]


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """A table of its own, as the sweep looks at all of it."""
    with Stack.from_template(ROOT / "template.yaml", account="555566667777") as opened:
        yield opened


@pytest.fixture(scope="module")
def own_bundle(own_stack: Stack) -> Bundle:
    return Bundle(own_stack)


@pytest.fixture
def world(own_stack: Stack) -> World:
    return World(demo.desk(own_stack))


@pytest.fixture
def sweep(own_bundle: Bundle, own_stack: Stack) -> Sweep:
    """What it answers, and the AWS calls it makes. What was due before the test is none of the test's business."""

    def swept() -> tuple[Any, list[str]]:
        own_stack.aws.clear()
        payload = own_bundle.invoke(FUNCTION, event()).payload
        return payload, [call.operation for call in own_stack.aws.calls]

    swept()
    return swept


def event() -> dict[str, Any]:
    committed: dict[str, Any] = json.loads((ROOT / "events/scheduled/sweep_expired_keys.json").read_text())
    return committed


def expired(world: World, number: int, kind: KeyKind = KeyKind.NATIVE) -> list[Key]:
    owner = world.app().ref
    return [world.expire(world.issue(kind, owner).key) for _ in range(number)]


def test_the_committed_event_is_what_the_scheduler_sends(own_stack: Stack) -> None:
    (schedule,) = [each for each in own_stack.template.schedules if each.function == FUNCTION]
    sent = scheduled_event(Schedule(schedule.name, schedule.period_seconds, FUNCTION, None))
    assert event() == {**sent, "id": event()["id"], "time": event()["time"]}


def test_what_has_expired_is_marked_each_by_one_transaction(sweep: Sweep, world: World) -> None:
    due = expired(world, 3)
    later = world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=world.desk.clock.now_ms() + 60_000).key
    answer, calls = sweep()
    assert answer == {"marked": 3, "finished": True}
    assert calls.count("TransactWriteItems") == 3
    assert calls.count("Query") == BUCKETS
    for key in due:
        current = world.key(key.id)
        assert current.expiry_marked_at_ms is not None
        assert current.state(world.desk.clock.now_ms()) == "expired"
    assert world.key(later.id) == later


def test_a_second_run_finds_nothing_and_costs_the_queries_alone(sweep: Sweep, world: World) -> None:
    expired(world, 2)
    assert sweep()[0] == {"marked": 2, "finished": True}
    assert sweep() == ({"marked": 0, "finished": True}, ["Query"] * BUCKETS)


def test_more_than_a_hundred_keys_are_marked_in_one_run(sweep: Sweep, world: World, own_stack: Stack) -> None:
    due = expired(world, 105)
    assert sweep()[0] == {"marked": 105, "finished": True}
    assert all(world.key(key.id).expiry_marked_at_ms is not None for key in due)
    table = next(iter(own_stack.template.tables.values())).name
    told = own_stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{due[0].owner.id}"}},
    )["Items"]
    marked = [item for item in told if item["type"]["S"] == EventType.KEY_EXPIRED]
    assert sorted(item["subject"]["S"] for item in marked) == sorted(key.id for key in due)
    assert {item["actor"]["S"] for item in marked} == {"scheduled.sweep_expired_keys"}


def test_a_key_of_any_kind_is_marked_and_keeps_its_tokens_and_its_place(sweep: Sweep, world: World) -> None:
    app, rep = world.app(), world.rep()
    keys = [world.issue(KeyKind.APP_SECRET, app.ref).key, world.issue(KeyKind.REP_KEY, rep.ref).key]
    due = [world.expire(key) for key in keys]
    assert sweep()[0]["marked"] == 2
    for key in due:
        current = world.key(key.id)
        assert current.versions == key.versions
        assert list(world.desk.store.keys_of(key.owner).items) == [current]


def test_verification_does_not_wait_for_the_sweep(own_bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    world.expire(issued.key)
    body = {"token": issued.token.reveal()}
    verdict = own_bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body)
    assert verdict.json()["reason"] == "expired"


def test_it_stops_five_seconds_before_lambda_would_stop_it(
    own_bundle: Bundle, own_stack: Stack, world: World, sweep: Sweep
) -> None:
    due = expired(world, 2)
    own_stack.aws.clear()
    context = Context(own_stack.template.functions[FUNCTION], "request-1", time.time() + 4.9)
    with own_bundle.environment(FUNCTION):
        handler = importlib.import_module("scheduled.sweep_expired_keys").handler
        assert handler(event(), context) == {"marked": 0, "finished": False}
    assert own_stack.aws.calls == []
    assert sweep()[0] == {"marked": len(due), "finished": True}


def test_a_run_that_breaks_off_at_any_call_is_finished_by_the_next(
    own_bundle: Bundle, own_stack: Stack, world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    broken_off = 0
    for at in range(9):
        due = expired(world, 2)
        made = count()

        def fault(call: Call, at: int = at, made: Iterator[int] = made) -> Fault | None:
            return Fault(error("AccessDeniedException")) if call.principal and next(made) >= at else None

        with monkeypatch.context() as broken:
            broken.setattr(own_stack.aws, "fault", fault)
            try:
                own_bundle.invoke(FUNCTION, event())
            except errors.Fault:
                broken_off += 1
        assert sweep()[0]["finished"] is True
        assert all(world.key(key.id).expiry_marked_at_ms is not None for key in due)
    assert broken_off >= BUCKETS + 2


def test_a_key_in_the_way_of_others_does_not_stop_the_run(
    own_stack: Stack, world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    due = expired(world, 3)
    conflict = Fault(error("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}] * 4))

    def fault(call: Call) -> Fault | None:
        is_in_the_way = call.operation == "TransactWriteItems" and f"KEY#{due[1].id}" in json.dumps(call.request)
        return conflict if is_in_the_way else None

    with monkeypatch.context() as busy:
        busy.setattr(own_stack.aws, "fault", fault)
        assert sweep()[0] == {"marked": 2, "finished": True}
    assert sweep()[0] == {"marked": 1, "finished": True}
