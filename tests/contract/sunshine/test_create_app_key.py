"""K5, SunshineCreateAppKey: request in, exact wire out. What it shares with K1 is in one body of tests: bodies.py."""

from __future__ import annotations

import re
from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import KeyKind, KeyState
from local.aws import Fault, error
from local.iam import Call
from tests.contract.sunshine.bodies import TITLES, UNREADABLE
from tests.contract.sunshine.place import (
    APP_NOT_FOUND,
    BAD_REQUEST,
    FORBIDDEN,
    READS,
    UNAUTHORIZED,
    UNAVAILABLE,
    UNKNOWN,
    Keys,
    Place,
    basic,
    basic_of,
    bearer,
    faults,
    refusal,
)
from tests.world import World

COMMIT = "TransactWriteItems"
TOO_MANY = refusal("too_many_keys", "App has reached the max number of keys (10)")
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def keys(place: Place) -> Keys:
    """Of an app that has none yet."""
    return Keys(place, place.world.app())


@pytest.fixture(scope="module")
def shared_keys(shared: Place) -> Keys:
    return Keys(shared, shared.world.app())


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_is_201_and_exactly_the_documented_members(keys: Keys) -> None:
    answer = keys.create(body={"displayName": "My app key"})
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    key = answer.json()["key"]
    assert list(answer.json()) == ["key"]
    assert list(key) == ["id", "displayName", "secret"]
    assert re.fullmatch(r"app_[0-9a-f]{24}", key["id"])
    assert key["displayName"] == "My app key"
    assert re.fullmatch(r"[A-Za-z0-9_-]{86}", key["secret"])


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_both_prefixes_answer_alike(keys: Keys, prefix: str) -> None:
    assert keys.create(prefix=prefix).status == 201


def test_it_costs_four_calls_and_by_bearer_a_decryption_more(keys: Keys) -> None:
    assert keys.create().calls == (*READS, "Encrypt", COMMIT)
    by_bearer = keys.create(bearer(keys.place.account_key))
    assert by_bearer.calls == ("GetItem", "Decrypt", "BatchGetItem", "Encrypt", COMMIT)


def test_the_created_key_is_the_apps_and_carries_its_name(keys: Keys) -> None:
    key = keys.place.world.key(keys.create(body={"displayName": "Deployment"}).json()["key"]["id"])
    assert (key.owner, key.kind, key.description) == (keys.owner.ref, KeyKind.APP_SECRET, "Deployment")
    assert key.creator.id == keys.place.person.id
    assert key.state(key.created_at_ms) is KeyState.ACTIVE


def test_the_created_key_manages_the_keys_of_the_apps_integrations_and_not_those_of_the_app(place: Place) -> None:
    created = Keys(place, place.app).create().json()["key"]
    caller = basic_of(created["id"], created["secret"])
    assert place.create(caller).status == 201
    assert Keys(place, place.app).create(caller).body == FORBIDDEN


@pytest.mark.parametrize("name", ["x", "x" * 100, "é" * 100, "\U0001f469‍\U0001f4bb bot", " ", '"<b>&\\'])
def test_a_name_of_1_to_100_characters_comes_back_as_it_was_sent(keys: Keys, name: str) -> None:
    answer = keys.create(body={"displayName": name})
    assert (answer.status, answer.json()["key"]["displayName"]) == (201, name)


# --- account scope only --------------------------------------------------------------------------------------------


def test_only_an_account_and_a_service_account_to_which_the_app_was_granted_may_create(place: Place) -> None:
    keys = Keys(place, place.app)
    may = [place.account_key, place.service_key("app:another", f"app:{place.app.id}"), place.service_key("app:*")]
    may_not = [
        place.app_key,
        place.integration_key(),
        place.service_key(),
        place.service_key("app:another"),
        place.service_key(f"app:{place.app.id}0"),
        place.service_key("app"),
    ]
    for scheme in (basic, bearer):
        assert [keys.create(scheme(caller)).status for caller in may] == [201, 201, 201]
        for caller in may_not:
            answer = keys.create(scheme(caller))
            assert (answer.status, answer.body) == (403, FORBIDDEN)
            assert COMMIT not in answer.calls


# --- how many ------------------------------------------------------------------------------------------------------


def test_the_eleventh_key_is_refused_in_the_apps_own_words(keys: Keys) -> None:
    assert [keys.create().status for _ in range(10)] == [201] * 10
    refused = keys.create()
    assert (refused.status, refused.body) == (400, TOO_MANY)
    assert len(keys.listed()) == 10


def test_the_keys_of_its_integrations_and_of_other_kinds_take_no_place(place: Place) -> None:
    for _ in range(10):
        place.integration_key()
        place.world.issue(KeyKind.NATIVE, place.app.ref)
    answers = [Keys(place, place.app).create() for _ in range(10)]
    assert [answer.status for answer in answers] == [201] * 9 + [400]
    assert answers[9].body == TOO_MANY


def test_a_revocation_frees_a_place(keys: Keys) -> None:
    issued, world = [keys.issue() for _ in range(10)], keys.place.world
    lifecycle.revoke(world.desk, world.principal, issued[0].key)
    assert [keys.create().status for _ in range(2)] == [201, 400]


def test_the_place_that_is_taken_meanwhile_is_counted_by_the_write_itself(keys: Keys) -> None:
    for _ in range(9):
        keys.issue()

    def somebody_else(call: Call) -> Fault | None:
        if call.principal is not None and call.operation == "Encrypt":
            keys.place.bundle.stack.aws.fault = lambda _: None
            keys.issue()
        return None

    with faults(keys.place.bundle, somebody_else):
        answer = keys.create()
    assert (answer.status, answer.body, answer.calls[-1]) == (400, TOO_MANY, COMMIT)


# --- what is not there ---------------------------------------------------------------------------------------------


def test_an_unknown_app_and_another_tenants_are_not_found_alike(place: Place, another_world: World) -> None:
    keys = Keys(place, place.app)
    unknown = keys.create(app=UNKNOWN)
    assert (unknown.status, unknown.body, unknown.calls) == (404, APP_NOT_FOUND, READS)
    theirs = keys.create(app=another_world.app().id)
    assert (theirs.status, theirs.headers, theirs.body, theirs.calls) == (404, unknown.headers, APP_NOT_FOUND, READS)


@pytest.mark.parametrize("spelling", ["{id}%20", "{id}%2F", "*", "%C3%A9", "%7BappId%7D", "a" * 65, "a" * 2_000])
def test_an_id_that_cannot_exist_is_not_looked_for(shared_keys: Keys, spelling: str) -> None:
    answer = shared_keys.create(app=spelling.format(id=shared_keys.owner.id))
    assert (answer.status, answer.body, answer.calls) == (404, APP_NOT_FOUND, ("GetItem", "GetItem"))


# --- the body ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "titles"), TITLES.values(), ids=TITLES.keys())
def test_a_body_with_faults_lists_them_in_the_validators_words(shared_keys: Keys, body: Any, titles: list[str]) -> None:
    answer = shared_keys.create(body=body)
    assert (answer.status, answer.body) == (400, refusal("bad_request", *titles))
    assert answer.calls == READS


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_is_no_json_object_is_a_bad_request(shared_keys: Keys, body: bytes) -> None:
    answer = shared_keys.create({**basic(shared_keys.place.account_key), **JSON}, body)
    assert (answer.status, answer.body) == (400, BAD_REQUEST)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "*/*"])
def test_another_content_type_is_a_bad_request(shared_keys: Keys, content_type: str | None) -> None:
    headers = basic(shared_keys.place.account_key) | ({"Content-Type": content_type} if content_type else {})
    assert shared_keys.create(headers, b'{"displayName":"x"}').body == BAD_REQUEST


# --- the order -----------------------------------------------------------------------------------------------------


def test_the_checks_come_in_the_documented_order(place: Place) -> None:
    """Each request has every fault that its successors have, and is refused for the first of them."""
    keys, account, form = Keys(place, place.app), basic(place.account_key), {"Content-Type": "text/plain"}
    for _ in range(9):
        keys.issue()
    huge = b"x" * 64_001
    bodies = [
        keys.create(form, huge, app=UNKNOWN).body,
        keys.create(basic(place.app_key) | form, huge, app=UNKNOWN).body,
        keys.create(account | form, huge, app=UNKNOWN).body,
        keys.create(account | form, huge).body,
        keys.create(account | form, b"x").body,
        keys.create(account, {"displayName": ""}).body,
        keys.create(account).body,
    ]
    assert bodies == [
        UNAUTHORIZED,
        FORBIDDEN,
        APP_NOT_FOUND,
        refusal("payload_too_large", "Request body is too large"),
        BAD_REQUEST,
        refusal("bad_request", "displayName should NOT be shorter than 1 characters"),
        TOO_MANY,
    ]


# --- when AWS does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["GetItem", "Decrypt", "BatchGetItem", "Encrypt", COMMIT])
def test_it_is_unavailable_while_a_service_is_and_nothing_is_written(keys: Keys, operation: str) -> None:
    down = Fault(error("ServiceUnavailable", 503))
    with faults(keys.place.bundle, lambda call: down if call.operation == operation else None):
        answer = keys.create(bearer(keys.place.account_key))
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, UNAVAILABLE, "1")
    assert keys.listed() == set()
