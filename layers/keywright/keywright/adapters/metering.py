"""Counting uses and noting the last one: the two rows of a key that verification writes, each by one UpdateItem.

What the row of the limits says decides how the next use is counted: a bucket that is full starts from now and one that
is not goes on from where it is, a new window starts from nothing and the same one goes on counting. An update
expression cannot choose, so one of the four is asked for, under the condition that it is the right one; a wrong guess
is refused with the row, which says the right one. The guess is what this process saw last, and else the usual: a full
bucket, the same window. Each step is relative to the row as it is, so uses at the same time need no order, and none is
counted on an old reading. A row only ever moves forward, so the guesses come to an end.

Each rate limit and each kind of window has attributes of its own: a limit that was changed begins anew, and whoever
still goes by the former one does not disturb it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keywright import errors
from keywright.adapters.attributes import from_wire, to_wire
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.limits import Limits, Spending, Spent
from keywright.recent import Recent
from keywright.usage import LastUse

_GUESSES: Final = 6
_LIMITS_KEPT_SECONDS: Final = 62 * 86_400
"""The row of the limits goes when it says nothing any more: after two months, and when the bucket is full again."""
_USES_KEPT_SECONDS: Final = 731 * 86_400
_VERSIONS_NOTED: Final = 100
"""With the note of a version that of the hundredth before it is dropped, so that the row stays small."""

Item = dict[str, Any]


def limits_key(key_id: str) -> Item:
    return {"pk": {"S": f"LIMIT#{key_id}"}, "sk": {"S": "LIMIT"}}


def uses_address(key_id: str) -> tuple[str, str]:
    return f"USE#{key_id}", "USE"


def uses_of(item: Mapping[str, Any]) -> Mapping[int, LastUse]:
    """The notes, of the item with plain values."""
    return {
        int(name[1:]): LastUse(note["at_ms"], note["address"], note["user_agent"])
        for name, note in item.items()
        if name[0] == "v" and name[1:].isdecimal()
    }


class Meter:
    def __init__(self, service: JsonService, table: str) -> None:
        self._service = service
        self._table = table
        self._seen: Recent[tuple[str, Limits], Spent] = Recent()

    def spend(self, key_id: str, limits: Limits, cost: int, now_ms: int) -> Spending:
        """See `KeyStore.spend`."""
        which = key_id, limits
        # Of a row that this process knows nothing of: a full bucket, and a count in the window of now.
        seen = self._seen.find(which) or _usual(limits, now_ms)
        for _ in range(_GUESSES):
            try:
                answer = self._service.call("UpdateItem", self._request(key_id, limits, seen, cost, now_ms))
            except (ServiceError, Unreachable) as failure:
                if not isinstance(failure, ServiceError) or failure.code != "ConditionalCheckFailedException":
                    raise
                seen = _spent(limits, failure.body.get("Item", {}))
                self._seen.remember(which, seen)
                if seen.after(limits, cost, now_ms) is None:
                    return Spending.refused(limits, seen, cost, now_ms)
                continue
            seen = _spent(limits, answer["Attributes"])
            self._seen.remember(which, seen)
            return Spending.allowed(limits, seen, now_ms)
        raise errors.Unavailable

    def note(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None:
        """See `KeyStore.note_use`."""
        pk, sk = uses_address(key_id)
        note = {"at_ms": use.at_ms, "address": use.address, "user_agent": use.user_agent}
        names = {"#v": f"v{version}"}
        expression = "SET #v = :note, purge_at = :purge"
        if version > _VERSIONS_NOTED:
            names["#old"] = f"v{version - _VERSIONS_NOTED}"
            expression += " REMOVE #old"
        request = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "UpdateExpression": expression,
            "ConditionExpression": "attribute_not_exists(#v) OR #v.at_ms <= :since",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                ":note": to_wire(note),
                ":since": to_wire(unless_since_ms),
                ":purge": to_wire(use.at_ms // 1000 + _USES_KEPT_SECONDS),
            },
        }
        try:
            self._service.call("UpdateItem", request)
        except ServiceError as failure:
            if failure.code != "ConditionalCheckFailedException":
                raise

    def _request(self, key_id: str, limits: Limits, guess: Spent, cost: int, now_ms: int) -> Item:
        now_us = now_ms * 1000
        sets, conditions = ["purge_at = :purge"], []
        names: dict[str, str] = {}
        values: dict[str, int] = {":purge": now_ms // 1000 + _LIMITS_KEPT_SECONDS}
        if (rate := limits.rate) is not None:
            names["#full"] = _full(limits)
            values[":now"] = now_us
            values[":purge"] += rate.burst * rate.interval_us // 1_000_000
            if guess.bucket_is_full(now_us):
                sets.append("#full = :next")
                conditions.append("(attribute_not_exists(#full) OR #full < :now)")
                values[":next"] = now_us + cost * rate.interval_us
            else:
                sets.append("#full = #full + :more")
                conditions.append("#full BETWEEN :now AND :latest")
                values[":more"] = cost * rate.interval_us
                values[":latest"] = now_us + (rate.burst - cost) * rate.interval_us
        if (quota := limits.quota) is not None:
            names |= {"#window": f"window_ms:{quota.every}", "#used": f"used:{quota.every}"}
            values |= {":window": quota.window_ms(now_ms)[0], ":cost": cost}
            if guess.window_is_over(values[":window"]):
                sets.append("#window = :window, #used = :cost")
                conditions.append("(attribute_not_exists(#window) OR #window < :window)")
            else:
                sets.append("#used = #used + :cost")
                conditions.append("#window >= :window AND #used <= :most")
                values[":most"] = quota.limit - cost
        return {
            "TableName": self._table,
            "Key": limits_key(key_id),
            "UpdateExpression": "SET " + ", ".join(sets),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {name: to_wire(value) for name, value in values.items()},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _usual(limits: Limits, now_ms: int) -> Spent:
    return Spent(window_ms=None if limits.quota is None else limits.quota.window_ms(now_ms)[0])


def _spent(limits: Limits, wire: Mapping[str, Any]) -> Spent:
    def number(name: str) -> int | None:
        return from_wire(wire[name]) if name in wire else None

    rate, quota = limits.rate, limits.quota
    return Spent(
        None if rate is None else number(_full(limits)),
        None if quota is None else number(f"window_ms:{quota.every}"),
        0 if quota is None else number(f"used:{quota.every}") or 0,
    )


def _full(limits: Limits) -> str:
    assert limits.rate is not None
    return f"full_at_us:{limits.rate.interval_us}:{limits.rate.burst}"
