"""A Query of the local stack finds what moto's own finds, in its order and on its pages."""

from __future__ import annotations

from typing import Any

import pytest
from moto.dynamodb.models.table import Table

from local import queries
from local.stack import Stack


@pytest.fixture(scope="module")
def rows(stack: Stack) -> tuple[Any, str]:
    client, table = stack.client("dynamodb"), next(iter(stack.template.tables.values())).name
    for n in range(40):
        item = {"pk": {"S": f"QUERIES#{n % 3}"}, "sk": {"S": f"{n * 7 % 40:03d}"}}
        if n % 4:
            item["audited_key"] = {"S": f"queries#{n % 2}"}
        client.put_item(TableName=table, Item=item)
    return client, table


def pages(client: Any, **request: Any) -> list[list[tuple[str, str]]]:
    found = client.get_paginator("query").paginate(**request, PaginationConfig={"PageSize": 4})
    return [[(item["pk"]["S"], item["sk"]["S"]) for item in page["Items"]] for page in found]


@pytest.mark.parametrize("value", ["QUERIES#1", "QUERIES#none"])
@pytest.mark.parametrize("condition", ["", " AND sk > :from"])
@pytest.mark.parametrize("forward", [True, False])
def test_of_the_table(
    rows: tuple[Any, str], value: str, condition: str, forward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, table = rows
    values = {":pk": {"S": value}, **({":from": {"S": "015"}} if condition else {})}
    request = {
        "TableName": table,
        "KeyConditionExpression": f"pk = :pk{condition}",
        "ExpressionAttributeValues": values,
        "ScanIndexForward": forward,
    }
    ours = pages(client, **request)
    monkeypatch.setattr(Table, "query", queries._in_moto)
    assert ours == pages(client, **request)
    assert any(ours) is (value == "QUERIES#1")


@pytest.mark.parametrize("forward", [True, False])
def test_of_an_index(rows: tuple[Any, str], forward: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    client, table = rows
    request = {
        "TableName": table,
        "IndexName": "by_key",
        "KeyConditionExpression": "#hash = :hash",
        "ExpressionAttributeNames": {"#hash": "audited_key"},
        "ExpressionAttributeValues": {":hash": {"S": "queries#1"}},
        "ScanIndexForward": forward,
    }
    ours = pages(client, **request)
    monkeypatch.setattr(Table, "query", queries._in_moto)
    assert ours == pages(client, **request)
    assert sum(map(len, ours)) == 20
