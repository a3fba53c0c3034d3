"""local.aws and local.stack: what stands in for AWS, who may do what there, and how it is made to fail."""

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from local.aws import Fault, error
from local.iam import Call
from local.server import Request
from local.stack import Stack

TABLE = "keywright-KeyTable"
numbers = itertools.count()


@pytest.fixture(autouse=True)
def undisturbed(stack: Stack) -> Iterator[None]:
    stack.aws.clear()
    yield
    stack.aws.fault = lambda _: None
    stack.aws.honours_request_tokens = stack.aws.records = True


@functools.cache
def session(access_key: str) -> boto3.Session:
    return boto3.Session(access_key, "local")


def client(stack: Stack, service: str, *, region: str = "eu-west-1", attempts: int = 1) -> Any:
    """As the function EchoEvent: it may write in transactions and encrypt."""
    config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": attempts})
    return session(stack.environment("EchoEvent")["AWS_ACCESS_KEY_ID"]).client(
        service, region_name=region, endpoint_url=stack.url, config=config
    )  # type: ignore[call-overload]


def row() -> dict[str, Any]:
    return {"pk": {"S": f"aws-{next(numbers)}"}, "sk": {"S": "row"}}


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "TransactItems": [
            {"Put": {"TableName": TABLE, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
        ]
    }


def stored(stack: Stack, item: dict[str, Any]) -> bool:
    key = {name: item[name] for name in ("pk", "sk")}
    return "Item" in stack.client("dynamodb").get_item(TableName=TABLE, Key=key)


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return raised.value.response["Error"]["Code"]


def test_table_and_key_are_made_as_the_template_has_them(stack: Stack) -> None:
    dynamodb, kms = stack.client("dynamodb"), stack.client("kms")
    table = dynamodb.describe_table(TableName=TABLE)["Table"]
    assert table["DeletionProtectionEnabled"] is False  # the local stage is not prod
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_expiry"]
    expiry = dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "purge_at"}
    backups = dynamodb.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    key = stack.template.keys["SecretsKey"]
    assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["Arn"] == key.arn
    assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is True
    assert "NoUseWithoutContext" in kms.get_key_policy(KeyId=key.id, PolicyName="default")["Policy"]


def test_a_function_has_its_own_rights_and_whoever_administers_has_all(stack: Stack) -> None:
    item = row()
    client(stack, "dynamodb").transact_write_items(**put(item))
    for request in ({"Key": item}, {"Key": row()}):
        with pytest.raises(ClientError, match="EchoEvent is not authorized to perform dynamodb:GetItem") as raised:
            client(stack, "dynamodb").get_item(TableName=TABLE, **request)
        assert code(raised) == "AccessDeniedException"
    assert stored(stack, item)


def test_a_refused_item_leaves_the_whole_transaction_undone(stack: Stack) -> None:
    item = row()
    foreign = {"Delete": {"TableName": TABLE, "Key": row()}}
    with pytest.raises(ClientError, match="dynamodb:DeleteItem"):
        client(stack, "dynamodb").transact_write_items(TransactItems=[*put(item)["TransactItems"], foreign])
    assert not stored(stack, item)


def test_the_policy_of_the_key_is_judged_as_well(stack: Stack) -> None:
    kms, key = client(stack, "kms"), stack.template.keys["SecretsKey"].arn
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext={"tenant": "acme"})["CiphertextBlob"]
    with pytest.raises(ClientError, match="explicit deny"):
        kms.encrypt(KeyId=key, Plaintext=b"secret")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"tenant": "acme"})
    opened = stack.client("kms").decrypt(CiphertextBlob=sealed, EncryptionContext={"tenant": "acme"})
    assert opened["Plaintext"] == b"secret"


def test_calls_and_decisions_are_kept_until_they_are_cleared(stack: Stack) -> None:
    item = row()
    client(stack, "dynamodb").transact_write_items(**put(item))
    stack.client("dynamodb").get_item(TableName=TABLE, Key=item)
    ours, theirs = stack.aws.calls
    assert (ours.principal, ours.service, ours.operation) == ("EchoEvent", "dynamodb", "TransactWriteItems")
    assert ours.request["TransactItems"][0]["Put"]["Item"] == item
    assert theirs == Call(None, "dynamodb", "GetItem", {"TableName": TABLE, "Key": item})
    (decision,) = stack.aws.decisions
    assert (decision.principal, decision.access.action, decision.verdict) == (
        "EchoEvent",
        "dynamodb:PutItem",
        "allowed",
    )
    assert decision.access.resource == stack.template.tables["KeyTable"].arn
    stack.aws.clear()
    assert (stack.aws.calls, stack.aws.decisions) == ([], [])
    stack.aws.records = False
    client(stack, "dynamodb").transact_write_items(**put(row()))
    assert (stack.aws.calls, stack.aws.decisions) == ([], [])


def test_operations_of_a_rest_service_have_their_names(stack: Stack) -> None:
    mail = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}}
    with pytest.raises(ClientError, match="ses:SendEmail"):
        client(stack, "sesv2").send_email(FromEmailAddress="a@b.example", Content=mail)
    assert [(call.service, call.operation) for call in stack.aws.calls] == [("ses", "SendEmail")]


def test_every_region_is_the_stacks_own(stack: Stack) -> None:
    item = row()
    client(stack, "dynamodb", region="us-east-1").transact_write_items(**put(item))
    assert stored(stack, item)


def test_an_unsigned_request_is_refused(stack: Stack) -> None:
    answer = stack.aws.respond(Request("POST", "/", (("X-Amz-Target", "DynamoDB_20120810.ListTables"),), b"{}"))
    assert answer is not None
    assert answer.status == 403


def test_a_request_token_makes_a_repeated_transaction_one(stack: Stack) -> None:
    dynamodb, item = client(stack, "dynamodb"), row()
    for _ in range(2):
        dynamodb.transact_write_items(**put(item), ClientRequestToken="once")
    with pytest.raises(ClientError) as raised:
        dynamodb.transact_write_items(**put(row()), ClientRequestToken="once")
    assert code(raised) == "IdempotentParameterMismatchException"


def test_without_the_token_table_the_second_meets_the_first(stack: Stack) -> None:
    stack.aws.honours_request_tokens = False
    dynamodb, item = client(stack, "dynamodb"), row()
    dynamodb.transact_write_items(**put(item), ClientRequestToken="twice")
    with pytest.raises(ClientError) as raised:
        dynamodb.transact_write_items(**put(item), ClientRequestToken="twice")
    assert code(raised) == "TransactionCanceledException"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (error("ProvisionedThroughputExceededException"), "ProvisionedThroughputExceededException"),
        (error("InternalServerError", 500), "InternalServerError"),
        (error("AccessDeniedException"), "AccessDeniedException"),
        (
            error("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}]),
            "TransactionCanceledException",
        ),
    ],
)
def test_a_fault_answers_in_place_of_the_service(stack: Stack, answer: Any, expected: str) -> None:
    item = row()
    stack.aws.fault = lambda call: Fault(answer) if call.operation == "TransactWriteItems" else None
    with pytest.raises(ClientError) as raised:
        client(stack, "dynamodb").transact_write_items(**put(item))
    assert code(raised) == expected
    assert raised.value.response.get("CancellationReasons", [{"Code": "TransactionConflict"}]) == [
        {"Code": "TransactionConflict"}
    ]
    assert not stored(stack, item)


def test_a_disabled_key_can_be_played(stack: Stack) -> None:
    stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.service == "kms" else None
    kms, key = client(stack, "kms"), stack.template.keys["SecretsKey"].arn
    with pytest.raises(kms.exceptions.DisabledException):
        kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext={"tenant": "acme"})


@pytest.mark.parametrize("committed", [False, True])
def test_a_lost_answer_says_nothing_of_what_was_done(stack: Stack, committed: bool) -> None:
    item = row()
    stack.aws.fault = lambda call: Fault(None, committed) if call.operation == "TransactWriteItems" else None
    with pytest.raises(ConnectionClosedError):
        client(stack, "dynamodb").transact_write_items(**put(item))
    assert stored(stack, item) is committed


def test_the_sdks_own_retry_after_a_lost_answer_succeeds_by_its_token(stack: Stack) -> None:
    item, faults = row(), [Fault(None, committed=True)]
    stack.aws.fault = lambda call: faults.pop() if faults and call.operation == "TransactWriteItems" else None
    client(stack, "dynamodb", attempts=2).transact_write_items(**put(item))
    assert [call.operation for call in stack.aws.calls] == ["TransactWriteItems"] * 2
    assert stored(stack, item)


def test_two_stacks_keep_apart_and_a_closed_one_is_forgotten(stack: Stack) -> None:
    path, item = Path(__file__).with_name("template.yaml"), row()
    with (
        pytest.raises(RuntimeError, match="a stack is open"),
        Stack.from_template(path, account=stack.template.account),
    ):
        pass
    for _ in range(2):
        with Stack.from_template(path, account="222222222222") as other:
            assert not stored(other, item)
            other.client("dynamodb").put_item(TableName=TABLE, Item=item)
            assert stored(other, item)
    assert not stored(stack, item)
