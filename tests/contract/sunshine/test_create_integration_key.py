"""K1, SunshineCreateIntegrationKey: request in, exact wire out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import KeyKind, KeyState
from local.aws import Fault, error
from local.iam import Call
from tests.contract.sunshine.bodies import TITLES, UNREADABLE
from tests.contract.sunshine.place import (
    APP_NOT_FOUND,
    BAD_REQUEST,
    FORBIDDEN,
    INTEGRATION_NOT_FOUND,
    NOT_CUSTOM,
    READS,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNKNOWN,
    Place,
    basic,
    basic_of,
    bearer,
    faults,
    id_of,
    refusal,
)
from tests.world import World

COMMIT = "TransactWriteItems"
TOO_MANY = refusal("too_many_keys", "Integration has reached the max number of keys (10)")
JSON = {"Content-Type": "application/json"}

# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_is_201_and_exactly_the_documented_members(place: Place) -> None:
    answer = place.create(body={"displayName": "My custom key"})
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"key"}
    assert body["key"].keys() == {"id", "displayName", "secret"}
    assert re.fullmatch(r"int_[0-9a-f]{24}", body["key"]["id"])
    assert body["key"]["displayName"] == "My custom key"
    assert re.fullmatch(r"[A-Za-z0-9_-]{86}", body["key"]["secret"])


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_both_prefixes_answer_alike(place: Place, prefix: str) -> None:
    assert place.create(prefix=prefix).status == 201


def test_a_caller_by_basic_costs_four_calls(place: Place) -> None:
    assert place.create().calls == ("GetItem", "BatchGetItem", "Encrypt", COMMIT)
    assert place.create(basic(place.account_key)).calls == ("GetItem", "BatchGetItem", "Encrypt", COMMIT)


def test_a_caller_by_bearer_costs_one_decryption_more(place: Place) -> None:
    assert place.create(bearer(place.app_key)).calls == ("GetItem", "Decrypt", "BatchGetItem", "Encrypt", COMMIT)


@pytest.mark.parametrize("scheme", [basic, bearer])
@pytest.mark.parametrize("kind", ["app", "account", "service account", "service account of all apps"])
def test_every_kind_of_caller_may_create_by_either_scheme(
    place: Place, kind: str, scheme: Callable[[Issued], dict[str, str]]
) -> None:
    caller = {
        "app": lambda: place.app_key,
        "account": lambda: place.account_key,
        "service account": lambda: place.service_key("app:another", f"app:{place.app.id}"),
        "service account of all apps": lambda: place.service_key("app:*"),
    }[kind]()
    assert place.create(scheme(caller)).status == 201


def test_the_created_key_is_the_integrations_and_carries_its_name(place: Place) -> None:
    key = place.world.key(place.create(body={"displayName": "Billing bot"}).json()["key"]["id"])
    assert key.owner == place.integration.ref
    assert key.kind is KeyKind.INTEGRATION_SECRET
    assert (key.description, key.creator.id) == ("Billing bot", place.app.id)
    assert key.state(key.created_at_ms) is KeyState.ACTIVE


def test_names_need_not_be_unique(place: Place) -> None:
    first, second = place.create().json()["key"], place.create().json()["key"]
    assert first["displayName"] == second["displayName"]
    assert first["id"] != second["id"]
    assert first["secret"] != second["secret"]


@pytest.mark.parametrize("name", ["x", "x" * 100, "é" * 100, "\U0001f469‍\U0001f4bb bot", " ", '"<b>&\\'])
def test_a_name_of_1_to_100_characters_comes_back_as_it_was_sent(place: Place, name: str) -> None:
    answer = place.create(body={"displayName": name})
    assert answer.status == 201
    assert answer.json()["key"]["displayName"] == name


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "Application/json;charset=UTF-8"]
)
def test_the_media_type_is_compared_without_case_and_parameters(place: Place, content_type: str) -> None:
    assert place.create({**basic(place.app_key), "Content-Type": content_type}, b'{"displayName":"x"}').status == 201


def test_query_parameters_are_ignored(place: Place) -> None:
    target = f"/v2/apps/{place.app.id}/integrations/{id_of(place.integration)}/keys?displayName=y&x=1"
    answer = place.bundle.request("POST", target, basic(place.app_key), json_body={"displayName": "x"})
    assert answer.json()["key"]["displayName"] == "x"


# --- the created key is good ---------------------------------------------------------------------------------------


def verify(place: Place, **credential: str) -> dict[str, Any]:
    answer = place.bundle.request("POST", "/v1/keys/verify", place.world.bearer, json_body=credential)
    assert answer.status == 200
    verdict: dict[str, Any] = answer.json()
    return verdict


def test_the_created_key_verifies_by_id_and_secret_and_by_its_secret_alone(place: Place) -> None:
    key = place.create().json()["key"]
    for verdict in (verify(place, key_id=key["id"], secret=key["secret"]), verify(place, token=key["secret"])):
        assert verdict["valid"] is True
        assert verdict["key_id"] == key["id"]
        assert verdict["owner"] == {"kind": "integration", "id": place.integration.id}
        assert verdict["version"] == 1
        assert verdict["expires_at"] is None


def test_the_created_key_does_not_verify_under_another_id(place: Place) -> None:
    key, other = place.create().json()["key"], place.create().json()["key"]
    assert verify(place, key_id=other["id"], secret=key["secret"])["valid"] is False
    assert verify(place, key_id=f"int_{UNKNOWN}", secret=key["secret"])["valid"] is False


def test_a_revoked_key_stops_at_the_very_next_call(place: Place) -> None:
    key = place.create().json()["key"]
    by_secret = basic_of(key["id"], key["secret"])
    assert place.create(by_secret).status == 403
    revoked = place.bundle.request("POST", f"/v1/keys/{key['id']}/revoke", place.world.bearer, json_body={})
    assert revoked.status == 200
    assert verify(place, key_id=key["id"], secret=key["secret"])["valid"] is False
    assert place.create(by_secret).status == 401


# --- how many ------------------------------------------------------------------------------------------------------


def test_the_eleventh_key_is_refused_and_a_revocation_frees_a_place(place: Place) -> None:
    keys = [place.create().json()["key"] for _ in range(10)]
    refused = place.create()
    assert (refused.status, refused.body) == (400, TOO_MANY)
    assert len(place.world.desk.store.keys_of(place.integration.ref).items) == 10

    revoked = place.bundle.request("POST", f"/v1/keys/{keys[3]['id']}/revoke", place.world.bearer, json_body={})
    assert revoked.status == 200
    assert place.create().status == 201
    assert place.create().body == TOO_MANY


def test_each_integration_has_its_own_ten(place: Place) -> None:
    for _ in range(10):
        place.integration_key()
    assert place.create().body == TOO_MANY
    assert place.create(integration=id_of(place.world.integration(place.app))).status == 201


# --- who may not ---------------------------------------------------------------------------------------------------


def test_an_integrations_key_is_good_and_may_not_manage_keys(place: Place) -> None:
    key = place.integration_key()
    for headers in (basic(key), bearer(key)):
        answer = place.create(headers)
        assert (answer.status, answer.body) == (403, FORBIDDEN)
        assert COMMIT not in answer.calls


def test_a_service_account_is_refused_where_no_app_was_granted_to_it_whether_the_app_exists_or_not(
    place: Place,
) -> None:
    existing = place.world.app()
    for caller in (place.service_key(), place.service_key("app:another"), place.service_key(f"app:{place.app.id}0")):
        assert {place.create(basic(caller), app=app).body for app in (place.app.id, existing.id, UNKNOWN)} == {
            FORBIDDEN
        }


def test_an_apps_key_gets_the_same_bytes_for_any_other_app(place: Place, another_world: World) -> None:
    own_tenants, others = place.world.app(), another_world.app()
    answers = [
        place.create(app=own_tenants.id, integration=id_of(place.world.integration(own_tenants))),
        place.create(app=own_tenants.id),
        place.create(app=UNKNOWN),
        place.create(app=others.id, integration=id_of(another_world.integration(others))),
        place.create(app="."),
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(403, FORBIDDEN)}
    assert all(COMMIT not in answer.calls for answer in answers)


@pytest.mark.parametrize("scheme", [basic, bearer])
def test_a_disabled_operators_keys_are_no_credentials(place: Place, scheme: Callable[[Issued], dict[str, str]]) -> None:
    callers = [place.account_key, place.service_key("app:*")]
    assert [place.create(scheme(caller)).status for caller in callers] == [201, 201]
    path = f"/v1/owners/operator/{place.person.id}"
    assert place.bundle.request("PATCH", path, place.world.bearer, json_body={"enabled": False}).status == 200
    for caller in callers:
        answer = place.create(scheme(caller))
        assert (answer.status, answer.body) == (401, UNAUTHORIZED)
    assert place.create(scheme(place.app_key)).status == 201


# --- what is not there ---------------------------------------------------------------------------------------------


def test_an_unknown_app_is_not_found(place: Place) -> None:
    answer = place.create(basic(place.account_key), app=UNKNOWN)
    assert (answer.status, answer.body) == (404, APP_NOT_FOUND)
    assert answer.calls == READS


def test_an_unknown_integration_is_not_found(place: Place) -> None:
    for headers in (basic(place.app_key), basic(place.account_key)):
        answer = place.create(headers, integration=UNKNOWN)
        assert (answer.status, answer.body) == (404, INTEGRATION_NOT_FOUND)
        assert answer.calls == READS


def test_an_integration_of_another_app_is_not_found(place: Place) -> None:
    other = place.world.app()
    answer = place.create(basic(place.account_key), app=other.id)
    assert (answer.status, answer.body) == (404, INTEGRATION_NOT_FOUND)


def test_another_tenants_app_and_integration_answer_like_unknown_ones(place: Place, another_world: World) -> None:
    theirs = another_world.app()
    their_integration = id_of(another_world.integration(theirs))
    caller = basic(place.account_key)
    unknown = place.create(caller, app=UNKNOWN)
    another = place.create(caller, app=theirs.id, integration=their_integration)
    assert (another.status, another.body, another.calls) == (unknown.status, unknown.body, unknown.calls)
    assert place.create(caller, integration=their_integration).body == place.create(caller, integration=UNKNOWN).body


def test_a_tenant_reaches_its_own_app_where_two_have_one_of_the_same_id(place: Place, another_world: World) -> None:
    twin = another_world.app(id=place.app.id)
    their_integration = id_of(another_world.integration(twin))
    answer = place.create(basic(place.account_key), integration=their_integration)
    assert (answer.status, answer.body) == (404, INTEGRATION_NOT_FOUND)


IMPOSSIBLE = {
    "a space after": "{id}%20",
    "a slash, encoded": "{id}%2F",
    "a colon": "{id}:{id}",
    "a wildcard": "*",
    "not ASCII": "%C3%A9",
    "no UTF-8": "%C3%28",
    "a quote": "%22%27",
    "a brace": "%7BappId%7D",
    "65 characters": "a" * 65,
    "a kilobyte and more": "a" * 2_000,
    "full width digits": "%EF%BC%91%EF%BC%92",
}


OTHERS = {"a dot": ".", "dots, encoded": "%2e%2e", "one more": "{id}0", "one less": "{less}", "hyphenated": "{id}-"}


@pytest.mark.parametrize("spelling", OTHERS.values(), ids=OTHERS.keys())
def test_an_id_that_is_written_otherwise_is_another_id(shared: Place, spelling: str) -> None:
    app, integration = (spelling.format(id=real, less=real[:-1]) for real in (shared.app.id, id_of(shared.integration)))
    assert shared.create(basic(shared.account_key), app=app).body == APP_NOT_FOUND
    assert shared.create(basic(shared.account_key), integration=integration).body == INTEGRATION_NOT_FOUND


def test_an_id_is_compared_with_its_case(place: Place) -> None:
    app = place.world.app(id="Orchard.App")
    integration = id_of(place.world.integration(app))
    caller = basic(place.account_key)
    assert place.create(caller, app="Orchard.App", integration=integration).status == 201
    assert place.create(caller, app="orchard.app", integration=integration).body == APP_NOT_FOUND


@pytest.mark.parametrize("spelling", IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_an_id_that_cannot_exist_is_not_found_and_not_looked_for(shared: Place, spelling: str) -> None:
    """A long one would be DynamoDB's error, and a fault of ours."""
    app, integration = (spelling.format(id=real) for real in (shared.app.id, id_of(shared.integration)))
    no_app = shared.create(basic(shared.account_key), app=app)
    assert (no_app.status, no_app.body) == (404, APP_NOT_FOUND)
    assert no_app.calls == ("GetItem", "GetItem")
    no_integration = shared.create(basic(shared.account_key), integration=integration)
    assert (no_integration.status, no_integration.body) == (404, INTEGRATION_NOT_FOUND)
    [asked] = shared.bundle.calls()[-1].request["RequestItems"].values()
    assert len(asked["Keys"]) == 2


@pytest.mark.parametrize("control", ["%00", "%0A", "%0d", "%1F", "%7F"])
def test_a_control_character_in_an_id_is_no_address(shared: Place, control: str) -> None:
    answer = shared.create(app=f"{shared.app.id}{control}")
    assert (answer.status, answer.json()["errors"][0]["code"]) == (404, "not_found")
    assert answer.calls == ()


def test_only_custom_integrations_have_keys(place: Place) -> None:
    whatsapp = id_of(place.world.integration(place.app, type="whatsapp"))
    answer = place.create(integration=whatsapp)
    assert (answer.status, answer.body) == (400, NOT_CUSTOM)
    assert answer.calls == READS


def test_what_changes_between_reading_and_writing_is_refused_by_the_write_itself(place: Place) -> None:
    """The tenth place is taken while this request already has its integration in hand."""
    for _ in range(9):
        place.integration_key()

    def somebody_else(call: Call) -> Fault | None:
        if call.principal is not None and call.operation == "Encrypt":
            place.bundle.stack.aws.fault = lambda _: None
            place.integration_key()
        return None

    with faults(place.bundle, somebody_else):
        answer = place.create()
    assert (answer.status, answer.body) == (400, TOO_MANY)
    assert answer.calls[-1] == COMMIT


# --- the body ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "titles"), TITLES.values(), ids=TITLES.keys())
def test_a_body_with_faults_lists_them_in_the_validators_words(shared: Place, body: Any, titles: list[str]) -> None:
    answer = shared.create(body=body)
    assert (answer.status, answer.body) == (400, refusal("bad_request", *titles))
    assert answer.calls == READS


STORED = ["id", "kind", "owner", "creator", "versions", "scopes", "enabled", "expires_at_ms", "tenant", "limit"]


@pytest.mark.parametrize("member", STORED)
def test_nothing_that_is_stored_can_be_set_from_the_body(shared: Place, member: str) -> None:
    answer = shared.create(body={"displayName": "x", member: "y"})
    assert (answer.status, answer.body) == (400, refusal("bad_request", "should NOT have additional properties"))


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_is_no_json_object_is_a_bad_request(shared: Place, body: bytes) -> None:
    answer = shared.create({**basic(shared.app_key), **JSON}, body)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)
    assert answer.calls == READS


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/merge-patch+json",
        "application/json, text/plain",
        "*/*",
        ";",
    ],
)
def test_another_content_type_is_a_bad_request(shared: Place, content_type: str | None) -> None:
    headers = basic(shared.app_key) | ({"Content-Type": content_type} if content_type else {})
    answer = shared.create(headers, b'{"displayName":"x"}')
    assert (answer.status, answer.body) == (400, BAD_REQUEST)


def test_a_body_of_more_than_64_kb_is_too_large(shared: Place) -> None:
    def of(size: int) -> bytes:
        return b'{"displayName":"' + b"x" * (size - 18) + b'"}'

    headers = {**basic(shared.app_key), **JSON}
    assert shared.create(headers, of(64_000)).status == 400
    answer = shared.create(headers, of(64_001))
    assert (answer.status, answer.body) == (413, refusal("payload_too_large", "Request body is too large"))
    assert answer.calls == READS


# --- the order of the checks ---------------------------------------------------------------------------------------


def test_the_checks_come_in_the_documented_order(place: Place) -> None:
    """Each request has every fault that its successors have, and is refused for the first of them."""
    account, foreign = basic(place.account_key), basic(place.service_key("app:another"))
    whatsapp = id_of(place.world.integration(place.app, type="whatsapp"))
    full = place.world.integration(place.app)
    for _ in range(10):
        place.world.issue(KeyKind.INTEGRATION_SECRET, full.ref)
    huge, form = b"x" * 64_001, {"Content-Type": "application/x-www-form-urlencoded"}

    bodies = [
        place.create(form, huge, app=UNKNOWN, integration=UNKNOWN).body,
        place.create(foreign | form, huge, app=UNKNOWN, integration=UNKNOWN).body,
        place.create(account | form, huge, app=UNKNOWN, integration=UNKNOWN).body,
        place.create(account | form, huge, integration=UNKNOWN).body,
        place.create(account | form, huge, integration=whatsapp).body,
        place.create(account | form, huge, integration=id_of(full)).body,
        place.create(account, huge, integration=id_of(full)).body,
        place.create(account | form, b"x", integration=id_of(full)).body,
        place.create(account, {"displayName": ""}, integration=id_of(full)).body,
        place.create(account, integration=id_of(full)).body,
    ]
    too_large = refusal("payload_too_large", "Request body is too large")
    assert bodies == [
        UNAUTHORIZED,
        FORBIDDEN,
        APP_NOT_FOUND,
        INTEGRATION_NOT_FOUND,
        NOT_CUSTOM,
        too_large,
        too_large,
        BAD_REQUEST,
        refusal("bad_request", "displayName should NOT be shorter than 1 characters"),
        TOO_MANY,
    ]


def test_a_stranger_with_a_bad_body_is_told_nothing_about_the_body_and_costs_nothing(shared: Place) -> None:
    answer = shared.create(JSON, b"{")
    assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, ())


# --- when AWS does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["GetItem", "Decrypt", "BatchGetItem", "Encrypt", COMMIT])
def test_it_is_unavailable_while_a_service_is_and_nothing_is_written(place: Place, operation: str) -> None:
    def down(call: Call) -> Fault | None:
        return Fault(error("ServiceUnavailable", 503)) if call.operation == operation else None

    with faults(place.bundle, down):
        answer = place.create(bearer(place.app_key))
    assert (answer.status, answer.body) == (503, UNAVAILABLE)
    assert answer.headers["retry-after"] == "1"
    assert place.world.desk.store.keys_of(place.integration.ref).items == []


def test_a_key_that_kms_refuses_to_use_makes_the_endpoint_unavailable(place: Place) -> None:
    with faults(place.bundle, lambda call: Fault(error("DisabledException")) if call.service == "kms" else None):
        answer = place.create()
    assert (answer.status, answer.body) == (503, UNAVAILABLE)


def test_a_fault_of_ours_says_nothing_else(place: Place) -> None:
    denied = error("AccessDeniedException", text="arn:aws:dynamodb:secret-detail")
    with faults(place.bundle, lambda call: Fault(denied) if call.operation == "BatchGetItem" else None):
        answer = place.create()
    assert (answer.status, answer.body) == (500, refusal("internal_error", "Internal server error"))


def test_an_answer_that_was_lost_after_the_write_is_a_success_all_the_same(place: Place) -> None:
    lost = iter([Fault(error("InternalServerError", 500), committed=True)])
    with faults(place.bundle, lambda call: next(lost, None) if call.operation == COMMIT else None):
        answer = place.create()
    assert answer.status == 201
    [key] = place.world.desk.store.keys_of(place.integration.ref).items
    assert key.id == answer.json()["key"]["id"]


# --- the rest ------------------------------------------------------------------------------------------------------


def test_a_key_revoked_by_the_core_is_no_caller(place: Place) -> None:
    lifecycle.revoke(place.world.desk, place.world.principal, place.app_key.key)
    answer = place.create()
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)


def test_neither_secret_is_in_the_log(
    place: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    header = bearer(place.app_key)
    secret = place.create(header).json()["key"]["secret"]
    written = caplog.text + "".join(capfd.readouterr())
    assert "answered" in written
    for hidden in (secret, place.app_key.token.reveal(), header["Authorization"].partition(" ")[2]):
        assert hidden not in written


def test_the_committed_event_is_the_request_of_the_vendors_collection() -> None:
    event = json.loads((Path(__file__).parents[3] / "events/sunshine/create_integration_key.json").read_text())
    assert json.loads(event["body"]) == {"displayName": "My custom key"}
    assert event["headers"]["authorization"].startswith("Basic ")
    assert event["routeKey"] == "POST /v2/apps/{appId}/integrations/{integrationId}/keys"
