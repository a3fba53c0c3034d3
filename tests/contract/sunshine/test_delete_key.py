"""K4 and K8, SunshineDeleteIntegrationKey and SunshineDeleteAppKey: the key stops with the answer. What is not found is
in test_get_key.py, for both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keywright.issuing import Issued
from keywright.model import KeyKind
from local.aws import Fault, error
from local.iam import Call
from tests.contract.sunshine.place import (
    APP_NOT_FOUND,
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNKNOWN,
    Keys,
    Place,
    basic,
    bearer,
    faults,
    refusal,
    shown,
)

READS, COMMIT = ("GetItem", "BatchGetItem"), "TransactWriteItems"


def test_the_answer_is_an_empty_object_and_the_key_is_gone(keys: Keys) -> None:
    gone, kept = keys.issue(), keys.issue()
    answer = keys.delete(gone.key)
    assert (answer.status, answer.body) == (200, b"{}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert keys.listed() == {kept.key.id}
    assert keys.get(gone.key).body == NOT_FOUND


def test_a_second_deletion_is_not_found(keys: Keys) -> None:
    issued = keys.issue()
    assert keys.delete(issued.key).status == 200
    second = keys.delete(issued.key)
    assert (second.status, second.body, second.calls) == (404, NOT_FOUND, READS)


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_both_prefixes_answer_alike(keys: Keys, prefix: str) -> None:
    assert keys.delete(keys.issue().key, prefix=prefix).body == b"{}"


def test_it_costs_two_reads_and_one_transaction_and_by_bearer_a_decryption_more(keys: Keys) -> None:
    assert keys.delete(keys.issue().key).calls == (*READS, COMMIT)
    by_bearer = keys.delete(keys.issue().key, bearer(keys.place.account_key))
    assert by_bearer.calls == ("GetItem", "Decrypt", "BatchGetItem", COMMIT)


def test_whoever_may_create_may_delete(place: Place) -> None:
    of_integration, of_app = Keys(place, place.integration), Keys(place, place.app)
    for scheme in (basic, bearer):
        for caller in (place.account_key, place.service_key(f"app:{place.app.id}"), place.service_key("app:*")):
            assert of_integration.delete(of_integration.issue().key, scheme(caller)).status == 200
            assert of_app.delete(of_app.issue().key, scheme(caller)).status == 200
        assert of_integration.delete(of_integration.issue().key, scheme(place.app_key)).status == 200


# --- a deleted key stops at once, also for tokens signed before ----------------------------------------------------


def verdicts(place: Place, issued: Issued) -> list[tuple[bool, str | None]]:
    """By its secret, by id and secret, and by a token that it signed."""
    token = bearer(issued)["Authorization"].removeprefix("Bearer ")
    asked = [
        ("keys", {"token": issued.token.reveal()}),
        ("keys", {"key_id": issued.key.id, "secret": issued.token.reveal()}),
        ("jwt", {"jwt": token}),
    ]
    answers = [
        place.bundle.request("POST", f"/v1/{what}/verify", place.world.bearer, json_body=body).json()
        for what, body in asked
    ]
    return [(answer["valid"], answer["reason"]) for answer in answers]


def test_no_credential_of_a_deleted_key_is_good_any_more(keys: Keys) -> None:
    issued = keys.issue()
    assert verdicts(keys.place, issued) == [(True, None)] * 3
    assert keys.delete(issued.key).status == 200
    assert verdicts(keys.place, issued) == [(False, "unknown")] * 3


def test_a_deleted_apps_key_calls_no_more_by_either_scheme(place: Place) -> None:
    of_integration, of_app = Keys(place, place.integration), Keys(place, place.app)
    before = [basic(place.app_key), bearer(place.app_key)]
    assert [of_integration.list(headers).status for headers in before] == [200, 200]
    assert of_app.delete(place.app_key.key).status == 200
    for headers in before:
        answer = of_integration.list(headers)
        assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, ("GetItem",))


def test_a_deleted_integrations_key_is_refused_as_unknown_and_no_longer_as_forbidden(place: Place) -> None:
    keys, issued = Keys(place, place.integration), place.integration_key()
    before = [basic(issued), bearer(issued)]
    assert [keys.list(headers).body for headers in before] == [FORBIDDEN, FORBIDDEN]
    assert keys.delete(issued.key).status == 200
    assert [keys.list(headers).body for headers in before] == [UNAUTHORIZED, UNAUTHORIZED]


# --- deleting an app deletes its integrations and their keys -------------------------------------------------------


def test_with_its_app_go_the_integrations_and_all_their_keys(place: Place) -> None:
    of_integration, of_app = Keys(place, place.integration), Keys(place, place.app)
    gone = [place.app_key, of_app.issue(), of_integration.issue(), of_integration.issue()]
    kept = Keys(place, place.world.integration(place.world.app())).issue()
    path = f"/v1/owners/app/{place.app.id}"
    answers = [place.bundle.request("DELETE", path, place.world.bearer) for _ in range(3)]
    assert {"removed": True} in [answer.json() for answer in answers]
    for issued in gone:
        assert verdicts(place, issued) == [(False, "unknown")] * 3
    assert verdicts(place, kept) == [(True, None)] * 3
    assert [of_app.list().body, of_integration.list().body] == [APP_NOT_FOUND] * 2
    assert [of_integration.list(headers).body for headers in (basic(gone[0]), bearer(gone[0]))] == [UNAUTHORIZED] * 2


# --- the place -----------------------------------------------------------------------------------------------------


def test_a_deletion_frees_one_of_the_ten_places_and_only_one(keys: Keys) -> None:
    issued = [keys.issue() for _ in range(10)]
    assert keys.create().status == 400
    assert keys.delete(issued[3].key).status == 200
    assert keys.delete(issued[3].key).status == 404
    assert [keys.create().status for _ in range(2)] == [201, 400]


def test_one_rotates_by_create_then_delete(keys: Keys) -> None:
    former = keys.issue()
    created = keys.create(body={"displayName": former.key.description}).json()["key"]
    assert keys.list().json() == {"keys": [shown(former), created]}
    assert keys.delete(former.key).status == 200
    assert keys.list().json() == {"keys": [created]}


def test_a_disabled_and_an_expired_key_can_be_deleted(keys: Keys) -> None:
    world, disabled, expired = keys.place.world, keys.issue(), keys.issue()
    world.overwrite(disabled.key, enabled=False)
    world.expire(expired.key)
    assert [keys.delete(each.key).status for each in (disabled, expired)] == [200, 200]
    assert keys.listed() == set()
    assert [keys.create().status for _ in range(11)] == [201] * 10 + [400]


# --- who may not, and what a refusal writes ------------------------------------------------------------------------


def test_a_refusal_writes_nothing(place: Place) -> None:
    keys, issued = Keys(place, place.integration), place.integration_key()
    whatsapp = place.world.integration(place.app, type="whatsapp").id.partition(":")[2]
    refused = [
        keys.delete(issued.key, {}),
        keys.delete(issued.key, basic(issued)),
        keys.delete(issued.key, basic(place.service_key("app:another"))),
        keys.delete(issued.key, app=UNKNOWN),
        keys.delete(issued.key, integration=UNKNOWN),
        keys.delete(issued.key, integration=whatsapp),
        keys.delete(keys.unknown),
    ]
    assert [answer.status for answer in refused] == [401, 403, 403, 404, 404, 400, 404]
    assert not [answer.calls for answer in refused if COMMIT in answer.calls]
    assert place.world.key(issued.key.id) == issued.key


# --- at the same time, and when AWS does not answer ----------------------------------------------------------------


def test_of_two_deletions_at_once_one_is_done_and_the_other_finds_nothing(keys: Keys) -> None:
    issued = keys.issue()
    answers = []

    def somebody_else(call: Call) -> Fault | None:
        if call.principal is not None and call.operation == COMMIT:
            keys.place.bundle.stack.aws.fault = lambda _: None
            answers.append(keys.delete(issued.key))
        return None

    with faults(keys.place.bundle, somebody_else):
        answers.append(keys.delete(issued.key))
    assert sorted((answer.status, answer.body) for answer in answers) == [(200, b"{}"), (404, NOT_FOUND)]
    assert [keys.create().status for _ in range(11)] == [201] * 10 + [400]


def test_a_key_that_is_disabled_meanwhile_is_deleted_all_the_same(keys: Keys) -> None:
    issued, world = keys.issue(), keys.place.world

    def somebody_else(call: Call) -> Fault | None:
        if call.principal is not None and call.operation == COMMIT:
            keys.place.bundle.stack.aws.fault = lambda _: None
            world.overwrite(issued.key, enabled=False)
        return None

    with faults(keys.place.bundle, somebody_else):
        assert keys.delete(issued.key).status == 200
    assert keys.listed() == set()


@pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem", COMMIT])
def test_it_is_unavailable_while_the_store_is_and_the_key_stays(keys: Keys, operation: str) -> None:
    issued, down = keys.issue(), Fault(error("ServiceUnavailable", 503))
    with faults(keys.place.bundle, lambda call: down if call.operation == operation else None):
        answer = keys.delete(issued.key)
    assert (answer.status, answer.body) == (503, UNAVAILABLE)
    assert verdicts(keys.place, issued) == [(True, None)] * 3


def test_it_needs_no_kms_where_the_caller_comes_by_basic(keys: Keys) -> None:
    issued = keys.issue()
    with faults(keys.place.bundle, lambda call: Fault(error("DisabledException")) if call.service == "kms" else None):
        assert keys.delete(issued.key).status == 200


def test_an_answer_that_was_lost_after_the_write_is_a_success_all_the_same(keys: Keys) -> None:
    issued = keys.issue()
    lost = iter([Fault(error("InternalServerError", 500), committed=True)])
    with faults(keys.place.bundle, lambda call: next(lost, None) if call.operation == COMMIT else None):
        answer = keys.delete(issued.key)
    assert (answer.status, answer.body) == (200, b"{}")
    assert keys.listed() == set()


def test_a_fault_of_ours_says_nothing_else(keys: Keys) -> None:
    denied = error("AccessDeniedException", text="arn:aws:dynamodb:secret-detail")
    issued = keys.issue()
    with faults(keys.place.bundle, lambda call: Fault(denied) if call.operation == COMMIT else None):
        answer = keys.delete(issued.key)
    assert (answer.status, answer.body) == (500, refusal("internal_error", "Internal server error"))


@pytest.mark.parametrize("scheme", [basic, bearer])
def test_the_deletion_is_on_record_with_the_key_that_did_it(
    keys: Keys, scheme: Callable[[Issued], dict[str, str]]
) -> None:
    issued, caller = keys.issue(), keys.place.account_key
    assert keys.delete(issued.key, scheme(caller)).status == 200
    [written] = [call for call in keys.place.bundle.calls()[-1:] if call.operation == COMMIT]
    events = [
        item["Put"]["Item"]
        for item in written.request["TransactItems"]
        if item.get("Put", {}).get("Item", {}).get("pk", {}).get("S", "").startswith("EVENTS#")
    ]
    [event] = events
    assert event["type"] == {"S": "key_deleted"}
    assert event["subject"] == {"S": issued.key.id}
    assert event["actor"] == {"S": caller.key.id}
    assert KeyKind(issued.key.kind) is keys.kind
