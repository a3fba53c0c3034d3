"""Limits and last uses: `KeyStore.spend` and `note_use`, on the fake and on the table by both clients."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from keywright import errors
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.limits import QUOTA, RATE, Every, Limits, Quota, RateLimit, Spending
from keywright.ports import KeyStore, UsesOf
from keywright.usage import LastUse
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.integration.conftest import Connect, Faults

NOW = 1_790_000_000_000
HOUR = 3_600_000
RATED = Limits(RateLimit(60, 60, 10), None)
COUNTED = Limits(None, Quota(10, Every.DAY))
BOTH = Limits(RateLimit(60, 60, 10), Quota(25, Every.MONTH))


@pytest.fixture
def key_id() -> str:
    return f"key_{secrets.token_hex(12)}"


def allowed(store: KeyStore, key_id: str, limits: Limits, now_ms: int, times: int, cost: int = 1) -> int:
    return sum(store.spend(key_id, limits, cost, now_ms).refused_by is None for _ in range(times))


def test_a_bucket_gives_its_burst_and_then_what_came_back(store: KeyStore, key_id: str) -> None:
    assert allowed(store, key_id, RATED, NOW, 15) == 10
    assert allowed(store, key_id, RATED, NOW + 999, 3) == 0
    assert allowed(store, key_id, RATED, NOW + 3_000, 5) == 3
    assert allowed(store, key_id, RATED, NOW + HOUR, 15) == 10


def test_a_quota_counts_through_its_window_and_begins_anew_with_the_next(store: KeyStore, key_id: str) -> None:
    assert allowed(store, key_id, COUNTED, NOW, 12) == 10
    tomorrow = NOW - NOW % 86_400_000 + 86_400_000
    assert allowed(store, key_id, COUNTED, tomorrow - 1, 1) == 0
    assert allowed(store, key_id, COUNTED, tomorrow, 12) == 10


def test_both_limits_are_held_at_once_and_a_refused_use_counts_under_neither(store: KeyStore, key_id: str) -> None:
    assert allowed(store, key_id, BOTH, NOW, 12) == 10
    assert allowed(store, key_id, BOTH, NOW + 60_000, 12) == 10
    last = [store.spend(key_id, BOTH, 1, NOW + 120_000) for _ in range(6)]
    assert [each.refused_by for each in last] == [None] * 5 + [QUOTA]
    rate, quota = last[-1].allowances
    assert (rate.remaining, quota.remaining) == (5, 0)


def test_what_is_left_is_told_with_every_use(store: KeyStore, key_id: str) -> None:
    spendings = [store.spend(key_id, BOTH, 4, NOW) for _ in range(3)]
    assert [[each.remaining for each in spending.allowances] for spending in spendings] == [[6, 21], [2, 17], [2, 17]]
    assert (spendings[-1].refused_by, spendings[-1].retry_after_seconds) == (RATE, 2)


def test_a_limit_that_was_changed_begins_anew(store: KeyStore, key_id: str) -> None:
    slow = Limits(RateLimit(1, 86_400, 5), None)
    assert allowed(store, key_id, slow, NOW, 6) == 5
    assert allowed(store, key_id, RATED, NOW, 11) == 10
    assert allowed(store, key_id, slow, NOW, 1) == 0


def test_keys_do_not_share_their_limits(store: KeyStore, key_id: str) -> None:
    assert allowed(store, key_id, RATED, NOW, 11) == 10
    assert allowed(store, f"{key_id[:-1]}x", RATED, NOW, 11) == 10


@pytest.mark.parametrize("limits", [RATED, COUNTED, Limits(RateLimit(1, 86_400, 10), Quota(10, Every.MONTH))])
def test_whoever_comes_at_the_same_time_a_limit_is_never_passed_and_nothing_is_lost(
    store: KeyStore, key_id: str, limits: Limits
) -> None:
    """Eight at once, each with a store that knows nothing of the row, as so many functions would have."""
    together = threading.Barrier(8)
    stores = [store if not isinstance(store, DynamoDBKeyStore) else _twin(store) for _ in range(8)]

    def spend(each: KeyStore) -> list[Spending]:
        together.wait()
        return [each.spend(key_id, limits, 1, NOW) for _ in range(4)]

    with ThreadPoolExecutor(8) as threads:
        spendings = [one for many in threads.map(spend, stores) for one in many]
    assert Counter(each.refused_by is None for each in spendings) == {True: 10, False: 22}
    left = sorted(each.allowances[0].remaining for each in spendings if each.refused_by is None)
    assert left == list(range(10)), "each use saw another rest"


def _twin(store: DynamoDBKeyStore) -> DynamoDBKeyStore:
    return DynamoDBKeyStore(store._service, store._table)


# --- on the wire ---------------------------------------------------------------------------------------------------


@pytest.fixture
def on_the_table(connect: Connect, table: str) -> DynamoDBKeyStore:
    return DynamoDBKeyStore(connect("dynamodb"), table)


@pytest.fixture
def asked(stack: Stack) -> Callable[[], list[str]]:
    before = len(stack.aws.calls)
    return lambda: [call.operation for call in stack.aws.calls[before:]]


def test_one_call_counts_under_both_limits(
    on_the_table: DynamoDBKeyStore, key_id: str, asked: Callable[[], list[str]]
) -> None:
    on_the_table.spend(key_id, BOTH, 1, NOW)
    assert asked() == ["UpdateItem"] * 2, "of a new row the window was guessed wrong"
    for n in range(1, 8):
        on_the_table.spend(key_id, BOTH, 1, NOW + n)
    assert asked() == ["UpdateItem"] * 9


def test_the_usual_use_of_a_row_that_somebody_else_made_takes_one_call(
    on_the_table: DynamoDBKeyStore, key_id: str, asked: Callable[[], list[str]]
) -> None:
    _twin(on_the_table).spend(key_id, BOTH, 1, NOW)
    before = len(asked())
    on_the_table.spend(key_id, BOTH, 1, NOW + 60_000)
    assert len(asked()) == before + 1


@pytest.mark.parametrize("limits", [RATED, COUNTED, BOTH])
def test_a_use_whose_answer_was_lost_counts_once_more_and_never_less(
    on_the_table: DynamoDBKeyStore, key_id: str, limits: Limits, faults: Faults
) -> None:
    lost = iter([True, False])

    def lose_one(call: Call) -> Fault | None:
        return Fault(None, committed=True) if call.operation == "UpdateItem" and next(lost, False) else None

    on_the_table.spend(key_id, limits, 1, NOW)
    faults(lose_one)
    spending = on_the_table.spend(key_id, limits, 1, NOW)
    assert [each.limit - each.remaining for each in spending.allowances] == [3] * len(spending.allowances)
    assert allowed(on_the_table, key_id, limits, NOW, 20) == 7


def test_a_table_that_does_not_answer_allows_nothing_and_refuses_nothing(
    on_the_table: DynamoDBKeyStore, key_id: str, faults: Faults
) -> None:
    faults(lambda _: Fault(error("ThrottlingException")))
    with pytest.raises(errors.Unavailable):
        on_the_table.spend(key_id, BOTH, 1, NOW)
    with pytest.raises(errors.Unavailable):
        on_the_table.note_use(key_id, 1, LastUse(NOW), unless_since_ms=0)


def test_the_rows_are_forgotten_when_they_say_nothing_any_more(
    on_the_table: DynamoDBKeyStore, key_id: str, stack: Stack, table: str
) -> None:
    on_the_table.spend(key_id, Limits(RateLimit(1, 86_400, 1000), None), 1, NOW)
    on_the_table.note_use(key_id, 1, LastUse(NOW), unless_since_ms=0)
    client: Any = stack.client("dynamodb")
    for pk, sk, days in ((f"LIMIT#{key_id}", "LIMIT", 1000 + 62), (f"USE#{key_id}", "USE", 731)):
        item = client.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        assert int(item["purge_at"]["N"]) == NOW // 1000 + days * 86_400


# --- last uses -----------------------------------------------------------------------------------------------------


def uses(store: KeyStore, key_id: str) -> Any:
    ref = UsesOf(key_id)
    return store.read(ref)[ref]


def test_a_last_use_is_noted_for_each_version_once_an_interval(store: KeyStore, key_id: str) -> None:
    assert uses(store, key_id) is None
    first, second = LastUse(NOW, "203.0.113.7", "curl/8.5.0"), LastUse(NOW + HOUR, "2001:db8::1", "é")
    store.note_use(key_id, 1, first, unless_since_ms=NOW - HOUR)
    store.note_use(key_id, 2, LastUse(NOW + 5), unless_since_ms=NOW + 5 - HOUR)
    store.note_use(key_id, 1, LastUse(NOW + HOUR - 1), unless_since_ms=NOW - 1)
    assert uses(store, key_id) == {1: first, 2: LastUse(NOW + 5)}
    store.note_use(key_id, 1, second, unless_since_ms=NOW)
    assert uses(store, key_id) == {1: second, 2: LastUse(NOW + 5)}


def test_the_notes_of_a_key_with_very_many_versions_stay_a_hundred(on_the_table: DynamoDBKeyStore, key_id: str) -> None:
    for version in (1, 2, 101, 102, 103):
        on_the_table.note_use(key_id, version, LastUse(NOW), unless_since_ms=0)
    assert sorted(uses(on_the_table, key_id)) == [101, 102, 103]
