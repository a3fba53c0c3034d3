"""Two clients speak to AWS, and nobody can tell which: the same calls, the same answers, the same errors; and one
setting chooses between them."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from keywright import bootstrap
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.boto import BotoService
from keywright.adapters.lean import LeanService
from keywright.ports import TokenRef
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Bundle
from tests.integration.conftest import Connect, Faults

ROOT = Path(__file__).resolve().parents[2]
ITEM = {
    "pk": {"S": "CLIENTS#ключ \x1f"},
    "sk": {"S": "A"},
    "count": {"N": "-12345678901234567890"},
    "on": {"BOOL": True},
    "blob": {"B": bytes(range(256))},
    "list": {"L": [{"S": ""}, {"M": {"blob": {"B": b"\0"}}}]},
    "names": {"SS": ["a", "b"]},
}
READ = {
    **ITEM,
    "blob": {"B": base64.b64encode(bytes(range(256))).decode()},
    "list": {"L": [{"S": ""}, {"M": {"blob": {"B": "AA=="}}}]},
}
"""The same, as an answer has it."""
KEY = {"pk": ITEM["pk"], "sk": ITEM["sk"]}
NEXT = {**ITEM, "sk": {"S": "B"}}
NOBODYS = TokenRef("0" * 64)
ABSENT = {"pk": {"S": "CLIENTS#nobody"}, "sk": {"S": "A"}}


def outcome(service: JsonService, operation: str, request: Mapping[str, Any]) -> Any:
    """The answer, or code, status and body of the error without its words, which botocore takes away."""
    try:
        return service.call(operation, request)
    except ServiceError as failure:
        body = {name: value for name, value in failure.body.items() if name not in {"__type", "message", "Message"}}
        return failure.code, failure.status, body


@pytest.fixture
def both(clients: Mapping[str, Connect]) -> Callable[[str, str, Mapping[str, Any]], Any]:
    """What both answer alike; a write is made by both, one after the other."""

    def call(service: str, operation: str, request: Mapping[str, Any]) -> Any:
        by_boto, by_lean = (outcome(clients[name](service), operation, request) for name in ("boto3", "lean"))
        assert by_lean == by_boto
        return by_lean

    return call


Both = Callable[[str, str, Mapping[str, Any]], Any]


def transaction(table: str, *actions: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": [{verb: {"TableName": table, **body} for verb, body in each.items()} for each in actions]}


def test_both_write_and_read_every_type_alike(both: Both, table: str) -> None:
    written = both(
        "dynamodb", "TransactWriteItems", transaction(table, {"Put": {"Item": ITEM}}, {"Put": {"Item": NEXT}})
    )
    assert not any(written.values())
    found = both("dynamodb", "GetItem", {"TableName": table, "Key": KEY, "ConsistentRead": True})
    assert found == {"Item": READ}
    batch = both("dynamodb", "BatchGetItem", {"RequestItems": {table: {"Keys": [KEY, ABSENT]}}})
    assert batch["Responses"] == {table: [READ]}
    assert not batch["UnprocessedKeys"]
    query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": ITEM["pk"]}, "Limit": 1}
    page = both("dynamodb", "Query", {"TableName": table, **query})
    assert page["Items"] == [READ]
    assert page["LastEvaluatedKey"] == KEY


def test_both_find_nothing_alike(both: Both, table: str) -> None:
    assert both("dynamodb", "GetItem", {"TableName": table, "Key": ABSENT}) == {}


def test_both_are_refused_alike_and_told_what_stood_in_the_way(both: Both, table: str) -> None:
    both("dynamodb", "TransactWriteItems", transaction(table, {"Put": {"Item": ITEM}}))
    condition = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    puts: list[dict[str, Any]] = [{"Put": {"Item": NEXT}}, {"Put": {"Item": ITEM, **condition}}]
    code, status, body = both("dynamodb", "TransactWriteItems", transaction(table, *puts))
    assert (code, status) == ("TransactionCanceledException", 400)
    first, second = body["CancellationReasons"]
    assert first == {"Code": "None"}
    assert (second["Code"], second["Item"]) == ("ConditionalCheckFailed", READ)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("GetItem", {"TableName": "no-such-table", "Key": KEY}),
        ("Query", {"TableName": "no-such-table", "KeyConditionExpression": "pk = :pk"}),
    ],
)
def test_both_report_an_error_of_dynamodb_alike(both: Both, operation: str, request_: Mapping[str, Any]) -> None:
    code, status, _ = both("dynamodb", operation, request_)
    assert code.endswith("Exception")
    assert status == 400


def test_what_one_seals_the_other_opens(clients: Mapping[str, Connect], stack: Stack) -> None:
    arn = next(iter(stack.template.keys.values())).arn
    context = {"tenant": "a", "key_id": "key_1", "version": "1"}
    plain = b"\x00secret\xff"
    for seals, opens in (("lean", "boto3"), ("boto3", "lean"), ("lean", "lean")):
        request = {"KeyId": arn, "Plaintext": plain, "EncryptionContext": context}
        sealed = clients[seals]("kms").call("Encrypt", request)
        blob = base64.b64decode(sealed["CiphertextBlob"])
        request = {"KeyId": arn, "CiphertextBlob": blob, "EncryptionContext": context}
        opened = clients[opens]("kms").call("Decrypt", request)
        assert base64.b64decode(opened["Plaintext"]) == plain
        assert opened["KeyId"] == sealed["KeyId"] == arn


def test_both_report_an_error_of_kms_alike(both: Both, connect: Connect, stack: Stack) -> None:
    arn = next(iter(stack.template.keys.values())).arn
    context = {"tenant": "a", "key_id": "key_1", "version": "1"}
    sealed = connect("kms").call("Encrypt", {"KeyId": arn, "Plaintext": b"\0", "EncryptionContext": context})
    blob = base64.b64decode(sealed["CiphertextBlob"])
    wrong = {"KeyId": arn, "CiphertextBlob": blob, "EncryptionContext": {**context, "tenant": "b"}}
    code, status, _ = both("kms", "Decrypt", wrong)
    assert code == "InvalidCiphertextException"
    assert status == 400


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [
        (Fault(error("ThrottlingException")), 3),
        (Fault(error("TransactionInProgressException")), 3),
        (Fault(error("InternalServerError", 500)), 3),
        (Fault(error("Unavailable", 503)), 3),
        (Fault(error("TooMany", 429)), 3),
        (Fault(error("AccessDeniedException")), 1),
        (Fault(error("Odd", 501)), 1),
        (Fault(None), 3),
    ],
    ids=str,
)
def test_both_try_again_alike(
    connect: Connect, stack: Stack, table: str, faults: Faults, fault: Fault, attempts: int
) -> None:
    service, made = connect("dynamodb"), list[Call]()

    def hit(call: Call) -> Fault:
        made.append(call)
        return fault

    faults(hit)
    with pytest.raises(Unreachable if fault.answer is None else ServiceError):
        service.call("GetItem", {"TableName": table, "Key": ABSENT})
    assert len(made) == attempts


# --- which one it is -----------------------------------------------------------------------------------------------


@pytest.fixture
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """The verifying function's, with changes; None takes a variable away."""

    def forget() -> None:
        bootstrap.forget()
        Bundle._open = None

    def changed(**changes: str | None) -> None:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                monkeypatch.delenv(name)
        for name, value in {**stack.environment("NativeVerifyKey"), **changes}.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        forget()

    yield changed
    forget()


def opened() -> tuple[JsonService, JsonService]:
    desk: Any = bootstrap.desk()
    return desk.store._service, desk.vault._service


@pytest.mark.parametrize(
    ("name", "kind"),
    [("lean", LeanService), ("boto3", BotoService)],
)
def test_the_setting_names_the_client_of_both_services(environment: Callable[..., None], name: str, kind: type) -> None:
    environment(KEYWRIGHT_AWS_CLIENT=name)
    assert [type(service) for service in opened()] == [kind, kind]
    assert bootstrap.desk().store.read(NOBODYS)[NOBODYS] is None


def test_the_stack_chooses_the_lean_one(stack: Stack) -> None:
    assert {each.variables["KEYWRIGHT_AWS_CLIENT"] for each in stack.template.functions.values()} == {"lean"}


@pytest.mark.parametrize("changes", [{"KEYWRIGHT_AWS_CLIENT": "boto"}, {"KEYWRIGHT_AWS_CLIENT": None}])
def test_no_client_but_the_two_is_taken(environment: Callable[..., None], changes: dict[str, str | None]) -> None:
    environment(**changes)
    with pytest.raises(KeyError):
        bootstrap.desk()


@pytest.mark.parametrize(
    ("changes", "dynamodb", "kms"),
    [
        ({}, "https://dynamodb.eu-west-1.amazonaws.com", "https://kms.eu-west-1.amazonaws.com"),
        ({"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1", "http://a:1"),
        ({"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_KMS": "https://b"}, "http://a:1", "https://b"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "https://c:8"}, "https://c:8", "https://kms.eu-west-1.amazonaws.com"),
        (
            {"AWS_DEFAULT_REGION": "cn-north-1"},
            "https://dynamodb.cn-north-1.amazonaws.com.cn",
            "https://kms.cn-north-1.amazonaws.com.cn",
        ),
    ],
)
def test_both_take_their_endpoints_from_the_same_variables(
    environment: Callable[..., None], changes: dict[str, str], dynamodb: str, kms: str
) -> None:
    for client in ("lean", "boto3"):
        environment(**{"KEYWRIGHT_AWS_CLIENT": client, "AWS_ENDPOINT_URL": "", **changes})
        assert [_address(service) for service in opened()] == [dynamodb, kms]


@pytest.mark.parametrize("client", ["lean", "boto3"])
def test_both_look_for_the_address_of_the_bus_under_the_name_of_its_service(
    environment: Callable[..., None], client: str
) -> None:
    """Which is EventBridge, although its host is called events."""
    other = {"AWS_ENDPOINT_URL_EVENTS": "http://c:1"}
    for changes, address in (
        ({**other, "AWS_ENDPOINT_URL_EVENTBRIDGE": "https://b"}, "https://b"),
        ({**other, "AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1"),
        (other, "https://events.eu-west-1.amazonaws.com"),
    ):
        environment(**{"KEYWRIGHT_AWS_CLIENT": client, "AWS_ENDPOINT_URL": "", **changes})
        bus: Any = bootstrap.event_bus()
        assert _address(bus._service) == address


def _address(service: Any) -> str:
    if isinstance(service, BotoService):
        address: str = service._client.meta.endpoint_url
        return address
    endpoint = service._endpoint
    assert (service._trust is not None) is endpoint.secure
    return f"{'https' if endpoint.secure else 'http'}://{endpoint.authority}"


@pytest.mark.parametrize("name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_an_address_that_only_boto3_can_find_is_not_quietly_replaced_by_another(
    environment: Callable[..., None], name: str
) -> None:
    environment(**{name: "true", "AWS_ENDPOINT_URL": ""})
    with pytest.raises(ValueError, match="KEYWRIGHT_AWS_CLIENT=boto3"):
        bootstrap.desk()
    environment(**{name: "true", "AWS_ENDPOINT_URL_DYNAMODB": "https://a", "AWS_ENDPOINT_URL_KMS": "https://b"})
    bootstrap.desk()
    environment(**{name: "false", "AWS_ENDPOINT_URL": ""})
    bootstrap.desk()


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_missing_credentials_are_noticed_at_the_start(environment: Callable[..., None], name: str) -> None:
    environment(**{name: None})
    with pytest.raises(KeyError, match=name):
        bootstrap.desk()


def test_certificates_are_checked_against_what_the_system_trusts_or_the_bundle_that_is_named(
    environment: Callable[..., None], tmp_path: Path
) -> None:
    environment(AWS_ENDPOINT_URL="https://localhost", AWS_CA_BUNDLE=str(tmp_path / "absent.pem"))
    with pytest.raises(FileNotFoundError):
        bootstrap.desk()
    environment(AWS_ENDPOINT_URL="https://localhost")
    for service in opened():
        assert isinstance(service, LeanService)
        assert service._trust is not None
        assert service._trust.verify_mode is ssl.CERT_REQUIRED
        assert service._trust.check_hostname


def test_new_credentials_in_the_environment_are_used_at_once(
    environment: Callable[..., None], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment()
    bootstrap.desk().store.read(NOBODYS)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.environment("NativeListOwners")["AWS_ACCESS_KEY_ID"])
    stack.aws.clear()
    bootstrap.desk().store.read(NOBODYS)
    assert [call.principal for call in stack.aws.calls] == ["NativeListOwners"]


def test_in_lambda_the_connection_to_the_table_stands_before_the_first_request(
    environment: Callable[..., None], stack: Stack
) -> None:
    environment(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")
    bootstrap.open_early()
    table, key = opened()
    assert isinstance(table, LeanService)
    assert isinstance(key, LeanService)
    assert (len(table._idle), len(key._idle)) == (1, 0)
    bootstrap.desk().store.read(NOBODYS)
    assert len(table._idle) == 1


ALONE = """
import importlib, json, sys
handler = importlib.import_module("native.verify_key").handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "x"
answer = handler(json.load(open("events/native/verify_key.json")), Context())
print(json.dumps([answer["statusCode"], "boto3" in sys.modules, "botocore.session" in sys.modules]))
"""


@pytest.mark.parametrize(("name", "loaded"), [("lean", False), ("boto3", True)])
def test_a_function_loads_boto3_only_where_the_setting_says_so(stack: Stack, name: str, loaded: bool) -> None:
    variables = {
        **stack.environment("NativeVerifyKey"),
        "KEYWRIGHT_AWS_CLIENT": name,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/keywright"), str(ROOT / "functions")]),
    }
    told = subprocess.run(
        [sys.executable, "-c", ALONE], env=variables, cwd=ROOT, check=True, capture_output=True, text=True
    )
    status, *modules = json.loads(told.stdout.splitlines()[-1])
    assert status == 401  # the demo tenant is not laid out here: the table was asked all the same
    assert modules == [loaded, loaded]
