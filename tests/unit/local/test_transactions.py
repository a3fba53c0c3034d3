"""local.transactions: moto's transactions are all or nothing, and copy no table."""

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.table import Table

from local.stack import Stack

TABLE = "keywright-KeyTable"
numbers = itertools.count()


@pytest.fixture
def client(stack: Stack) -> Any:
    return stack.client("dynamodb")


def key(name: str, partition: int) -> dict[str, Any]:
    return {"pk": {"S": f"{name}-{partition}"}, "sk": {"S": "row"}}


def rows(client: Any, partition: int) -> dict[str, Any]:
    keys = {name: key(name, partition) for name in ("put", "update", "delete", "check")}
    return {name: client.get_item(TableName=TABLE, Key=each).get("Item") for name, each in keys.items()}


def transaction(partition: int, *, fails: bool) -> list[dict[str, Any]]:
    on = {"TableName": TABLE}
    condition = f"attribute_{'exists' if fails else 'not_exists'}(nowhere)"
    return [
        {"Put": {**on, "Item": {**key("put", partition), "is": {"S": "new"}}}},
        {
            "Update": {
                **on,
                "Key": key("update", partition),
                "UpdateExpression": "SET #i = :new",
                "ExpressionAttributeNames": {"#i": "is"},
                "ExpressionAttributeValues": {":new": {"S": "new"}},
            }
        },
        {"Delete": {**on, "Key": key("delete", partition)}},
        {"ConditionCheck": {**on, "Key": key("check", partition), "ConditionExpression": condition}},
    ]


@pytest.mark.parametrize("existing", [("update", "delete", "check"), ("put", "update", "delete", "check"), ()])
def test_a_transaction_is_whole_or_absent(client: Any, existing: tuple[str, ...]) -> None:
    partition = next(numbers)
    for name in existing:
        client.put_item(TableName=TABLE, Item={**key(name, partition), "is": {"S": "old"}})
    before = rows(client, partition)
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        client.transact_write_items(TransactItems=transaction(partition, fails=True))
    assert rows(client, partition) == before
    client.transact_write_items(TransactItems=transaction(partition, fails=False))
    after = rows(client, partition)
    assert after["put"]["is"] == after["update"]["is"] == {"S": "new"}
    assert after["delete"] is None
    assert after["check"] == before["check"]


def test_a_refused_transaction_is_undone_too(client: Any) -> None:
    """Two actions on one row are not a failed condition but a request that moto rejects half-way."""
    partition = next(numbers)
    items = transaction(partition, fails=False)
    with pytest.raises(ClientError, match="ValidationException"):
        client.transact_write_items(TransactItems=[*items, items[0]])
    assert set(rows(client, partition).values()) == {None}


def test_a_failed_condition_shows_the_old_row(client: Any) -> None:
    partition = next(numbers)
    client.put_item(TableName=TABLE, Item={**key("put", partition), "is": {"S": "old"}})
    put = {"TableName": TABLE, "Item": key("put", partition), "ConditionExpression": "attribute_not_exists(pk)"}
    put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    with pytest.raises(ClientError) as raised:
        client.transact_write_items(TransactItems=[{"Put": put}])
    reason: dict[str, Any] = dict(raised.value.response["CancellationReasons"][0])
    assert (reason["Code"], reason["Item"]["is"]) == ("ConditionalCheckFailed", {"S": "old"})


def test_no_table_is_copied_for_a_transaction(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(self: Table, memo: object) -> Table:
        raise AssertionError("a whole table was copied")

    monkeypatch.setattr(Table, "__deepcopy__", copied, raising=False)
    client.transact_write_items(TransactItems=transaction(next(numbers), fails=False))


def test_a_backup_still_is_a_copy(client: Any) -> None:
    partition = next(numbers)
    client.put_item(TableName=TABLE, Item={**key("put", partition), "is": {"S": "old"}})
    backup = client.create_backup(TableName=TABLE, BackupName="before")["BackupDetails"]["BackupArn"]
    client.put_item(TableName=TABLE, Item={**key("put", partition), "is": {"S": "new"}})
    client.restore_table_from_backup(TargetTableName=f"restored-{partition}", BackupArn=backup)
    restored = client.get_item(TableName=f"restored-{partition}", Key=key("put", partition))
    assert restored["Item"]["is"] == {"S": "old"}
