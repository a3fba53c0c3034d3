"""V3, Get App API Key Details: GET /api/v1/applications/key/{appKey}"""

from __future__ import annotations

from datetime import UTC, datetime

from keywright import lifecycle
from keywright.model import App
from tests.bundle import Bundle
from tests.contract.voltmx.engagement import (
    body_of,
    change,
    claims,
    get_one,
    get_refusal,
    key_of,
    modify,
)
from tests.world import World

NOT_FOUND = "App API key not found"


def test_a_key_is_shown(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app, description="till terminals", expires_at_ms=2_524_607_999_999)

    answer = get_one(bundle, claims(world.operator_token), token)

    created = f"{datetime.fromtimestamp(key.created_at_ms // 1000, UTC):%m/%d/%Y %H:%M:%S UTC}"
    assert answer.status == 200
    body = body_of(answer)
    assert body == {
        "status": 200,
        "result": {
            "appAPIKey": token,
            "description": "till terminals",
            "neverExpires": False,
            "createdOn": created,
            "updatedOn": created,
            "expiresOn": "12/31/2049 23:59:59 UTC",
        },
    }
    assert list(body["result"]) == [
        "appAPIKey",
        "description",
        "neverExpires",
        "createdOn",
        "updatedOn",
        "expiresOn",
    ]
    assert type(body["status"]) is int


def test_a_key_that_never_expires_says_so(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    result = body_of(get_one(bundle, claims(world.operator_token), token))["result"]

    assert (result["neverExpires"], result["expiresOn"]) == (True, None)


def test_a_key_is_compared_without_case_and_shown_in_lower_case(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    lower, upper = (get_one(bundle, claims(world.operator_token), each) for each in (token, token.upper()))

    assert lower == upper
    assert body_of(upper)["result"]["appAPIKey"] == token


def test_an_update_is_seen(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app)
    world.overwrite(key, created_at_ms=key.created_at_ms, modified_at_ms=key.modified_at_ms - 60_000)
    modify(bundle, claims(world.operator_token), token, {"description": "north"})

    result = body_of(get_one(bundle, claims(world.operator_token), token))["result"]

    now = world.key(key.id)
    assert result["description"] == "north"
    assert now.modified_at_ms >= key.modified_at_ms
    assert result["updatedOn"] == f"{datetime.fromtimestamp(now.modified_at_ms // 1000, UTC):%m/%d/%Y %H:%M:%S UTC}"


def test_expired_disabled_and_unpublished_keys_are_shown(bundle: Bundle, world: World, app: App) -> None:
    (expired, first), (disabled, second) = key_of(world, app), key_of(world, app)
    world.expire(expired)
    lifecycle.disable(world.desk, world.principal, disabled)
    change(world, app, published=False)

    for token in (first, second):
        assert body_of(get_one(bundle, claims(world.operator_token), token))["result"]["appAPIKey"] == token


def test_it_takes_two_reads_and_no_secret_is_decrypted(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    assert get_one(bundle, claims(world.operator_token), token).calls == ("BatchGetItem", "BatchGetItem")


def test_a_key_that_is_not_there_is_not_found(bundle: Bundle, world: World) -> None:
    answer = get_one(bundle, claims(world.operator_token), "03fb1ae7-5c6b-4ee4-9ac9-47878368b394")

    assert get_refusal(answer) == (400, NOT_FOUND)
    assert answer.body == b'{"status":400,"result":"App API key not found","message":"App API key not found"}'


def test_a_time_beyond_a_zones_calendar_is_printed_all_the_same(zurich: Bundle, zurich_world: World) -> None:
    _, token = key_of(zurich_world, zurich_world.app(), expires_at_ms=253_402_300_799_000)

    result = body_of(get_one(zurich, claims(zurich_world.operator_token), token))["result"]

    assert result["expiresOn"] == "12/31/9999 23:59:59 UTC"
