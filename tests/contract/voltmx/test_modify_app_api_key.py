"""V4, Modify App API Key, and V5, Regenerate App API Key: POST /api/v1/applications/key/{appKey}

One URL for two operations: an expired key is regenerated, any other is modified, and both keep their secret.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keywright import lifecycle, sweeping
from keywright.model import App, EventType, Key
from local.aws import Fault, error
from local.iam import Call
from tests.bundle import Bundle
from tests.contract.voltmx.engagement import (
    FAILURE,
    MISSING,
    NOT_PUBLISHED,
    PATH,
    READS,
    UNAUTHORIZED,
    WRONG_DATE,
    WRONG_DESCRIPTION,
    WRONG_NEVER,
    Form,
    app_key,
    body_of,
    change,
    claims,
    key_of,
    modify,
    refusal,
    verify,
)
from tests.world import World

FORM = "application/x-www-form-urlencoded"
UPDATED = "App API key updated successfully"
REGENERATED = "App API key regenerated successfully"
NOT_FOUND = "App API key not found for modification"
LATER = "12/31/2049 23:59:59"
LATER_MS = 2_524_607_999_000
DATED_MS = 2_400_000_000_000


def standing(key: Key) -> tuple[str, int | None]:
    return key.description, key.expires_at_ms


# --- V4 ------------------------------------------------------------------------------------------------------------


def test_a_key_is_modified_and_its_value_stays(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app, description="tills", expires_at_ms=DATED_MS)

    answer = modify(bundle, claims(world.operator_token), token, {"expiresOn": LATER, "description": "tills, north"})

    assert answer.status == 200
    assert list(body_of(answer).items()) == [("id", token), ("message", UPDATED)]
    now = world.key(key.id)
    assert standing(now) == ("tills, north", LATER_MS)
    assert now.modified_at_ms >= key.modified_at_ms
    assert now.versions == key.versions
    assert verify(bundle, world, token)["valid"] is True


def test_the_answer_shows_the_key_in_lower_case(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    answer = modify(bundle, claims(world.operator_token), token.upper(), {"description": "x"})

    assert body_of(answer)["id"] == token


@pytest.mark.parametrize(
    ("before", "form", "after"),
    [
        (DATED_MS, {"description": "new"}, ("new", DATED_MS)),
        (DATED_MS, {"expiresOn": LATER}, ("old", LATER_MS)),
        (DATED_MS, {"neverExpires": "true"}, ("old", None)),
        (DATED_MS, {"neverExpires": "TRUE", "expiresOn": "not even parsed"}, ("old", None)),
        (DATED_MS, {"neverExpires": "false"}, ("old", DATED_MS)),
        (DATED_MS, {"neverExpires": "false", "expiresOn": LATER}, ("old", LATER_MS)),
        (DATED_MS, {"description": ""}, ("", DATED_MS)),
        (DATED_MS, {"description": "new", "expiresOn": "", "neverExpires": ""}, ("new", DATED_MS)),
        (None, {"description": "new"}, ("new", None)),
        (None, {"expiresOn": LATER}, ("old", LATER_MS)),
        (None, {"neverExpires": "False", "expiresOn": LATER}, ("old", LATER_MS)),
        (None, {"neverExpires": "true"}, ("old", None)),
    ],
)
def test_what_is_not_sent_stays_as_it_is(
    bundle: Bundle, world: World, app: App, before: int | None, form: Form, after: tuple[str, int | None]
) -> None:
    key, token = key_of(world, app, description="old", expires_at_ms=before)

    answer = modify(bundle, claims(world.operator_token), token, form)

    assert (answer.status, body_of(answer)["message"]) == (200, UPDATED)
    assert standing(world.key(key.id)) == after


def test_a_disabled_key_is_modified_and_stays_disabled(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app)
    lifecycle.disable(world.desk, world.principal, key)

    assert body_of(modify(bundle, claims(world.operator_token), token, {"description": "x"}))["message"] == UPDATED
    assert verify(bundle, world, token)["reason"] == "disabled"


def test_a_key_of_an_unpublished_application_is_modified(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)
    change(world, app, published=False)

    assert body_of(modify(bundle, claims(world.operator_token), token, {"description": "x"}))["message"] == UPDATED


def test_a_modification_is_on_record_without_a_secret(bundle: Bundle, world: World, app: App, stack: Any) -> None:
    key, token = key_of(world, app)
    modify(bundle, claims(world.operator_token), token, {"description": "x"})

    table = next(iter(stack.template.tables.values())).name
    query = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{app.id}"}},
    )
    last = query["Items"][-1]
    assert (last["type"]["S"], last["subject"]["S"]) == (EventType.KEY_AMENDED, key.id)
    assert token not in repr(query["Items"])


# --- V5 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "after"),
    [
        ({"expiresOn": LATER}, ("old", LATER_MS)),
        ({"neverExpires": "true"}, ("old", None)),
        ({"neverExpires": "true", "expiresOn": "01/01/2001 00:00:00", "description": "new"}, ("new", None)),
        ({"neverExpires": "false", "expiresOn": LATER, "description": "new"}, ("new", LATER_MS)),
    ],
)
def test_an_expired_key_is_regenerated_with_the_same_value(
    bundle: Bundle, world: World, app: App, form: Form, after: tuple[str, int | None]
) -> None:
    key, token = key_of(world, app, description="old")
    world.expire(key)
    assert verify(bundle, world, token)["reason"] == "expired"

    answer = modify(bundle, claims(world.operator_token), token, form)

    assert answer.status == 200
    assert list(body_of(answer).items()) == [("id", token), ("message", REGENERATED)]
    assert standing(world.key(key.id)) == after
    assert verify(bundle, world, token)["valid"] is True


@pytest.mark.parametrize(
    "form", [{"description": "new"}, {"neverExpires": "false"}, {"neverExpires": "false", "description": "new"}]
)
def test_to_regenerate_it_must_be_said_until_when(bundle: Bundle, world: World, app: App, form: Form) -> None:
    key, token = key_of(world, app)
    world.expire(key)

    answer = modify(bundle, claims(world.operator_token), token, form)

    assert refusal(answer) == (400, MISSING)
    assert set(answer.calls) <= READS
    assert verify(bundle, world, token)["reason"] == "expired"


def test_a_regenerated_key_is_swept_again_when_it_expires_again(zurich: Bundle, zurich_world: World) -> None:
    app = zurich_world.app()
    key, token = key_of(zurich_world, app)
    zurich_world.expire(key)
    sweeping.sweep(zurich_world.desk, time_is_up=lambda: False)
    first = zurich_world.key(key.id).expiry_marked_at_ms
    modify(zurich, claims(zurich_world.operator_token), token, {"expiresOn": LATER})
    revived = zurich_world.key(key.id)
    assert (first is not None, revived.expiry_marked_at_ms) == (True, None)

    zurich_world.expire(revived)
    sweeping.sweep(zurich_world.desk, time_is_up=lambda: False)

    assert zurich_world.key(key.id).expiry_marked_at_ms is not None


def test_the_second_in_which_a_key_expires_decides(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app)
    world.overwrite(key, expires_at_ms=world.desk.clock.now_ms() + 60_000)
    assert body_of(modify(bundle, claims(world.operator_token), token, {"description": "x"}))["message"] == UPDATED

    world.expire(world.key(key.id))

    assert (
        body_of(modify(bundle, claims(world.operator_token), token, {"neverExpires": "true"}))["message"] == REGENERATED
    )


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", [{}, {"appId": "1"}, {"expiresOn": ""}, {"neverExpires": ""}, {"expiresOn": "", "neverExpires": ""}]
)
def test_something_must_be_modified(bundle: Bundle, world: World, app: App, form: Form) -> None:
    _, token = key_of(world, app)

    for named in (token, "03fb1ae7-5c6b-4ee4-9ac9-47878368b394", "no key"):
        answer = modify(bundle, claims(world.operator_token), named.replace(" ", "%20"), form)
        assert refusal(answer) == (400, MISSING)
        assert set(answer.calls) <= READS


@pytest.mark.parametrize(
    "form", [{"neverExpires": "false"}, {"neverExpires": "FALSE", "expiresOn": "", "description": "x"}]
)
def test_what_never_expired_needs_a_date_to_expire(bundle: Bundle, world: World, app: App, form: Form) -> None:
    key, token = key_of(world, app, description="old")

    assert refusal(modify(bundle, claims(world.operator_token), token, form)) == (400, MISSING)
    assert standing(world.key(key.id)) == ("old", None)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"{}"),
        (FORM, b"description=%FF%FE"),
        (FORM, b"description=\xff\xfe"),
        (FORM, b"description=" + b"x" * 64_001),
        (FORM, b"&".join(b"f%d=1" % n for n in range(200)) + b"&neverExpires=true"),
        ("", b"neverExpires=true"),
        ("text/plain", b"neverExpires=true"),
        ("application/json", b'{"neverExpires": true}'),
    ],
)
def test_a_body_that_is_no_form_is_missing_data(
    bundle: Bundle, world: World, app: App, content_type: str, body: bytes
) -> None:
    _, token = key_of(world, app)
    headers = {**claims(world.operator_token), **({"Content-Type": content_type} if content_type else {})}

    answer = bundle.request("POST", f"{PATH}/{token}?neverExpires=true", headers, body)

    assert refusal(answer) == (400, MISSING)
    assert set(answer.calls) <= READS


@pytest.mark.parametrize("value", ["yes", "1", "null", " true", "true "])
@pytest.mark.parametrize("expired", [False, True])
def test_never_expires_is_true_or_false(bundle: Bundle, world: World, app: App, value: str, expired: bool) -> None:
    key, token = key_of(world, app)
    if expired:
        world.expire(key)

    for form in ({"neverExpires": value}, {"neverExpires": value, "expiresOn": LATER}):
        answer = modify(bundle, claims(world.operator_token), token, form)
        assert refusal(answer) == (400, WRONG_NEVER)
        assert set(answer.calls) <= READS


@pytest.mark.parametrize("value", ["01/01/2001 00:00:00", "12/31/2049", "2049-12-31 00:00:00", "never", "9" * 5000])
@pytest.mark.parametrize("expired", [False, True])
def test_a_date_is_in_the_format_and_in_the_future(
    bundle: Bundle, world: World, app: App, value: str, expired: bool
) -> None:
    key, token = key_of(world, app)
    if expired:
        world.expire(key)

    answer = modify(bundle, claims(world.operator_token), token, {"expiresOn": value})

    assert refusal(answer) == (400, WRONG_DATE)
    assert set(answer.calls) <= READS


def test_a_date_that_has_just_passed_is_invalid(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)
    passed = f"{datetime.now(UTC) - timedelta(seconds=1):%m/%d/%Y %H:%M:%S}"

    assert refusal(modify(bundle, claims(world.operator_token), token, {"expiresOn": passed})) == (400, WRONG_DATE)


@pytest.mark.parametrize("value", ["x" * 101, "two\nlines", "\x7f"])
def test_a_description_is_one_line_of_a_hundred_characters(bundle: Bundle, world: World, app: App, value: str) -> None:
    _, token = key_of(world, app)

    answer = modify(bundle, claims(world.operator_token), token, {"description": value})

    assert refusal(answer) == (400, WRONG_DESCRIPTION)
    assert set(answer.calls) <= READS


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ([("neverExpires", "true"), ("neverExpires", "true")], WRONG_NEVER),
        ([("expiresOn", LATER), ("expiresOn", LATER)], WRONG_DATE),
        ([("description", "a"), ("description", "")], WRONG_DESCRIPTION),
    ],
)
def test_a_field_that_is_sent_twice_is_invalid(
    bundle: Bundle, world: World, app: App, form: Form, message: str
) -> None:
    _, token = key_of(world, app)

    assert refusal(modify(bundle, claims(world.operator_token), token, form)) == (400, message)


def test_a_key_that_is_not_there_is_not_found(bundle: Bundle, world: World) -> None:
    """That a missing key is an expired one cannot be, so the text for regeneration is never sent."""
    answer = modify(bundle, claims(world.operator_token), "03fb1ae7-5c6b-4ee4-9ac9-47878368b394", {"expiresOn": LATER})

    assert refusal(answer) == (400, NOT_FOUND)
    assert answer.body == b'{"id":"","message":"App API key not found for modification"}'


def test_the_checks_come_in_the_documented_order(bundle: Bundle, world: World, app: App) -> None:
    user = claims(world.operator_token)
    (expired, expired_token), (_, token) = key_of(world, app), key_of(world, app)
    world.expire(expired)
    draft = world.app("Draft", published=True)
    _, drafts_token = key_of(world, draft)
    change(world, draft, published=False)
    unknown = "03fb1ae7-5c6b-4ee4-9ac9-47878368b394"
    wrong = {"neverExpires": "maybe", "expiresOn": "yesterday", "description": "x" * 101}
    steps: list[tuple[dict[str, str], str, Form, tuple[int, str]]] = [
        ({}, unknown, {}, (401, UNAUTHORIZED)),
        (user, unknown, {}, (400, MISSING)),
        (user, unknown, wrong, (400, NOT_FOUND)),
        (app_key(drafts_token), drafts_token, {}, (400, MISSING)),
        (app_key(drafts_token), token, wrong, (400, NOT_FOUND)),
        (app_key(drafts_token), drafts_token, wrong, (400, NOT_PUBLISHED)),
        (user, expired_token, {"description": "x" * 101}, (400, MISSING)),
        (user, token, wrong, (400, WRONG_NEVER)),
        (user, token, {**wrong, "neverExpires": "false"}, (400, WRONG_DATE)),
        (user, token, {**wrong, "neverExpires": "true"}, (400, WRONG_DESCRIPTION)),
    ]

    assert [refusal(modify(bundle, headers, named, form)) for headers, named, form, _ in steps] == [
        last for *_, last in steps
    ]


# --- AWS -----------------------------------------------------------------------------------------------------------


def test_it_takes_two_reads_and_one_transaction(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    answer = modify(bundle, claims(world.operator_token), token, {"description": "x"})

    assert answer.calls == ("BatchGetItem", "BatchGetItem", "TransactWriteItems")


def test_a_key_that_changes_meanwhile_is_modified_as_it_is_then(
    bundle: Bundle, world: World, app: App, aws: Any
) -> None:
    key, token = key_of(world, app, description="old")
    meanwhile = iter([True])

    def expire(call: Call) -> None:
        if call.operation == "TransactWriteItems" and call.principal and next(meanwhile, False):
            world.expire(key)

    aws.fault = expire
    answer = modify(bundle, claims(world.operator_token), token, {"neverExpires": "true"})

    assert body_of(answer)["message"] == REGENERATED
    assert standing(world.key(key.id)) == ("old", None)


def test_a_key_that_is_deleted_meanwhile_is_not_found(bundle: Bundle, world: World, app: App, aws: Any) -> None:
    key, token = key_of(world, app)
    meanwhile = iter([True])

    def take_away(call: Call) -> None:
        if call.operation == "TransactWriteItems" and call.principal and next(meanwhile, False):
            lifecycle.delete(world.desk, world.principal, key)

    aws.fault = take_away

    answer = modify(bundle, claims(world.operator_token), token, {"description": "x"})

    assert refusal(answer) == (400, NOT_FOUND)
    assert verify(bundle, world, token)["reason"] == "unknown"


@pytest.mark.parametrize("operation", ["BatchGetItem", "TransactWriteItems"])
def test_what_does_not_answer_is_a_server_failure_to_be_tried_again(
    bundle: Bundle, world: World, app: App, aws: Any, operation: str
) -> None:
    key, token = key_of(world, app)
    fault = error("InternalServerError", 500)
    aws.fault = lambda call: Fault(fault) if call.operation == operation and call.principal else None

    answer = modify(bundle, claims(world.operator_token), token, {"description": "x"})

    assert refusal(answer) == (500, FAILURE)
    assert answer.headers["retry-after"] == "1"
    assert world.key(key.id) == key
