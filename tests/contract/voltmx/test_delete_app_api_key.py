"""V6, Delete App API Key: DELETE /api/v1/applications/key/{appKey}"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import App
from local.aws import Fault, error
from local.iam import Call
from tests.bundle import Bundle
from tests.contract.voltmx.engagement import (
    FAILURE,
    LIMIT,
    PATH,
    body_of,
    change,
    claims,
    delete,
    get_all,
    get_one,
    get_refusal,
    key_of,
    modify,
    refusal,
    verify,
)
from tests.world import World

DELETED = "App API key deleted successfully"
NOT_FOUND = "App API key not found for deletion"


def test_a_key_is_deleted_and_stops_at_once(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    answer = delete(bundle, claims(world.operator_token), token)

    assert answer.status == 200
    assert list(body_of(answer).items()) == [("id", token), ("message", DELETED)]
    assert verify(bundle, world, token) == {**verify(bundle, world, token), "valid": False, "reason": "unknown"}


def test_a_deleted_key_is_nowhere(bundle: Bundle, world: World, app: App) -> None:
    user = claims(world.operator_token)
    (_, token), (_, other) = key_of(world, app), key_of(world, app)

    delete(bundle, user, token)

    assert refusal(delete(bundle, user, token)) == (400, NOT_FOUND)
    assert get_refusal(get_one(bundle, user, token)) == (400, "App API key not found")
    assert refusal(modify(bundle, user, token, {"neverExpires": "true"})) == (
        400,
        "App API key not found for modification",
    )
    assert [key["appAPIKey"] for key in body_of(get_all(bundle, user, app.id))["result"]] == [other]


def test_the_key_may_be_written_in_capitals(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    assert body_of(delete(bundle, claims(world.operator_token), token.upper())) == {"id": token, "message": DELETED}


def test_expired_disabled_and_unpublished_keys_are_deleted(bundle: Bundle, world: World, app: App) -> None:
    (expired, first), (disabled, second) = key_of(world, app), key_of(world, app)
    world.expire(expired)
    lifecycle.disable(world.desk, world.principal, disabled)
    change(world, app, published=False)

    for token in (first, second):
        assert body_of(delete(bundle, claims(world.operator_token), token))["message"] == DELETED


def test_a_revoked_key_is_no_key_any_more(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app)
    lifecycle.revoke(world.desk, world.principal, key)

    assert refusal(delete(bundle, claims(world.operator_token), token)) == (400, NOT_FOUND)


def test_its_place_is_free_for_another(bundle: Bundle, world: World, app: App) -> None:
    user, form = claims(world.operator_token), {"appId": app.id, "neverExpires": "true"}
    (_, token), *_ = [key_of(world, app) for _ in range(100)]
    assert refusal(bundle.request("POST", PATH, user, form=form)) == (400, LIMIT)

    delete(bundle, user, token)
    delete(bundle, user, token)

    assert bundle.request("POST", PATH, user, form=form).status == 200
    assert refusal(bundle.request("POST", PATH, user, form=form)) == (400, LIMIT)


def test_a_body_is_not_read(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    answer = bundle.request("DELETE", f"{PATH}/{token}?x=1", claims(world.operator_token), b"\xff{" * 40_000)

    assert answer.status == 200


def test_it_takes_two_reads_and_one_transaction(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    answer = delete(bundle, claims(world.operator_token), token)

    assert answer.calls == ("BatchGetItem", "BatchGetItem", "TransactWriteItems")


def test_of_two_deletions_at_once_one_finds_no_key(bundle: Bundle, world: World, app: App, aws: Any) -> None:
    key, token = key_of(world, app)
    meanwhile = iter([True])

    def take_away(call: Call) -> None:
        if call.operation == "TransactWriteItems" and call.principal and next(meanwhile, False):
            lifecycle.delete(world.desk, world.principal, key)

    aws.fault = take_away

    assert refusal(delete(bundle, claims(world.operator_token), token)) == (400, NOT_FOUND)


@pytest.mark.parametrize("operation", ["BatchGetItem", "TransactWriteItems"])
def test_what_does_not_answer_is_a_server_failure_and_the_key_lives(
    bundle: Bundle, world: World, app: App, aws: Any, operation: str
) -> None:
    _, token = key_of(world, app)
    fault = error("ThrottlingException")
    aws.fault = lambda call: Fault(fault) if call.operation == operation and call.principal else None

    answer = delete(bundle, claims(world.operator_token), token)

    assert refusal(answer) == (500, FAILURE)
    assert answer.headers["retry-after"] == "1"
    aws.fault = lambda _: None
    assert verify(bundle, world, token)["valid"] is True
