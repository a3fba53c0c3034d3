from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.limits import QUOTA, RATE, Every, Limits, Quota, RateLimit, Spending, Spent


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


NOW = ms(2026, 3, 31, 23, 59, 59)
TEN_A_MINUTE = Limits(RateLimit(10, 60, 10), None)


def used(limits: Limits, times: int, now_ms: int = NOW, cost: int = 1) -> Spent:
    spent: Spent | None = Spent()
    for _ in range(times):
        assert spent is not None
        spent = spent.after(limits, cost, now_ms)
    assert spent is not None
    return spent


def test_a_full_bucket_gives_its_burst_at_once_and_no_more() -> None:
    spent = used(TEN_A_MINUTE, 10)
    assert spent.after(TEN_A_MINUTE, 1, NOW) is None
    assert spent.after(TEN_A_MINUTE, 1, NOW + 5_999) is None
    assert spent.after(TEN_A_MINUTE, 1, NOW + 6_000) is not None


def test_a_bucket_that_was_left_alone_is_full_and_never_fuller() -> None:
    spent = used(TEN_A_MINUTE, 10)
    assert used(TEN_A_MINUTE, 10, NOW + 10**9).full_at_us is not None
    after = spent.after(TEN_A_MINUTE, 10, NOW + 10**9)
    assert after is not None
    assert after.after(TEN_A_MINUTE, 1, NOW + 10**9) is None


@given(
    limit=st.integers(1, 50),
    period=st.integers(1, 100),
    burst=st.integers(1, 50),
    steps=st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 5)), max_size=60),
)
def test_over_any_time_no_more_is_given_than_the_burst_and_what_came_back(
    limit: int, period: int, burst: int, steps: list[tuple[int, int]]
) -> None:
    limits, spent, now_ms = Limits(RateLimit(limit, period, burst), None), Spent(), NOW
    given_at: list[tuple[int, int]] = []
    for wait, cost in steps:
        now_ms += wait
        if (after := spent.after(limits, cost, now_ms)) is not None:
            spent = after
            given_at.append((now_ms, cost))
    for n, (start, _) in enumerate(given_at):
        total = 0
        for at, cost in given_at[n:]:
            total += cost
            assert total <= burst + (at - start) * limit / (period * 1000)


def test_a_quota_is_back_at_midnight_in_utc() -> None:
    limits = Limits(None, Quota(3, Every.DAY))
    spent = used(limits, 3)
    assert spent.after(limits, 1, NOW) is None
    assert spent.after(limits, 1, NOW + 999) is None
    assert spent.after(limits, 3, NOW + 1_000) is not None


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        ((2026, 3, 31, 23, 59, 59), (2026, 3, 1), (2026, 4, 1)),
        ((2026, 12, 31, 12), (2026, 12, 1), (2027, 1, 1)),
        ((2028, 2, 29, 0, 0, 1), (2028, 2, 1), (2028, 3, 1)),
    ],
)
def test_a_month_is_the_calendars(now: tuple[int, ...], start: tuple[int, ...], end: tuple[int, ...]) -> None:
    assert Quota(1, Every.MONTH).window_ms(ms(*now)) == (ms(*start), ms(*end))


def test_a_window_that_began_later_is_another_clocks_and_counts() -> None:
    limits = Limits(None, Quota(3, Every.DAY))
    ahead = used(limits, 3, NOW + 2_000)
    assert ahead.after(limits, 1, NOW) is None


def test_nothing_is_counted_of_a_use_that_one_of_two_limits_refuses() -> None:
    limits = Limits(RateLimit(10, 60, 10), Quota(2, Every.DAY))
    spent = used(limits, 2)
    assert spent.after(limits, 1, NOW) is None
    refused = Spending.refused(limits, spent, 1, NOW)
    assert (refused.refused_by, refused.retry_after_seconds) == (QUOTA, 1)
    assert [each.remaining for each in refused.allowances] == [8, 0]


def test_the_limit_that_takes_longer_is_the_one_that_is_told() -> None:
    limits = Limits(RateLimit(1, 3600, 1), Quota(1, Every.DAY))
    spent = used(limits, 1)
    assert Spending.refused(limits, spent, 1, NOW).refused_by == RATE
    assert Spending.refused(limits, spent, 1, NOW).retry_after_seconds == 3600


@given(
    limit=st.integers(1, 1_000_000),
    period=st.integers(1, 86_400),
    burst=st.integers(1, 1000),
    wait=st.integers(0, 10**6),
)
def test_whoever_waits_as_long_as_told_is_let_in_and_nobody_much_earlier(
    limit: int, period: int, burst: int, wait: int
) -> None:
    limits = Limits(RateLimit(limit, period, burst), None)
    spent = Spent().after(limits, burst, NOW)
    assert spent is not None
    if spent.after(limits, 1, NOW + wait) is not None:
        return
    refused = Spending.refused(limits, spent, 1, NOW + wait)
    assert refused.retry_after_seconds is not None
    assert spent.after(limits, 1, NOW + wait + refused.retry_after_seconds * 1000) is not None
    if refused.retry_after_seconds > 1:
        assert spent.after(limits, 1, NOW + wait + (refused.retry_after_seconds - 1) * 1000 - 1) is None


def test_what_is_left_is_said_of_each_limit_and_the_tightest_comes_first() -> None:
    limits = Limits(RateLimit(10, 60, 5), Quota(100, Every.DAY))
    spending = Spending.allowed(limits, used(limits, 2, ms(2026, 1, 1, 12)), ms(2026, 1, 1, 12))
    rate, quota = spending.allowances
    assert (rate.limit, rate.window_seconds, rate.remaining, rate.reset_seconds) == (5, 30, 3, 12)
    assert (quota.limit, quota.window_seconds, quota.remaining, quota.reset_seconds) == (100, 86_400, 98, 43_200)
    assert spending.tightest is rate


@pytest.mark.parametrize(
    ("limits", "cost", "by"),
    [
        (TEN_A_MINUTE, 11, RATE),
        (Limits(None, Quota(3, Every.DAY)), 4, QUOTA),
        (Limits(RateLimit(10, 60, 10), Quota(3, Every.DAY)), 4, QUOTA),
    ],
)
def test_a_cost_that_can_never_be_paid_is_told_apart(limits: Limits, cost: int, by: str) -> None:
    assert not limits.affordable(cost)
    assert limits.affordable(cost - 1)
    unaffordable = Spending.unaffordable(limits, cost)
    assert (unaffordable.refused_by, unaffordable.retry_after_seconds) == (by, None)
