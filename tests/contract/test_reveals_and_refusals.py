"""What is no change and yet on record: reveals of stored secrets before they leave, and uses of keys that are over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import Event, EventType, KeyKind
from keywright.ports import AuditQuestion
from local import demo
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from local.template import Function
from tests.bundle import Bundle
from tests.contract.authorizers import authorizing
from tests.contract.authorizers.authorizing import ADDRESS, HTTP, REST, Asked, bearer
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
REVEALS = {
    "NativeCreateOwner": 0,
    "SalesiqListAccessKeys": 1,
    "SalesiqGetChannel": 2,
    "SalesiqUpdateChannel": 2,
    "SalesiqUpdateAccessKey": 2,
    "SalesiqCreateAccessKey": 2,
    "SalesiqCreateChannel": 1,
    "SunshineListIntegrationKeys": 2,
    "SunshineGetIntegrationKey": 1,
    "SunshineListAppKeys": 2,
    "SunshineGetAppKey": 1,
    "SunshineCreateAppKey": 0,
    "SupportcenterGenerateApiKey": 0,
    "SupportcenterRegenerateApiKey": 0,
    "SupportcenterEmailApiKey": 1,
    "VoltmxGetAppApiKeys": 2,
    "VoltmxGetAppApiKeyDetails": 0,
    "NativeVerifyKey": 0,
    "NativeGetKey": 0,
    "NativeListKeys": 0,
}
"""How many stored secrets each shows of the demo tenant, for its committed event."""


@pytest.fixture(scope="module")
def demo_bundle() -> Iterator[Bundle]:
    with Stack.from_template(ROOT / "template.yaml", account="444455557777") as stack:
        demo.seed(stack)
        yield Bundle(stack)


def event_of(function: Function) -> dict[str, Any]:
    module = function.handler.rpartition(".")[0]
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{module.replace('.', '/')}.json").read_text())
    return loaded


def recorded(call: Call, type: EventType) -> list[str]:
    """The keys of which a transaction puts such an event on record."""
    items = [item["Put"]["Item"] for item in call.request.get("TransactItems", ()) if "Put" in item]
    return [item["subject"]["S"] for item in items if item.get("type", {}).get("S") == type.value]


@pytest.mark.parametrize("name", REVEALS)
def test_each_stored_secret_that_is_shown_is_on_record_and_what_was_just_made_is_not(
    name: str, demo_bundle: Bundle
) -> None:
    stack = demo_bundle.stack
    before = len(stack.aws.calls)
    demo_bundle.invoke(name, event_of(stack.template.functions[name]))
    made = stack.aws.calls[before:]
    on_record = [subject for call in made for subject in recorded(call, EventType.KEY_REVEALED)]
    decrypted = [call.request["EncryptionContext"]["key_id"] for call in made if call.operation == "Decrypt"]
    assert len(on_record) == REVEALS[name]
    assert sorted(on_record) == sorted(decrypted)


@pytest.mark.parametrize("name", [name for name, number in REVEALS.items() if number])
def test_no_secret_leaves_where_its_reveal_cannot_be_recorded(
    name: str, demo_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = demo_bundle.stack
    monkeypatch.setattr("time.sleep", lambda _: None)
    down = Fault(error("InternalServerError", 500))
    monkeypatch.setattr(
        stack.aws, "fault", lambda call: down if call.operation == "TransactWriteItems" and call.principal else None
    )
    before = len(stack.aws.calls)
    answer = demo_bundle.invoke(name, event_of(stack.template.functions[name])).payload
    made = [call.operation for call in stack.aws.calls[before:]]
    assert "SendEmail" not in made
    for _, secret in demo.VALUES:
        if "KEY_SECRET" in _ or "APIKEY" in _ or "API_KEY" in _:
            assert secret not in json.dumps(answer)
    assert answer["statusCode"] >= 500 or '"error"' in answer["body"] or "failed" in answer["body"].lower()


def test_a_page_of_a_hundred_reps_is_on_record_rep_by_rep_in_one_transaction(bundle: Bundle, world: World) -> None:
    caller = world.issue(KeyKind.REP_KEY, world.rep("priya.rao").ref)
    for n in range(100):
        world.issue(KeyKind.REP_KEY, world.rep(f"rep-{n:03}").ref)
    before = len(bundle.stack.aws.calls)
    form = {"apikey": caller.token.reveal(), "rowCount": "100"}
    answer = bundle.request("POST", "/api/json/listApiKeys", form=form)
    assert len(answer.json()["response"]["details"]) == 100
    made = bundle.stack.aws.calls[before:]
    sizes = [len(recorded(call, EventType.KEY_REVEALED)) for call in made if call.operation == "TransactWriteItems"]
    assert sizes == [100]
    assert sum(call.operation == "Decrypt" for call in made) == 100


# --- uses of what is over ------------------------------------------------------------------------------------------


def refused_uses(world: World, key_id: str) -> list[Event]:
    page = world.desk.store.audit(AuditQuestion(tenant=world.tenant, key_id=key_id, newest_first=False))
    return [event for event in page.items if event.type is EventType.KEY_REFUSED]


def test_a_revoked_credential_of_a_caller_is_noted_with_its_address(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    lifecycle.revoke(world.desk, world.principal, issued.key, "left on a train")
    bearer = {"Authorization": f"Bearer {issued.token.reveal()}"}
    for method, target in (("GET", "/v1/owners?kind=app"), ("GET", f"/v1/keys/{issued.key.id}"), ("POST", "/v1/keys")):
        answer = bundle.request(method, target, bearer, json_body={} if method == "POST" else None)
        assert answer.status == 401
    found = refused_uses(world, issued.key.id)
    assert [(event.reason, event.actor, event.version) for event in found] == [("revoked", issued.key.id, 1)] * 3
    assert {event.source for event in found} == {"127.0.0.1"}


def test_an_expired_key_that_is_verified_is_noted_as_the_services_that_asked(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    world.expire(issued.key)
    body = {"token": issued.token.reveal(), "address": "203.0.113.9"}
    assert bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).json()["valid"] is False
    (found,) = refused_uses(world, issued.key.id)
    assert (found.reason, found.actor, found.source) == ("expired", world.principal.key_id, "203.0.113.9")


@pytest.mark.parametrize("function", [HTTP, REST])
def test_a_revoked_key_at_somebody_elses_api_is_noted_as_its_holders(
    bundle: Bundle, world: World, function: str
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    lifecycle.revoke(world.desk, world.principal, issued.key)
    asked = Asked(bundle, function, authorizing.event(function, world.tenant, bearer(issued.token.reveal())))
    assert not asked.allowed
    (found,) = refused_uses(world, issued.key.id)
    assert (found.reason, found.actor, found.source) == ("revoked", issued.key.id, ADDRESS)


def signed(issued: Issued, secret: str | None = None) -> str:
    claims = {"scope": issued.key.rules.jwt_scope}
    return jwt.encode(claims, secret or issued.token.reveal(), algorithm="HS256", headers={"kid": issued.key.id})


def test_a_token_that_a_revoked_key_signed_is_noted_and_a_forged_one_is_not(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app()).ref)
    lifecycle.revoke(world.desk, world.principal, issued.key)
    for text in (signed(issued), signed(issued, "S" * 86)):
        body = {"jwt": text, "address": "203.0.113.9"}
        assert bundle.request("POST", "/v1/jwt/verify", world.bearer, json_body=body).json()["valid"] is False
    (found,) = refused_uses(world, issued.key.id)
    assert (found.reason, found.actor, found.source) == ("revoked", world.principal.key_id, "203.0.113.9")


def test_a_caller_with_a_token_that_its_expired_key_signed_is_noted(bundle: Bundle, world: World) -> None:
    app = world.app()
    issued = world.issue(KeyKind.APP_SECRET, app.ref)
    integration = world.integration(app).id.rpartition(":")[2]
    world.expire(issued.key)
    for text in (signed(issued), signed(issued, "S" * 86)):
        target = f"/v2/apps/{app.id}/integrations/{integration}/keys"
        assert bundle.request("GET", target, {"Authorization": f"Bearer {text}"}).status == 401
    (found,) = refused_uses(world, issued.key.id)
    assert (found.reason, found.actor, found.source) == ("expired", issued.key.id, "127.0.0.1")


def test_ten_are_noted_and_the_eleventh_costs_no_call(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    lifecycle.revoke(world.desk, world.principal, issued.key)
    body = {"token": issued.token.reveal()}
    costs = [
        bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).calls.count("TransactWriteItems")
        for _ in range(14)
    ]
    # The minute may have turned in between.
    found = refused_uses(world, issued.key.id)
    minutes = {event.at_ms // 60_000 for event in found}
    assert all(sum(event.at_ms // 60_000 == each for event in found) <= 10 for each in minutes)
    if len(minutes) == 1:
        assert (costs, len(found)) == ([1] * 11 + [0] * 3, 10)


@pytest.mark.parametrize("use", ["verify", "call"])
def test_a_note_that_fails_changes_no_answer(
    bundle: Bundle, world: World, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    lifecycle.revoke(world.desk, world.principal, issued.key)
    down = Fault(error("AccessDeniedException"))

    def ask() -> tuple[int, bytes]:
        if use == "call":
            bearer = {"Authorization": f"Bearer {issued.token.reveal()}"}
            answer = bundle.request("GET", "/v1/owners?kind=app", bearer)
        else:
            body = {"token": issued.token.reveal()}
            answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body)
        return answer.status, answer.body

    usual = ask()
    with monkeypatch.context() as broken:
        broken.setattr(bundle.stack.aws, "fault", lambda call: down if call.operation == "TransactWriteItems" else None)
        assert ask() == usual
    assert len(refused_uses(world, issued.key.id)) == 1


def test_what_is_unknown_or_alive_writes_nothing(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    for token in (issued.token.reveal(), "kw_live_" + "0" * 49):
        answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token})
        assert "TransactWriteItems" not in answer.calls


def test_whoever_reads_a_callers_token_may_note_that_it_is_over(stack: Stack) -> None:
    """But for the one endpoint that has no caller: the token that it is given is there to be ended."""

    def may(function: Function, action: str, row: str) -> bool:
        statements = [each for policy in function.policies for each in as_list(policy.document["Statement"])]
        return any(
            action in as_list(each["Action"])
            and row in str(each.get("Condition", {}).get("ForAllValues:StringLike", {}))
            for each in statements
        )

    as_list: Callable[[Any], list[Any]] = lambda value: value if isinstance(value, list) else [value]  # noqa: E731
    for name, function in stack.template.functions.items():
        reads = may(function, "dynamodb:GetItem", "TOKEN#") or may(function, "dynamodb:BatchGetItem", "TOKEN#")
        notes = may(function, "dynamodb:UpdateItem", "REFUSALS#") and may(function, "dynamodb:PutItem", "EVENTS#")
        assert notes is (reads and name != "NativeRevokeSelf"), name
