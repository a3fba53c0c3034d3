"""scheduled.sweep_expired_keys, as EventBridge Scheduler starts it: under its own rights, on the template's table."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from samtranslator.yaml_helper import yaml_parse

from keywright import edge, errors, lifecycle
from keywright.model import DAY_MS, EventType, Key, KeyKind
from keywright.ports import KeyRef, TokenRef
from keywright.sweeping import Swept
from local import demo
from local.aws import Fault, error
from local.iam import Call
from local.runtime import Context
from local.schedule import scheduled_event
from local.stack import Stack
from local.template import STACK, Schedule
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = "ScheduledSweepExpiredKeys"
BUCKETS = 4

Sweep = Callable[..., tuple[Any, list[str]]]
NOTHING = {
    "warned": 0,
    "expired": 0,
    "retired": 0,
    "purged": 0,
    "left": 0,
    "failed": 0,
    "finished": True,
    "stood_back": False,
    "dry_run": False,
}
IDLE = ["UpdateItem", *["Query"] * BUCKETS, "UpdateItem"]
"""The lease is taken, the index asked, the lease given back."""


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

    def swept(**event_members: Any) -> tuple[Any, list[str]]:
        own_stack.aws.clear()
        answer = own_bundle.invoke(FUNCTION, {**event(), **event_members}).payload
        return answer, [call.operation for call in own_stack.aws.calls]

    swept()
    return swept


def event() -> dict[str, Any]:
    committed: dict[str, Any] = json.loads((ROOT / "events/scheduled/sweep_expired_keys.json").read_text())
    return committed


def expired(world: World, number: int, kind: KeyKind = KeyKind.NATIVE) -> list[Key]:
    owner = world.app().ref
    return [world.expire(world.issue(kind, owner).key) for _ in range(number)]


def events_of(own_stack: Stack, key: Key, *types: EventType) -> list[dict[str, Any]]:
    """What is told of the key's owner, of these types."""
    table, owner = next(iter(own_stack.template.tables.values())).name, key.owner
    items: list[dict[str, Any]] = own_stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{owner.tenant}#{owner.kind}#{owner.id}"}},
    )["Items"]
    return [item for item in items if item["type"]["S"] in types]


def test_the_committed_event_is_what_the_scheduler_sends(own_stack: Stack) -> None:
    (schedule,) = [each for each in own_stack.template.schedules if each.function == FUNCTION]
    sent = scheduled_event(Schedule(schedule.name, schedule.period_seconds, FUNCTION, None))
    assert event() == {**sent, "id": event()["id"], "time": event()["time"]}


def test_what_has_expired_is_marked_each_by_one_transaction(sweep: Sweep, world: World) -> None:
    due = expired(world, 3)
    later = world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=world.desk.clock.now_ms() + DAY_MS).key
    answer, calls = sweep()
    assert answer == {**NOTHING, "expired": 3}
    assert calls.count("TransactWriteItems") == 3
    assert calls.count("Query") == BUCKETS
    for key in due:
        current = world.key(key.id)
        assert current.expiry_marked_at_ms is not None
        assert current.state(world.desk.clock.now_ms()) == "expired"
    assert world.key(later.id) == later


def test_a_second_run_finds_nothing_and_costs_the_lease_and_the_queries_alone(sweep: Sweep, world: World) -> None:
    expired(world, 2)
    assert sweep()[0] == {**NOTHING, "expired": 2}
    assert sweep() == (NOTHING, IDLE)


def test_more_than_a_hundred_keys_are_marked_in_one_run(sweep: Sweep, world: World, own_stack: Stack) -> None:
    due = expired(world, 105)
    assert sweep()[0] == {**NOTHING, "expired": 105}
    assert all(world.key(key.id).expiry_marked_at_ms is not None for key in due)
    marked = events_of(own_stack, due[0], EventType.KEY_EXPIRED)
    assert sorted(item["subject"]["S"] for item in marked) == sorted(key.id for key in due)
    assert {item["actor"]["S"] for item in marked} == {"scheduled.sweep_expired_keys"}


def test_a_key_of_any_kind_is_marked_and_keeps_its_tokens_and_its_place_in_lists(sweep: Sweep, world: World) -> None:
    app, rep = world.app(), world.rep()
    keys = [world.issue(KeyKind.APP_SECRET, app.ref).key, world.issue(KeyKind.REP_KEY, rep.ref).key]
    due = [world.expire(key) for key in keys]
    assert sweep()[0]["expired"] == 2
    for key in due:
        current = world.key(key.id)
        assert current.versions == key.versions
        assert list(world.desk.store.keys_of(key.owner).items) == [current]


def test_an_expired_key_frees_its_place_under_the_limit(sweep: Sweep, world: World) -> None:
    app = world.app().ref
    keys = [world.issue(KeyKind.APP_SECRET, app).key for _ in range(10)]
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app)
    world.expire(keys[0])
    assert sweep()[0]["expired"] == 1
    world.issue(KeyKind.APP_SECRET, app)
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app)


def test_the_owner_is_warned_once_and_never_shown_the_secret(sweep: Sweep, world: World, own_stack: Stack) -> None:
    now_ms = world.desk.clock.now_ms()
    key = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=now_ms + 40 * DAY_MS).key
    key = world.overwrite(key, created_at_ms=now_ms - 40 * DAY_MS, expires_at_ms=now_ms + 5 * DAY_MS)
    assert sweep()[0] == {**NOTHING, "warned": 1}
    assert sweep()[0] == NOTHING
    (told,) = events_of(own_stack, key, EventType.KEY_EXPIRING)
    assert (told["step_days"]["N"], told["days_left"]["N"], told["subject"]["S"]) == ("7", "5", key.id)
    assert told["expires_at_ms"]["N"] == str(key.expires_at_ms)
    assert key.newest.digest not in json.dumps(told)
    assert "sealed" not in json.dumps(told)


def test_a_former_version_goes_with_its_token(sweep: Sweep, world: World, own_stack: Stack) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    now_ms = world.desk.clock.now_ms()
    former = replace(issued.key.newest, retires_at_ms=now_ms - 1)
    newest = replace(issued.key.newest, number=2, digest=f"{now_ms:064x}")
    key = world.overwrite(issued.key, versions=(former, newest), last_version=2)
    assert sweep()[0] == {**NOTHING, "retired": 1}
    assert [version.number for version in world.key(key.id).versions] == [2]
    assert world.desk.store.read(TokenRef(former.digest))[TokenRef(former.digest)] is None
    (told,) = events_of(own_stack, key, EventType.VERSION_RETIRED)
    assert told["version"]["N"] == "1"


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        (KeyKind.NATIVE, "app"),
        (KeyKind.NATIVE, "channel"),
        (KeyKind.NATIVE, "rep"),
        (KeyKind.REP_KEY, "rep"),
        (KeyKind.APP_API_KEY, "app"),
    ],
)
def test_after_its_retention_a_key_is_purged_wherever_it_is_listed(
    sweep: Sweep, world: World, own_stack: Stack, kind: KeyKind, owner: str
) -> None:
    ref = world.channel(world.app()).channel.ref if owner == "channel" else getattr(world, owner)().ref
    issued = world.issue(kind, ref)
    revoked = lifecycle.revoke(world.desk, world.principal, issued.key)
    world.overwrite(revoked, revoked_at_ms=world.desk.clock.now_ms() - 30 * DAY_MS)
    assert sweep()[0] == {**NOTHING, "purged": 1}
    found = world.desk.store.read(KeyRef(revoked.id), TokenRef(issued.token.digest))
    assert [found[KeyRef(revoked.id)], found[TokenRef(issued.token.digest)]] == [None, None]
    assert revoked.id not in [key.id for key in world.desk.store.keys_of(ref).items]
    table = next(iter(own_stack.template.tables.values())).name
    address = {"pk": {"S": f"KEY#{revoked.id}"}, "sk": {"S": "KEY"}}
    left = own_stack.client("dynamodb").get_item(TableName=table, Key=address)["Item"]
    assert int(left["purge_at"]["N"]) <= time.time()
    assert left["versions"] == {"L": []}
    assert len(events_of(own_stack, revoked, EventType.KEY_PURGED)) == 1
    assert sweep()[0] == NOTHING


def test_a_deleted_key_is_purged_after_its_retention(sweep: Sweep, world: World) -> None:
    deleted = lifecycle.delete(world.desk, world.principal, world.issue(KeyKind.NATIVE, world.app().ref).key)
    world.overwrite(deleted, deleted_at_ms=world.desk.clock.now_ms() - 30 * DAY_MS)
    assert sweep()[0] == {**NOTHING, "purged": 1}
    assert world.desk.store.read(KeyRef(deleted.id))[KeyRef(deleted.id)] is None


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(sweep: Sweep, world: World) -> None:
    due = expired(world, 2)
    answer, calls = sweep(dry_run=True)
    would = [{"deed": "key_expired", "key_id": key.id} for key in due]
    assert sorted(answer.pop("would"), key=str) == sorted(would, key=str)
    assert answer == {**NOTHING, "expired": 2, "dry_run": True}
    assert set(calls) <= {"Query", "BatchGetItem", "GetItem"}
    assert [world.key(key.id) for key in due] == due
    assert sweep()[0] == {**NOTHING, "expired": 2}


def test_a_slip_in_the_event_runs_nothing(sweep: Sweep, own_bundle: Bundle, own_stack: Stack) -> None:
    own_stack.aws.clear()
    with pytest.raises(errors.FieldInvalid, match="dry_run"):
        own_bundle.invoke(FUNCTION, {"dry_run": "true"})
    assert own_stack.aws.calls == []
    assert sweep()[0] == NOTHING


def test_while_another_sweep_holds_the_lease_nothing_is_done(sweep: Sweep, world: World, own_stack: Stack) -> None:
    due = expired(world, 1)
    store, now_ms = world.desk.store, world.desk.clock.now_ms()
    lease = store.take_lease("sweep", holder="another", now_ms=now_ms, until_ms=now_ms + 60_000)
    assert lease is not None
    assert sweep() == ({**NOTHING, "finished": False, "stood_back": True}, ["UpdateItem"])
    assert [world.key(key.id) for key in due] == due
    store.keep_checkpoint(lease, None, release=True)
    assert sweep()[0] == {**NOTHING, "expired": 1}


def test_each_run_beats_the_metric_that_the_alarm_listens_to(
    sweep: Sweep, own_stack: Stack, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    expired(world, 1)
    capsys.readouterr()
    sweep()
    (measured,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    (said,) = measured["_aws"]["CloudWatchMetrics"]
    assert measured["Sweeps"] == [1.0]
    assert measured["KeysExpired"] == [1.0]
    template = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
    for alarm in ("MissingSweepsAlarm", "KeysNotSweptAlarm"):
        listens = template[alarm]["Properties"]
        assert listens["Namespace"]["Fn::Sub"].replace("${AWS::StackName}", STACK) == said["Namespace"]
        assert listens["MetricName"] in [metric["Name"] for metric in said["Metrics"]]
        assert [each["Name"] for each in listens["Dimensions"]] in said["Dimensions"]
        assert [measured[each["Name"]] for each in listens["Dimensions"]] == [
            each["Value"] for each in listens["Dimensions"]
        ]


def test_a_stack_beside_this_one_has_a_heartbeat_of_its_own(
    own_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or the alarm of the one would be silent as long as the other's sweep runs."""
    capsys.readouterr()
    beside = own_stack.environment(FUNCTION) | {"POWERTOOLS_METRICS_NAMESPACE": "Keywright/b"}
    with mock.patch.dict(os.environ, beside):
        edge.note_sweep(Swept(finished=True))
    (measured,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [each["Namespace"] for each in measured["_aws"]["CloudWatchMetrics"]] == ["Keywright/b"]


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
        assert handler(event(), context) == {**NOTHING, "finished": False}
    assert own_stack.aws.calls == []
    assert sweep()[0] == {**NOTHING, "expired": len(due)}


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
    assert broken_off >= len(IDLE) + 1


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
        assert sweep()[0] == {**NOTHING, "expired": 2, "left": 1}
    assert sweep()[0] == {**NOTHING, "expired": 1}


def test_a_key_that_cannot_be_swept_is_counted_logged_and_passed_by(
    own_stack: Stack, world: World, sweep: Sweep, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = expired(world, 3)

    def fault(call: Call) -> Fault | None:
        is_odd = call.operation == "TransactWriteItems" and f"KEY#{due[1].id}" in json.dumps(call.request)
        return Fault(error("ValidationException")) if is_odd else None

    caplog.clear()
    with monkeypatch.context() as odd:
        odd.setattr(own_stack.aws, "fault", fault)
        assert sweep()[0] == {**NOTHING, "expired": 2, "failed": 1}
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == ["fault"]
    assert sweep()[0] == {**NOTHING, "expired": 1}
