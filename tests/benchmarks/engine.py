"""A stand-in for DynamoDB that holds millions of rows: keyed reads, queries and conditional writes over SQLite.

Conditions and updates are read by moto's own parsers; its store in memory could not hold a tenth of the rows. It knows
what the layer asks of it and nothing else. Rows that only stand in the way have keys and no more.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from local.server import Request, Response, Server

Wire = dict[str, Any]
_TABLE = """
CREATE TABLE items (pk TEXT, sk TEXT, body TEXT, bucket TEXT, due INTEGER, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
CREATE INDEX by_due ON items (bucket, due) WHERE bucket IS NOT NULL;
"""


class Table:
    table_key_attrs = ("pk", "sk")
    attr = ({"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"})
    attribute_keys = table_key_attrs
    """All three as moto's validator asks for them."""

    def __init__(self, file: Path) -> None:
        self._rows = sqlite3.connect(file, check_same_thread=False)
        self._rows.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_TABLE}")
        self._lock = threading.Lock()
        self._filled = 0

    def fill(self, keys: int) -> None:
        """Until so many keys lie there: a record, a place in a list and a token each."""
        with self._lock:
            self._rows.executemany("INSERT INTO items VALUES (?, ?, NULL, ?, ?)", self._filling(keys))
            self._rows.commit()
            self._filled = keys

    def _filling(self, keys: int) -> Iterator[tuple[str, str, str | None, int | None]]:
        for n in range(self._filled, keys):
            yield f"KEY#key_{n:024x}", "KEY", f"DUE#{n % 4}", 4_000_000_000_000 + n
            yield f"KEYS#filling#app#{n // 10}", f"native#{n:013}#key_{n:024x}", None, None
            yield f"TOKEN#{n:064x}", "TOKEN", None, None

    def answer(self, operation: str, asked: Wire) -> tuple[int, Wire]:
        with self._lock:
            try:
                return 200, getattr(self, f"_{operation}")(asked)
            except _Refused as refused:
                self._rows.rollback()
                return 400, {"__type": refused.args[0], **refused.args[1]}

    def _get(self, key: Wire) -> Wire | None:
        found = self._rows.execute("SELECT body FROM items WHERE pk = ? AND sk = ?", (key["pk"]["S"], key["sk"]["S"]))
        row = found.fetchone()
        return json.loads(row[0]) if row and row[0] else None

    def _put(self, item: Wire) -> None:
        bucket, due = item.get("due_bucket", {}).get("S"), item.get("due_at_ms", {}).get("N")
        row = (item["pk"]["S"], item["sk"]["S"], json.dumps(item), bucket, None if due is None else int(due))
        self._rows.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?)", row)

    def _GetItem(self, asked: Wire) -> Wire:  # noqa: N802  the operation's own name, as are those below
        item = self._get(asked["Key"])
        return {} if item is None else {"Item": item}

    def _BatchGetItem(self, asked: Wire) -> Wire:  # noqa: N802
        ((table, wanted),) = asked["RequestItems"].items()
        return {
            "Responses": {table: [item for key in wanted["Keys"] if (item := self._get(key))]},
            "UnprocessedKeys": {},
        }

    def _Query(self, asked: Wire) -> Wire:  # noqa: N802
        values = {name: next(iter(value.values())) for name, value in asked["ExpressionAttributeValues"].items()}
        limit = asked.get("Limit", 1000)
        start = asked.get("ExclusiveStartKey", {})
        if asked.get("IndexName"):
            after = int(start["due_at_ms"]["N"]) if start else -1
            found = self._rows.execute(
                "SELECT pk, sk, bucket, due FROM items WHERE bucket = ? AND due <= ? AND due > ? ORDER BY due LIMIT ?",
                (values[":bucket"], int(values[":until"]), after, limit),
            ).fetchall()
            items = [
                {"pk": {"S": pk}, "sk": {"S": sk}, "due_bucket": {"S": bucket}, "due_at_ms": {"N": str(due)}}
                for pk, sk, bucket, due in found
            ]
        else:
            prefix, after_sk = values.get(":prefix", ""), start.get("sk", {}).get("S", "")
            found = self._rows.execute(
                "SELECT body FROM items WHERE pk = ? AND sk > ? AND substr(sk, 1, ?) = ? ORDER BY sk LIMIT ?",
                (values[":pk"], after_sk, len(prefix), prefix, limit),
            ).fetchall()
            items = [json.loads(body) for (body,) in found]
        following = {"LastEvaluatedKey": items[-1]} if len(items) == limit else {}
        return {"Items": items, "Count": len(items), **following}

    def _UpdateItem(self, asked: Wire) -> Wire:  # noqa: N802
        self._apply({"Update": asked})
        self._rows.commit()
        return {"Attributes": self._get(asked["Key"])}

    def _TransactWriteItems(self, asked: Wire) -> Wire:  # noqa: N802
        reasons: list[Wire] = []
        for action in asked["TransactItems"]:
            try:
                self._apply(action)
                reasons.append({"Code": "None"})
            except _Refused as refused:
                reasons.append({"Code": "ConditionalCheckFailed", **refused.args[1]})
        if any(reason["Code"] != "None" for reason in reasons):
            raise _Refused("TransactionCanceledException", {"CancellationReasons": reasons})
        self._rows.commit()
        return {}

    def _apply(self, action: Wire) -> None:
        ((verb, body),) = action.items()
        key = body.get("Key") or {name: body["Item"][name] for name in ("pk", "sk")}
        before = self._get(key)
        names, values = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
        condition = body.get("ConditionExpression")
        if condition and not get_filter_expression(condition, names, values).expr(_item(before or {})):
            raise _Refused("ConditionalCheckFailedException", {"Item": before} if before else {})
        if verb == "Put":
            self._put(body["Item"])
        elif verb == "Delete":
            self._rows.execute("DELETE FROM items WHERE pk = ? AND sk = ?", (key["pk"]["S"], key["sk"]["S"]))
        elif verb == "Update":
            item = _item({**key, **(before or {})})
            tree = UpdateExpressionParser.make(body["UpdateExpression"])
            valid = UpdateExpressionValidator(
                tree,
                expression_attribute_names=names,
                expression_attribute_values=values,
                item=item,
                table=self,  # type: ignore[arg-type]
            ).validate()
            UpdateExpressionExecutor(valid, item, names).execute()
            self._put({name: value.to_json() for name, value in item.attrs.items()})


class _Refused(Exception):
    """A condition that does not hold, as DynamoDB says it."""


def _item(wire: Wire) -> Item:
    there = {name: wire.get(name, {"S": "-"}) for name in ("pk", "sk")}
    return Item(DynamoType(there["pk"]), DynamoType(there["sk"]), wire)


def main(file: str) -> None:
    """Prints its address; then takes numbers, one a line: as many keys to fill up to, answered with `filled`."""
    table = Table(Path(file))

    def respond(request: Request) -> Response:
        service, _, operation = request.header("x-amz-target").rpartition(".")
        asked = json.loads(request.body)
        if service.startswith("Trent"):
            sealed = base64.b64encode(b"sealed" * 20).decode()
            status, answer = 200, {"CiphertextBlob": sealed, "KeyId": asked["KeyId"]}
        else:
            status, answer = table.answer(operation, asked)
        return Response(status, (("Content-Type", "application/x-amz-json-1.0"),), json.dumps(answer).encode())

    server = Server(respond)
    server.start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        table.fill(int(line))
        sys.stdout.write("filled\n")
        sys.stdout.flush()
    server.close()


if __name__ == "__main__":
    main(sys.argv[1])
