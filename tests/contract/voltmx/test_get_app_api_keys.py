"""V2, Get All App API Keys: GET /api/v1/applications/key?appId=..."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from keywright import lifecycle, sweeping
from keywright.model import App, KeyKind
from local.aws import Fault, error
from tests.bundle import Bundle
from tests.contract.voltmx.engagement import (
    FAILURE,
    MISSING,
    PATH,
    READS,
    body_of,
    change,
    claims,
    get_all,
    get_refusal,
    key_of,
)
from tests.world import World

UNKNOWN_APP = "Invalid AppId entered"
NONE_FOUND = "No App API keys found"
TIME = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d UTC")


def shown(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%m/%d/%Y %H:%M:%S UTC}"


def test_all_keys_are_listed_with_their_secrets(bundle: Bundle, world: World, app: App) -> None:
    dated, dated_token = key_of(world, app, description="till terminals", expires_at_ms=2_524_607_999_000)
    never, never_token = key_of(world, app)

    answer = get_all(bundle, claims(world.operator_token), app.id)

    assert answer.status == 200
    assert body_of(answer) == {
        "status": 200,
        "result": [
            {
                "appAPIKey": dated_token,
                "description": "till terminals",
                "neverExpires": False,
                "createdOn": shown(dated.created_at_ms),
                "updatedOn": shown(dated.created_at_ms),
                "expiresOn": "12/31/2049 23:59:59 UTC",
            },
            {
                "appAPIKey": never_token,
                "description": "",
                "neverExpires": True,
                "createdOn": shown(never.created_at_ms),
                "updatedOn": shown(never.created_at_ms),
                "expiresOn": None,
            },
        ],
    }


def test_types_and_order_of_members_are_the_documented_ones(bundle: Bundle, world: World, app: App) -> None:
    key_of(world, app, expires_at_ms=2_524_607_999_000)

    body = body_of(get_all(bundle, claims(world.operator_token), app.id))

    assert list(body) == ["status", "result"]
    assert type(body["status"]) is int
    [key] = body["result"]
    assert list(key) == ["appAPIKey", "description", "neverExpires", "createdOn", "updatedOn", "expiresOn"]
    assert type(key["neverExpires"]) is bool
    assert all(TIME.fullmatch(key[name]) for name in ("createdOn", "updatedOn", "expiresOn"))


def test_the_oldest_comes_first(bundle: Bundle, world: World, app: App) -> None:
    issued = [key_of(world, app) for _ in range(5)]

    result = body_of(get_all(bundle, claims(world.operator_token), app.id))["result"]

    by_age = sorted(issued, key=lambda each: (each[0].created_at_ms, each[0].id))
    assert [key["appAPIKey"] for key in result] == [token for _, token in by_age]


def test_an_expired_key_stays_listed_and_the_sweep_does_not_update_it(zurich: Bundle, zurich_world: World) -> None:
    app = zurich_world.app()
    key, token = key_of(zurich_world, app)
    zurich_world.expire(key)
    before = body_of(get_all(zurich, claims(zurich_world.operator_token), app.id))

    sweeping.sweep(zurich_world.desk, time_is_up=lambda: False)

    assert zurich_world.key(key.id).expiry_marked_at_ms is not None
    assert zurich_world.key(key.id).modified_at_ms == key.modified_at_ms
    assert body_of(get_all(zurich, claims(zurich_world.operator_token), app.id)) == before
    assert [each["appAPIKey"] for each in before["result"]] == [token]


def test_a_disabled_key_is_listed_and_a_revoked_or_deleted_one_is_not(bundle: Bundle, world: World, app: App) -> None:
    (disabled, token), (revoked, _), (deleted, _) = (key_of(world, app) for _ in range(3))
    lifecycle.disable(world.desk, world.principal, disabled)
    lifecycle.revoke(world.desk, world.principal, revoked)
    lifecycle.delete(world.desk, world.principal, deleted)

    result = body_of(get_all(bundle, claims(world.operator_token), app.id))["result"]

    assert [key["appAPIKey"] for key in result] == [token]


def test_keys_of_other_kinds_are_not_among_them(bundle: Bundle, world: World, app: App) -> None:
    world.issue(KeyKind.NATIVE, app.ref)
    world.issue(KeyKind.APP_SECRET, app.ref)

    assert get_refusal(get_all(bundle, claims(world.operator_token), app.id)) == (400, NONE_FOUND)


def test_a_long_list_is_complete(bundle: Bundle, world: World, app: App) -> None:
    """Revoked keys stand in the way of a page of a hundred, and there is no paging on this wire."""
    revoked = [key_of(world, app)[0] for _ in range(3)]
    for key in revoked:
        lifecycle.revoke(world.desk, world.principal, key)
    tokens = {key_of(world, app)[1] for _ in range(100)}

    answer = get_all(bundle, claims(world.operator_token), app.id)

    assert {key["appAPIKey"] for key in body_of(answer)["result"]} == tokens
    calls = ["GetItem", "BatchGetItem", "Query", "Query", *["Decrypt"] * 100, "TransactWriteItems"]
    assert sorted(answer.calls) == sorted(calls)


def test_the_application_may_be_given_by_its_name(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    by_name = get_all(bundle, claims(world.operator_token), quote(app.name))

    assert [key["appAPIKey"] for key in body_of(by_name)["result"]] == [token]
    assert by_name.calls == ("GetItem", "BatchGetItem", "GetItem", "Query", "Decrypt", "TransactWriteItems")


def test_an_unpublished_application_lists_its_keys(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)
    change(world, app, published=False)

    result = body_of(get_all(bundle, claims(world.operator_token), app.id))["result"]

    assert [key["appAPIKey"] for key in result] == [token]


def test_unknown_parameters_and_a_content_type_are_ignored(bundle: Bundle, world: World, app: App) -> None:
    key_of(world, app)
    headers = {**claims(world.operator_token), "Content-Type": "application/x-www-form-urlencoded"}

    answer = bundle.request("GET", f"{PATH}?x=1&x=2&appId={app.id}&source=console", headers)

    assert answer.status == 200


def test_times_are_printed_in_the_installations_zone(zurich: Bundle, zurich_world: World) -> None:
    app = zurich_world.app("Tills")
    for expires_on in ("01/15/2049 12:00:00", "07/15/2049 12:00:00"):
        form = {"appId": app.id, "expiresOn": expires_on}
        zurich.request("POST", PATH, claims(zurich_world.operator_token), form=form)

    result = body_of(get_all(zurich, claims(zurich_world.operator_token), app.id))["result"]

    assert sorted(key["expiresOn"] for key in result) == ["01/15/2049 12:00:00 CET", "07/15/2049 12:00:00 CEST"]


# --- what is refused -----------------------------------------------------------------------------------------------


def test_an_empty_list_is_an_error(bundle: Bundle, world: World, app: App) -> None:
    answer = get_all(bundle, claims(world.operator_token), app.id)

    assert get_refusal(answer) == (400, NONE_FOUND)
    assert answer.body == b'{"status":400,"result":"No App API keys found","message":"No App API keys found"}'


@pytest.mark.parametrize("query", ["", "?", "?appId=", "?appid=1", "?appId", "?other=1"])
def test_an_application_must_be_named(bundle: Bundle, world: World, query: str) -> None:
    answer = bundle.request("GET", f"{PATH}{query}", claims(world.operator_token))

    assert get_refusal(answer) == (400, MISSING)
    assert set(answer.calls) <= READS


def test_an_application_in_the_body_does_not_count(bundle: Bundle, world: World, app: App) -> None:
    answer = bundle.request("GET", PATH, claims(world.operator_token), form={"appId": app.id})

    assert get_refusal(answer) == (400, MISSING)


@pytest.mark.parametrize(
    "named", ["20417-0", "%20", "a%00", "a%0A", "%FF", "%1F", "a" * 251, "a" * 4000, "20417-5530918264%20", "1&appId=1"]
)
def test_an_unknown_application_is_invalid(bundle: Bundle, world: World, app: App, named: str) -> None:
    key_of(world, app)

    answer = get_all(bundle, claims(world.operator_token), named)

    assert get_refusal(answer) == (400, UNKNOWN_APP)
    assert set(answer.calls) <= READS


def test_an_application_that_is_named_twice_is_invalid(bundle: Bundle, world: World, app: App) -> None:
    key_of(world, app)

    assert get_refusal(get_all(bundle, claims(world.operator_token), f"{app.id}&appId={app.id}")) == (400, UNKNOWN_APP)


def test_another_tenants_application_answers_like_one_that_does_not_exist(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.app("Their tills", id="90000-1")
    key_of(another_world, theirs)
    missing = get_all(bundle, claims(world.operator_token), "90000-2")

    for named in (theirs.id, quote(theirs.name)):
        assert get_all(bundle, claims(world.operator_token), named) == missing


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("GetItem", error("ThrottlingException")),
        ("BatchGetItem", error("ProvisionedThroughputExceededException")),
        ("Query", error("InternalServerError", 500)),
        ("Decrypt", error("KMSInternalException", 500)),
    ],
)
def test_what_does_not_answer_is_a_server_failure_to_be_tried_again(
    bundle: Bundle, world: World, app: App, aws: Any, operation: str, fault: Any
) -> None:
    key_of(world, app)
    aws.fault = lambda call: Fault(fault) if call.operation == operation and call.principal else None

    answer = get_all(bundle, claims(world.operator_token), app.id)

    assert get_refusal(answer) == (500, FAILURE)
    assert answer.headers["retry-after"] == "1"
