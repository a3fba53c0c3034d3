"""DynamoDB as far as `DynamoDBKeyStore` speaks to it, in a dictionary: for runs over tables in which moto takes minutes
for what takes milliseconds here (its transactions copy the table). It passes the contract tests of the store."""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from keywright.adapters.aws import ServiceError

Item = dict[str, Any]
Address = tuple[str, str]
_TOKENS = re.compile(r"\s*(<=|>=|<>|=|<|>|\(|\)|,|[#:]?[\w.]+)")


class QuickTable:
    """A client for the store, safe under threads: a call is one moment."""

    def __init__(self) -> None:
        self.items: dict[Address, Item] = {}
        self._partitions: dict[str, set[str]] = {}
        self._due: dict[str, dict[Address, int]] = {}
        self._lock = threading.RLock()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(request)
            return answer

    # --- reading ---------------------------------------------------------------------------------------------------

    def _GetItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802  as AWS calls it
        found = self.items.get(_address(request["Key"]))
        return {} if found is None else {"Item": copy.copy(found)}

    def _BatchGetItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        ((table, asked),) = request["RequestItems"].items()
        found = (self.items.get(address) for address in _all_different([_address(key) for key in asked["Keys"]]))
        return {"Responses": {table: [copy.copy(item) for item in found if item is not None]}}

    def _Query(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        _check_placeholders(request)
        values = request["ExpressionAttributeValues"]
        if request.get("IndexName") == "by_due":
            bucket, until = values[":bucket"]["S"], int(values[":until"]["N"])
            order = sorted((at, address) for address, at in self._due.get(bucket, {}).items() if at <= until)
            start = request.get("ExclusiveStartKey")
            if start is not None:
                order = [each for each in order if each > (int(start["due_at_ms"]["N"]), _address(start))]
            found = [self._index_key(address, at, bucket) for at, address in order]
        elif " BETWEEN " in request["KeyConditionExpression"]:
            return self._range(request)
        else:
            pk, prefix, after = values[":pk"]["S"], values.get(":prefix", {"S": ""})["S"], ""
            if (start := request.get("ExclusiveStartKey")) is not None:
                of, after = _address(start)
                _check(of == pk and after.startswith(prefix))
            keys = sorted(sk for sk in self._partitions.get(pk, ()) if sk.startswith(prefix) and sk > after)
            found = [copy.copy(self.items[pk, sk]) for sk in keys]
        page = found[: request["Limit"]]
        # DynamoDB says that there may be more wherever a page is full.
        if len(page) < request["Limit"]:
            return {"Items": page}
        names = ("pk", "sk", "due_bucket", "due_at_ms") if "IndexName" in request else ("pk", "sk")
        return {"Items": page, "LastEvaluatedKey": {name: page[-1][name] for name in names}}

    def _range(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What a partition of the table or of an index holds between two sort keys, in either order. The sort key of
        every such index is the table's, and an item's own key decides between equal ones."""
        values, name = request["ExpressionAttributeValues"], request["KeyConditionExpression"].partition(" ")[0]
        low, high, forward = values[":from"]["S"], values[":until"]["S"], request["ScanIndexForward"]
        _check(low <= high)
        held = (
            address for address, item in self.items.items() if item.get(name, {}).get("S") == values[":partition"]["S"]
        )
        order = sorted(
            ((sk, pk) for pk, sk in held if low <= sk <= high),
            reverse=not forward,
        )
        if (start := request.get("ExclusiveStartKey")) is not None:
            behind = start["sk"]["S"], start["pk"]["S"]
            _check(low <= behind[0] <= high and start[name] == values[":partition"])
            order = [each for each in order if (each > behind if forward else each < behind)]
        page = [copy.copy(self.items[pk, sk]) for sk, pk in order[: request["Limit"]]]
        if len(page) < request["Limit"]:
            return {"Items": page}
        return {"Items": page, "LastEvaluatedKey": {each: page[-1][each] for each in dict.fromkeys(("pk", "sk", name))}}

    @staticmethod
    def _index_key(address: Address, at: int, bucket: str) -> Item:
        pk, sk = address
        return {"pk": {"S": pk}, "sk": {"S": sk}, "due_at_ms": {"N": str(at)}, "due_bucket": {"S": bucket}}

    # --- writing ---------------------------------------------------------------------------------------------------

    def _UpdateItem(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        _check_placeholders(request)
        if not self._holds(request):
            old = self.items.get(_address(request["Key"]))
            shown = old is not None and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise ServiceError("ConditionalCheckFailedException", 400, {"Item": old} if shown else {})
        self._update(request)
        if request.get("ReturnValues") != "ALL_NEW":
            return {}
        return {"Attributes": copy.copy(self.items[_address(request["Key"])])}

    def _TransactWriteItems(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        deeds = [next(iter(each.items())) for each in request["TransactItems"]]
        reasons: list[dict[str, Any]] = []
        _check(1 <= len(deeds) <= 100)
        _all_different([_address(body["Item"] if verb == "Put" else body["Key"]) for verb, body in deeds])
        for verb, body in deeds:
            _check_placeholders(body)
            old = self.items.get(_address(body["Item"] if verb == "Put" else body["Key"]))
            reason: dict[str, Any] = {"Code": "None"}
            if not self._holds(body, body["Item"] if verb == "Put" else None):
                reason = {"Code": "ConditionalCheckFailed"}
                if old is not None and body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
                    reason["Item"] = old
            reasons.append(reason)
        if any(reason["Code"] != "None" for reason in reasons):
            raise ServiceError("TransactionCanceledException", 400, {"CancellationReasons": reasons})
        for verb, body in deeds:
            match verb:
                case "Put":
                    self._set(_address(body["Item"]), _as_answered(body["Item"]))
                case "Delete":
                    self._set(_address(body["Key"]), None)
                case "Update":
                    self._update(body)
        return {}

    def _update(self, body: Mapping[str, Any]) -> None:
        address = _address(body["Key"])
        before = self.items.get(address, {})
        item = {**before, **body["Key"]}
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        clauses = re.split(r"\b(SET|ADD|REMOVE|DELETE)\b", body["UpdateExpression"])[1:]
        for verb, text in zip(clauses[::2], clauses[1::2], strict=True):
            for part in text.split(","):
                name, _, value = part.replace("=", " ").strip().partition(" ")
                name, (term, _, more) = names.get(name, name), value.strip().partition(" + ")
                given = values.get(term)
                match verb, given:
                    case "SET", _ if more:
                        sum_of = int(before[names.get(term, term)]["N"]) + int(values[more]["N"])
                        item[name] = {"N": str(sum_of)}
                    case "SET", _:
                        item[name] = _as_answered(given)
                    case "REMOVE", _:
                        item.pop(name, None)
                    case "ADD", {"N": by}:
                        item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + int(by))}
                    case (("ADD" | "DELETE"), {"SS": texts}):
                        held = set(item.pop(name, {"SS": []})["SS"])
                        if held := held | set(texts) if verb == "ADD" else held - set(texts):
                            item[name] = {"SS": sorted(held)}
                    case _:
                        raise NotImplementedError(part)
        self._set(address, item)

    def _set(self, address: Address, item: Item | None) -> None:
        former = self.items.pop(address, None)
        if former is not None and "due_bucket" in former:
            del self._due[former["due_bucket"]["S"]][address]
        pk, sk = address
        if item is None:
            self._partitions.get(pk, set()).discard(sk)
            return
        self.items[address] = item
        self._partitions.setdefault(pk, set()).add(sk)
        if "due_bucket" in item:
            self._due.setdefault(item["due_bucket"]["S"], {})[address] = int(item["due_at_ms"]["N"])

    def _holds(self, body: Mapping[str, Any], put: Item | None = None) -> bool:
        if "ConditionExpression" not in body:
            return True
        item = self.items.get(_address(put or body["Key"]), {})
        return _Condition(body["ConditionExpression"], item, body).holds()


def _as_answered(item: Item) -> Item:
    """Blobs go out as bytes and come back as base64."""
    answered: Item = json.loads(json.dumps(item, default=lambda blob: base64.b64encode(blob).decode()))
    return answered


def _address(key: Mapping[str, Any]) -> Address:
    pk, sk = key["pk"]["S"], key["sk"]["S"]
    _check(0 < len(pk.encode()) <= 2048 and 0 < len(sk.encode()) <= 1024)
    return pk, sk


def _check(holds: bool) -> None:
    if not holds:
        raise ServiceError("ValidationException", 400, {})


def _all_different(addresses: Sequence[Address]) -> Sequence[Address]:
    _check(len(set(addresses)) == len(addresses))
    return addresses


def _check_placeholders(body: Mapping[str, Any]) -> None:
    """Each that is used is given, and the reverse."""
    used = _placeholders(" ".join(body[name] for name in _EXPRESSIONS if name in body))
    _check(used == {*body.get("ExpressionAttributeNames", ()), *body.get("ExpressionAttributeValues", ())})


@cache
def _placeholders(expressions: str) -> frozenset[str]:
    return frozenset(re.findall(r"[#:]\w+", expressions))


_EXPRESSIONS = ("ConditionExpression", "KeyConditionExpression", "UpdateExpression")


class _Condition:
    """The part of DynamoDB's condition expressions that the store uses; anything else raises."""

    def __init__(self, expression: str, item: Item, body: Mapping[str, Any]) -> None:
        self._tokens = _TOKENS.findall(expression)
        self._item = item
        self._names = body.get("ExpressionAttributeNames", {})
        self._values = body.get("ExpressionAttributeValues", {})

    def holds(self) -> bool:
        value = self._either()
        if self._tokens:
            raise NotImplementedError(self._tokens)
        return value

    def _either(self) -> bool:
        found = self._all()
        while self._take("OR"):
            found = self._all() or found
        return found

    def _all(self) -> bool:
        found = self._one()
        while self._take("AND"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._take("("):
            found = self._either()
            self._need(")")
            return found
        first = self._tokens.pop(0)
        if first in {"attribute_exists", "attribute_not_exists"}:
            self._need("(")
            name = self._tokens.pop(0)
            self._need(")")
            there: bool = self._names.get(name, name) in self._item
            return there is (first == "attribute_exists")
        left, compare, right = self._operand(first), self._tokens.pop(0), self._operand(self._tokens.pop(0))
        if compare == "BETWEEN":
            self._need("AND")
            highest = self._operand(self._tokens.pop(0))
            return _compare(right, "<=", left) and _compare(left, "<=", highest)
        return _compare(left, compare, right)

    def _operand(self, token: str) -> Any:
        if token.startswith(":"):
            return self._values[token]
        name, _, member = token.partition(".")
        held = self._item.get(self._names.get(name, name))
        return held.get("M", {}).get(member) if member and held is not None else held

    def _take(self, token: str) -> bool:
        if self._tokens[:1] != [token]:
            return False
        del self._tokens[0]
        return True

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise NotImplementedError(self._tokens)


def _compare(left: Mapping[str, Any] | None, how: str, right: Mapping[str, Any] | None) -> bool:
    """Values of two types, or one that is missing, are different, and neither is the greater."""
    if left is None or right is None or left.keys() != right.keys():
        return how == "<>"
    return _COMPARISONS[how](_comparable(left), _comparable(right))


def _comparable(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    return int(held) if kind == "N" else held


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


class Crash(BaseException):
    """The process is gone. Nothing in between catches it."""


class Crashing:
    """A client before another, through which the process dies. `plan` is asked about each call: None lets it pass, else
    it says whether the call is still carried out."""

    def __init__(self, service: Any, plan: Callable[[str, Mapping[str, Any]], bool | None]) -> None:
        self._service = service
        self._plan = plan

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        carried_out = self._plan(operation, request)
        if carried_out is None:
            answer: dict[str, Any] = self._service.call(operation, request)
            return answer
        if carried_out:
            self._service.call(operation, request)
        raise Crash


def rows(table: QuickTable, prefix: str) -> Iterator[Item]:
    return (item for (pk, _), item in table.items.items() if pk.startswith(prefix))
