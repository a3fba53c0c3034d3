"""The sweep dies at every call that it makes, and goes on: every key is swept once, and nothing else is touched.

The large table is a dictionary (`tests.quick_table`), because moto copies its table in every transaction and would take
hours; the small one is moto behind the lean client and HTTP, and shows that the two agree. What kills is an exception
that nothing in between catches, before the call was carried out or after.

KEYWRIGHT_SWEEP_KEYS is how many keys are due on the large table: 200 here, 10,000 in the full proof.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from keywright import lifecycle, sweeping
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.endpoints import Endpoint
from keywright.adapters.lean import DYNAMODB, LeanService
from keywright.adapters.signing import Credentials
from keywright.model import DAY_MS, EventType, Key, KeyKind, OwnerKind, OwnerRef
from keywright.ports import Desk, KeyRef, SaveKey
from keywright.sweeping import Swept
from local.stack import Stack
from tests.fakes import FixedClock, OpenVault, Outbox
from tests.quick_table import Crash, Crashing, QuickTable, rows
from tests.reliability.figures import Figures
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
KEYS = int(os.environ.get("KEYWRIGHT_SWEEP_KEYS", "200"))
NOT_DUE = 10
SWEPT = (EventType.KEY_EXPIRING, EventType.KEY_EXPIRED, EventType.VERSION_RETIRED, EventType.KEY_PURGED)


def never() -> bool:
    return False


@dataclass
class Due:
    """A table with keys of which something is due, and what that is; and keys of which nothing is."""

    world: World
    expected: dict[str, EventType] = field(default_factory=dict)
    untouched: list[Key] = field(default_factory=list)

    @classmethod
    def laid_out(cls, desk: Desk, clock: FixedClock, number: int) -> Due:
        due = cls(World(desk))
        owners = [due.world.app(f"App {n}") for n in range(1 + number // 40)]
        for n in range(number):
            due._lay_out(owners[n // 40].ref, clock, n)
        for n in range(NOT_DUE):
            key = due.world.issue(KeyKind.NATIVE, owners[0].ref, expires_at_ms=clock.ms + (60 + n) * DAY_MS).key
            due.untouched.append(key)
        return due

    def _lay_out(self, owner: OwnerRef, clock: FixedClock, n: int) -> None:
        """A quarter each is to be warned of, to expire, to lose a version, to be purged."""
        kind = SWEPT[n % 4]
        key = self.world.issue(KeyKind.APP_SECRET if n % 40 < 8 else KeyKind.NATIVE, owner).key
        match kind:
            case EventType.KEY_EXPIRING:
                key = replace(key, created_at_ms=clock.ms - 60 * DAY_MS, expires_at_ms=clock.ms + 3 * DAY_MS)
            case EventType.KEY_EXPIRED:
                key = replace(key, expires_at_ms=clock.ms - n)
            case EventType.VERSION_RETIRED:
                former = replace(key.newest, retires_at_ms=clock.ms - n)
                newest = replace(key.newest, number=2, digest=f"{n:032x}{clock.ms:032x}")
                key = replace(key, versions=(former, newest), last_version=2)
            case EventType.KEY_PURGED:
                key = lifecycle.revoke(self.world.desk, self.world.principal, key)
                key = replace(key, revoked_at_ms=clock.ms - 31 * DAY_MS)
        before = self.world.key(key.id)
        self.world.desk.store.commit(SaveKey(replace(key, revision=before.revision + 1), before))
        self.expected[key.id] = kind

    def check(self, told: list[tuple[str, str]], places: Mapping[OwnerRef, int]) -> None:
        """Each key once, with its own event and no other; a place for each key that takes one; the rest as it was."""
        assert Counter(told) == Counter((kind.value, key_id) for key_id, kind in self.expected.items())
        keys: dict[str, Key | None] = {}
        ids = list(self.expected)
        for start in range(0, len(ids), 100):
            refs = [KeyRef(key_id) for key_id in ids[start : start + 100]]
            reading = self.world.desk.store.read(*refs)
            keys |= {ref.id: reading[ref] for ref in refs}
        for key_id, kind in self.expected.items():
            key = keys[key_id]
            assert (key is None) is (kind is EventType.KEY_PURGED)
            if key is not None:
                assert key.warned_days == (7 if kind is EventType.KEY_EXPIRING else None)
                assert (key.expiry_marked_at_ms is not None) is (kind is EventType.KEY_EXPIRED)
                assert [each.number for each in key.versions] == ([2] if kind is EventType.VERSION_RETIRED else [1])
        taken = Counter(key.owner for key in keys.values() if key is not None and key.takes_a_place)
        assert {owner: places[owner] for owner in taken} == taken
        assert [self.world.key(key.id) for key in self.untouched] == self.untouched


# --- the large table -----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def table() -> QuickTable:
    return QuickTable()


def desk_over(service: Any, clock: Any, table: str = "keys") -> Desk:
    return Desk(store=DynamoDBKeyStore(service, table), vault=OpenVault(), mailer=Outbox(), clock=clock, stage="test")


def told_in(table: QuickTable) -> list[tuple[str, str]]:
    return [(item["type"]["S"], item["subject"]["S"]) for item in rows(table, "EVENTS#") if item["type"]["S"] in SWEPT]


def places_in(table: QuickTable) -> dict[OwnerRef, int]:
    """How many places each app's own count says that its keys take."""
    found = {}
    for (pk, sk), item in table.items.items():
        prefix, _, kind = pk.rpartition("#")
        if prefix.startswith("OWNERS#") and kind == OwnerKind.APP:
            ref = OwnerRef(prefix.removeprefix("OWNERS#"), OwnerKind.APP, sk)
            found[ref] = int(item.get("live_app_secret", {"N": "0"})["N"])
    return found


class DeathAtEveryCall:
    """Every call that is told apart dies twice: the first time before it is carried out, the second time after.

    A write of a key is told apart by the key. The calls between the keys are told apart by what they are and by how
    much has been done, in steps of `step` keys, as each run makes them anew.
    """

    def __init__(self, step: int) -> None:
        self.deaths: Counter[str] = Counter()
        self.of_operations: Counter[str] = Counter()
        self._step = step
        self._written = 0

    def plan(self, operation: str, request: Mapping[str, Any]) -> bool | None:
        where = self._where(operation, request)
        self.deaths[where] += 1
        if self.deaths[where] > 2:
            return None
        self.of_operations[operation] += 1
        return self.deaths[where] == 2

    def _where(self, operation: str, request: Mapping[str, Any]) -> str:
        if operation == "TransactWriteItems":
            ids = [deed["Put"]["Item"]["pk"]["S"] for deed in request["TransactItems"] if "Put" in deed]
            key_id: str = next(pk for pk in ids if pk.startswith("KEY#"))
            if self.deaths[key_id] == 1:
                self._written += 1
            return key_id
        bucket = request.get("ExpressionAttributeValues", {}).get(":bucket", {}).get("S", "")
        page = "ExclusiveStartKey" in request
        return f"{operation} {bucket} {page} {request.get('UpdateExpression')} {self._written // self._step}"


def test_keys_that_are_due_are_swept_once_though_the_sweep_dies_at_every_call(
    table: QuickTable, clock: FixedClock, figures: Figures
) -> None:
    due = Due.laid_out(desk_over(table, clock), clock, KEYS)
    death = DeathAtEveryCall(step=100)
    desk = desk_over(Crashing(table, death.plan), clock)
    runs = 0
    while True:
        runs += 1
        try:
            swept = sweeping.sweep(desk, time_is_up=never, holder=f"run {runs}", until_ms=clock.ms + 1)
        except Crash:
            clock.advance(1)  # by then the lease of the dead is over
            continue
        assert (swept.failed, swept.left, swept.stood_back) == (0, 0, False)
        if swept.finished:
            break
    due.check(told_in(table), places_in(table))
    died = {where for where, times in death.deaths.items() if times >= 2}
    assert set(due.expected) == {where.removeprefix("KEY#") for where in died if where.startswith("KEY#")}
    assert death.of_operations["TransactWriteItems"] == 2 * KEYS
    assert {"UpdateItem", "Query", "BatchGetItem"} <= death.of_operations.keys()
    assert sweeping.sweep(desk_over(table, clock), time_is_up=never) == Swept(finished=True)
    figures.note("R9", keys_due=KEYS, deaths=sum(death.of_operations.values()), swept_twice_or_never=0)


def _at_one_call(
    numbers: Iterator[int], at: int, carried_out: bool, _operation: str, _request: Mapping[str, Any]
) -> bool | None:
    return carried_out if next(numbers) == at else None


def test_after_one_death_anywhere_one_more_run_is_enough(clock: FixedClock) -> None:
    at, carried_out = 0, False
    while True:
        table = QuickTable()
        due = Due.laid_out(desk_over(table, clock), clock, 8)
        plan = partial(_at_one_call, iter(range(10_000)), at, carried_out)
        desk = desk_over(Crashing(table, plan), clock)
        died = False
        try:
            sweeping.sweep(desk, time_is_up=never, holder="first", until_ms=clock.ms + 1)
        except Crash:
            died = True
        clock.advance(1)
        if died:
            sweeping.sweep(desk_over(table, clock), time_is_up=never, holder="second", until_ms=clock.ms + 1)
        due.check(told_in(table), places_in(table))
        if not died:
            assert at > 8 + 4, "every call had its turn"
            return
        at, carried_out = (at + 1, False) if carried_out else (at, True)


@pytest.mark.parametrize("ahead_ms", [-300_000, 0, 300_000])
def test_two_sweeps_at_once_with_clocks_five_minutes_apart_sweep_each_key_once(
    table: QuickTable, clock: FixedClock, ahead_ms: int
) -> None:
    """Neither heeds the other's lease: the first one's is over before it began, the second one has the same name. What
    is due by the clock that is ahead is not yet due by the other one."""
    due = Due.laid_out(desk_over(table, clock), clock, KEYS)
    done: list[Swept] = []

    def run(desk: Desk) -> None:
        done.append(sweeping.sweep(desk, time_is_up=never, holder="both", until_ms=0))

    clocks = [clock, FixedClock(clock.ms + ahead_ms)]
    threads = [threading.Thread(target=run, args=(desk_over(table, each),)) for each in clocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    assert [swept.failed for swept in done] == [0, 0]
    while not sweeping.sweep(desk_over(table, clock), time_is_up=never).finished:
        pass
    due.check(told_in(table), places_in(table))


def test_a_sweep_that_has_no_time_goes_on_run_by_run(table: QuickTable, clock: FixedClock) -> None:
    """The deadline comes after a few keys each time."""
    due = Due.laid_out(desk_over(table, clock), clock, 60)
    desk = desk_over(table, clock)
    for _ in range(60):
        if sweeping.sweep(desk, time_is_up=partial(next, iter([False] * 8), True)).finished:
            break
    due.check(told_in(table), places_in(table))


def test_a_run_costs_what_is_due_and_nothing_for_what_is_not(table: QuickTable, clock: FixedClock) -> None:
    Due.laid_out(desk_over(table, clock), clock, 0)
    calls: Counter[str] = Counter()

    def count(operation: str, _: Mapping[str, Any]) -> None:
        calls[operation] += 1

    sweeping.sweep(desk_over(Crashing(table, count), clock), time_is_up=never)
    assert calls == {"UpdateItem": 2, "Query": 4}


# --- the small table: moto, HTTP, the lean client ------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    with Stack.from_template(ROOT / "template.yaml", account="666677778888") as opened:
        yield opened


def test_the_same_over_http_with_the_client_of_the_functions(own_stack: Stack, clock: FixedClock) -> None:
    name = next(iter(own_stack.template.tables.values())).name
    who = Credentials("administrator", "local")
    client = LeanService(DYNAMODB, own_stack.template.region, Endpoint.of(own_stack.url), lambda: who)
    due = Due.laid_out(desk_over(client, clock, name), clock, 8)
    death = DeathAtEveryCall(step=4)
    desk = desk_over(Crashing(client, death.plan), clock, name)
    for run in range(500):
        try:
            swept = sweeping.sweep(desk, time_is_up=never, holder=f"run {run}", until_ms=clock.ms + 1)
        except Crash:
            clock.advance(1)
            continue
        assert swept.finished
        break
    pages = own_stack.client("dynamodb").get_paginator("scan").paginate(TableName=name)
    items = [item for page in pages for item in page["Items"]]
    told = [
        (item["type"]["S"], item["subject"]["S"])
        for item in items
        if item["pk"]["S"].startswith("EVENTS#") and item["type"]["S"] in SWEPT
    ]
    copied = QuickTable()
    copied.items = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
    due.check(told, places_in(copied))
    assert death.of_operations["TransactWriteItems"] == 2 * 8
