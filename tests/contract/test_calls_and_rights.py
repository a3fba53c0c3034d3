"""One table: what each function asks of AWS for its committed event, and whether it may decrypt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from local import demo
from local.stack import Stack
from local.template import Function
from tests.bundle import Bundle, is_note

ROOT = Path(__file__).resolve().parents[2]
GET, BATCH, QUERY, UPDATE = "GetItem", "BatchGetItem", "Query", "UpdateItem"
SEAL, REVEAL, COMMIT, MAIL = "Encrypt", "Decrypt", "TransactWriteItems", "SendEmail"
PUBLISH = "PutEvents"


class Row(NamedTuple):
    """`calls` are compared without order where several secrets are asked for side by side."""

    calls: tuple[str, ...]
    may_decrypt: bool = False


TABLE: Final = {
    "NativeCreateFirstOperator": Row((SEAL, COMMIT)),
    "NativeCreateTenant": Row((GET, SEAL, COMMIT), may_decrypt=True),
    "NativeCreateOwner": Row((GET, COMMIT), may_decrypt=True),
    "NativeListOwners": Row((GET, QUERY)),
    "NativeGetOwner": Row((GET, GET)),
    "NativeChangeOwner": Row((GET, BATCH, COMMIT)),
    "NativeIssueKey": Row((GET, SEAL, COMMIT), may_decrypt=True),
    "NativeListKeys": Row((GET, QUERY)),
    "NativeListAuditEvents": Row((GET, QUERY)),
    "NativeGetKey": Row((BATCH,)),
    "NativeChangeKey": Row((BATCH, COMMIT)),
    "NativeDeleteKey": Row((BATCH, COMMIT)),
    "NativeUndeleteKey": Row((BATCH, COMMIT)),
    "NativeRotateKey": Row((BATCH, SEAL, COMMIT), may_decrypt=True),
    "NativeExtendRotation": Row((BATCH, COMMIT)),
    "NativeCancelRotation": Row((BATCH, COMMIT)),
    "NativeFinishRotation": Row((BATCH, COMMIT)),
    "NativeDisableKey": Row((BATCH, COMMIT)),
    "NativeEnableKey": Row((BATCH, COMMIT)),
    "NativeCreateLink": Row((BATCH, MAIL, COMMIT), may_decrypt=True),
    "NativeListLinks": Row((BATCH, QUERY)),
    "NativeRevokeLink": Row((BATCH, COMMIT)),
    "HandoverShowLink": Row((GET, BATCH)),
    "HandoverOpenLink": Row((GET, BATCH, REVEAL, COMMIT), may_decrypt=True),
    "HandoverRefuseUnknownPath": Row(()),
    "NativeVerifyKey": Row((BATCH,)),
    "NativeVerifyKeys": Row((BATCH,)),
    "NativeIntrospect": Row((BATCH,)),
    "NativeRevokeSelf": Row((GET, GET, COMMIT)),
    "NativeVerifyJwt": Row((BATCH, REVEAL), may_decrypt=True),
    "NativeRevokeKey": Row((BATCH, COMMIT)),
    "NativeGetOpenapi": Row(()),
    "NativeRefuseUnknownPath": Row(()),
    "SalesiqListAccessKeys": Row((GET, BATCH, REVEAL, COMMIT), may_decrypt=True),
    "SalesiqGetChannel": Row((GET, BATCH, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SalesiqUpdateChannel": Row((GET, BATCH, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SalesiqUpdateAccessKey": Row((GET, BATCH, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SalesiqCreateAccessKey": Row((GET, BATCH, REVEAL, REVEAL, SEAL, COMMIT), may_decrypt=True),
    "SalesiqDeleteAccessKey": Row((GET, BATCH, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SalesiqCreateChannel": Row((GET, BATCH, REVEAL, SEAL, COMMIT), may_decrypt=True),
    "SalesiqRefreshAccessToken": Row((BATCH, GET, SEAL, COMMIT)),
    "SalesiqRefuseUnknownPath": Row(()),
    "SupportcenterGenerateApiKey": Row((GET, BATCH, SEAL, COMMIT)),
    "SupportcenterListApiKeys": Row((GET, GET, QUERY, REVEAL, REVEAL, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SupportcenterEmailApiKey": Row((GET, BATCH, REVEAL, COMMIT, MAIL), may_decrypt=True),
    "SupportcenterRegenerateApiKey": Row((GET, BATCH, SEAL, COMMIT)),
    "SupportcenterDeleteApiKey": Row((GET, BATCH, COMMIT)),
    "SupportcenterRefuseUnknownPath": Row(()),
    "SupportcenterConsole": Row(()),
    "SunshineListIntegrationKeys": Row((GET, BATCH, QUERY, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SunshineGetIntegrationKey": Row((GET, BATCH, REVEAL, COMMIT), may_decrypt=True),
    "SunshineCreateIntegrationKey": Row((GET, BATCH, SEAL, COMMIT), may_decrypt=True),
    "SunshineDeleteIntegrationKey": Row((GET, BATCH, COMMIT), may_decrypt=True),
    "SunshineListAppKeys": Row((GET, BATCH, QUERY, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "SunshineGetAppKey": Row((GET, BATCH, REVEAL, COMMIT), may_decrypt=True),
    "SunshineCreateAppKey": Row((GET, BATCH, SEAL, COMMIT), may_decrypt=True),
    "SunshineDeleteAppKey": Row((GET, BATCH, COMMIT), may_decrypt=True),
    "SunshineRefuseUnknownPath": Row(()),
    "VoltmxGetAppApiKeys": Row((GET, BATCH, QUERY, REVEAL, REVEAL, COMMIT), may_decrypt=True),
    "VoltmxGetAppApiKeyDetails": Row((GET, BATCH)),
    "VoltmxAddAppApiKey": Row((GET, BATCH, SEAL, COMMIT)),
    "VoltmxModifyAppApiKey": Row((BATCH, BATCH, COMMIT)),
    "VoltmxDeleteAppApiKey": Row((BATCH, BATCH, COMMIT)),
    "VoltmxLogin": Row((GET, GET, SEAL, COMMIT)),
    "VoltmxRefuseUnknownPath": Row(()),
    "NativeDeleteOwner": Row((GET, GET, COMMIT, QUERY, COMMIT)),
    "StreamsPublishEvents": Row((PUBLISH,)),
    "AuthorizersAuthorizeHttpApi": Row((GET,)),
    "AuthorizersAuthorizeRestApi": Row((GET,)),
    "StreamsMailWarnings": Row((BATCH, MAIL)),
    "ScheduledSweepExpiredKeys": Row((UPDATE, QUERY, QUERY, QUERY, QUERY, UPDATE)),
}


@pytest.fixture(scope="module")
def demo_bundle() -> Iterator[Bundle]:
    """The demo tenant, as `make run` has it, under an installation whose operator may also open tenants."""
    with Stack.from_template(ROOT / "template.yaml", account="444455556666") as stack:
        demo.seed(stack)
        yield Bundle(stack)


def event_of(function: Function) -> dict[str, object]:
    module = function.handler.rpartition(".")[0]
    loaded: dict[str, object] = json.loads((ROOT / "events" / f"{module.replace('.', '/')}.json").read_text())
    return loaded


def test_the_table_has_every_function_and_no_other(stack: Stack) -> None:
    assert TABLE.keys() == stack.template.functions.keys()


@pytest.mark.parametrize("name", TABLE)
def test_the_committed_event_succeeds_with_exactly_these_calls(name: str, demo_bundle: Bundle) -> None:
    stack = demo_bundle.stack
    before = len(stack.aws.calls)
    result = demo_bundle.invoke(name, event_of(stack.template.functions[name]))
    # A note of a key's last use is nothing that the answer waits for.
    made = [call.operation for call in stack.aws.calls[before:] if not is_note(call)]

    assert sorted(made) == sorted(TABLE[name].calls)
    assert (
        made[: made.index(COMMIT)] == list(TABLE[name].calls[: TABLE[name].calls.index(COMMIT)])
        if COMMIT in made
        else True
    )
    if "statusCode" in result.payload and TABLE[name].calls:
        assert result.payload["statusCode"] in {200, 201, 204}, result.payload["body"]
        assert not (result.payload["body"] or "").startswith('{"error"'), "SalesIQ refuses with 200 too"


@pytest.mark.parametrize("name", TABLE)
def test_only_these_functions_may_decrypt(name: str, stack: Stack) -> None:
    actions = json.dumps([policy.document for policy in stack.template.functions[name].policies])
    assert ("kms:Decrypt" in actions) is TABLE[name].may_decrypt
