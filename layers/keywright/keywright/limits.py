"""Limits of a key: how often it may be used, and how much of it in a day or a month.

A rate limit is a token bucket, kept as the moment at which the bucket will be full again (the generic cell rate
algorithm, ITU-T I.371): one number, from which all others follow. A quota is a count within a calendar's window in UTC.
Nothing here reads a clock or a store. Moments are epoch microseconds, because a bucket may fill up faster than by the
millisecond; an interval is rounded up, so what is rounded away is never given out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

LARGEST_LIMIT: Final = 1_000_000
LONGEST_PERIOD_SECONDS: Final = 86_400
MOST_AT_ONCE: Final = 1_000
"""The highest cost of one use."""
_SECOND_US: Final = 1_000_000
_DAY_MS: Final = 86_400_000


class Every(StrEnum):
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A bucket of `burst` uses that fills up evenly, `limit` in `period_seconds`: over any time t a key has at most
    burst + limit * t / period_seconds."""

    limit: int
    period_seconds: int
    burst: int

    @property
    def interval_us(self) -> int:
        """The time in which one use comes back."""
        return -(-self.period_seconds * _SECOND_US // self.limit)


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` uses in every calendar day or month of UTC; all is back at midnight, or on the first at midnight."""

    limit: int
    every: Every

    def window_ms(self, now_ms: int) -> tuple[int, int]:
        """When the window of `now_ms` began, and when the next does."""
        if self.every is Every.DAY:
            start = now_ms - now_ms % _DAY_MS
            return start, start + _DAY_MS
        year, month = time.gmtime(now_ms // 1000)[:2]
        return _first_ms(year, month), _first_ms(year, month + 1)


class Limits(NamedTuple):
    """What a key's uses are held to; None: to nothing of the kind."""

    rate: RateLimit | None
    quota: Quota | None

    def affordable(self, cost: int) -> bool:
        """Whether the cost of one use can ever be paid."""
        return (self.rate is None or cost <= self.rate.burst) and (self.quota is None or cost <= self.quota.limit)


class Spent(NamedTuple):
    """What is noted of a key's uses. `full_at_us` is when its bucket is full again, `used` what it used of its quota in
    the window that began at `window_ms`; None where nothing is noted yet."""

    full_at_us: int | None = None
    window_ms: int | None = None
    used: int = 0

    def bucket_is_full(self, now_us: int) -> bool:
        return self.full_at_us is None or self.full_at_us < now_us

    def window_is_over(self, window_ms: int) -> bool:
        """Whether a window began since. One that began later is another clock's, and counts."""
        return self.window_ms is None or self.window_ms < window_ms

    def after(self, limits: Limits, cost: int, now_ms: int) -> Spent | None:
        """With one more use; None where the limits do not allow it."""
        full_at_us, window_ms, used = self.full_at_us, self.window_ms, self.used
        if (rate := limits.rate) is not None:
            now_us = now_ms * 1000
            start = now_us if full_at_us is None or self.bucket_is_full(now_us) else full_at_us
            full_at_us = start + cost * rate.interval_us
            if full_at_us > now_us + rate.burst * rate.interval_us:
                return None
        if (quota := limits.quota) is not None:
            began_ms = quota.window_ms(now_ms)[0]
            if self.window_is_over(began_ms):
                window_ms, used = began_ms, 0
            used += cost
            if used > quota.limit:
                return None
        return Spent(full_at_us, window_ms, used)


class Allowance(NamedTuple):
    """What is left of one limit: `remaining` of `limit`, which comes back within `window_seconds`, the last of it in
    `reset_seconds`."""

    name: str
    limit: int
    window_seconds: int
    remaining: int
    reset_seconds: int


RATE: Final = "rate"
QUOTA: Final = "quota"


class Spending(NamedTuple):
    """What came of a use under limits. `refused_by` names the limit that does not allow it, the one that takes longer
    where both do not, and `retry_after_seconds` says when the same use would be allowed."""

    allowances: tuple[Allowance, ...] = ()
    refused_by: str | None = None
    retry_after_seconds: int | None = None

    @property
    def tightest(self) -> Allowance | None:
        """What comes to its end first."""
        return min(self.allowances, key=lambda each: each.remaining, default=None)

    @classmethod
    def allowed(cls, limits: Limits, spent: Spent, now_ms: int) -> Spending:
        return cls(_allowances(limits, spent, now_ms))

    @classmethod
    def refused(cls, limits: Limits, spent: Spent, cost: int, now_ms: int) -> Spending:
        waits: dict[str, int] = {}
        if (rate := limits.rate) is not None and spent.after(Limits(rate, None), cost, now_ms) is None:
            over_us = (spent.full_at_us or 0) + (cost - rate.burst) * rate.interval_us - now_ms * 1000
            waits[RATE] = max(1, -(-over_us // _SECOND_US))
        if (quota := limits.quota) is not None and spent.after(Limits(None, quota), cost, now_ms) is None:
            waits[QUOTA] = max(1, -(-(quota.window_ms(now_ms)[1] - now_ms) // 1000))
        name = max(waits, key=lambda each: waits[each])
        return cls(_allowances(limits, spent, now_ms), name, waits[name])

    @classmethod
    def unaffordable(cls, limits: Limits, cost: int) -> Spending:
        """Of a use that costs more than the key ever has: nothing is asked, and no time will help."""
        return cls((), QUOTA if limits.quota is not None and cost > limits.quota.limit else RATE)


def _allowances(limits: Limits, spent: Spent, now_ms: int) -> tuple[Allowance, ...]:
    found = []
    if (rate := limits.rate) is not None:
        capacity_us = rate.burst * rate.interval_us
        owed_us = max(0, (spent.full_at_us or 0) - now_ms * 1000)
        found.append(
            Allowance(
                RATE,
                rate.burst,
                -(-capacity_us // _SECOND_US),
                max(0, (capacity_us - owed_us) // rate.interval_us),
                -(-owed_us // _SECOND_US),
            )
        )
    if (quota := limits.quota) is not None:
        start, end = quota.window_ms(now_ms)
        used = 0 if spent.window_is_over(start) else spent.used
        found.append(
            Allowance(QUOTA, quota.limit, (end - start) // 1000, max(0, quota.limit - used), -(-(end - now_ms) // 1000))
        )
    return tuple(found)


def _first_ms(year: int, month: int) -> int:
    from calendar import timegm  # noqa: PLC0415  loads all of `locale`, and only a quota by the month asks

    year, month = (year + 1, 1) if month == 13 else (year, month)
    return timegm((year, month, 1, 0, 0, 0)) * 1000
