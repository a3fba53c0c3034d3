"""POST /v1/keys/{key_id}/links, and `hand_over` where a secret is new"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import Key, KeyKind, LinkRef
from keywright.ports import LinkAt
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    GET,
    INVALID,
    LONG,
    REVEAL,
    SEAL,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    key_view,
    operator_of,
    refused,
    rfc3339,
)
from tests.world import World

MAIL = "SendEmail"
DAY_MS = 86_400_000


@pytest.fixture
def key(world: World) -> Key:
    return world.issue(KeyKind.NATIVE, world.operator.ref).key


def create(bundle: Bundle, world: World, key: Key, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key.id}/links", {**world.bearer, **(headers or {})}, json_body=body)


def link_view(world: World, view: dict[str, Any]) -> dict[str, Any]:
    at = LinkAt(LinkRef(view["key_id"], view["id"]))
    link = world.desk.store.read(at)[at]
    assert link is not None
    return {
        "id": link.id,
        "key_id": link.key_id,
        "version": link.version,
        "state": "waiting",
        "created_at": rfc3339(link.created_at_ms),
        "created_by": world.operator.id,
        "expires_at": rfc3339(link.expires_at_ms),
        "email": link.email or None,
        "opened_at": None,
        "opened_from": None,
        "revoked_at": None,
    }


# --- a link --------------------------------------------------------------------------------------------------------


def test_the_answer_shows_the_link_and_once_its_address(bundle: Bundle, world: World, key: Key) -> None:
    answer = create(bundle, world, key)
    view = answer.json()
    answered(answer, 201, {**link_view(world, view), "url": view["url"]})
    assert answer.calls == (BATCH, COMMIT)
    base, _, token = view["url"].rpartition("/")
    assert base == "https://keywright.test/h"
    assert len(token) == 43
    assert token not in bundle.request("GET", f"/v1/keys/{key.id}/links", world.bearer).text


def test_what_is_behind_the_address_is_the_secret(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    path = create(bundle, world, issued.key).json()["url"].removeprefix("https://keywright.test")
    assert issued.token.reveal() in bundle.request("POST", path).text


@pytest.mark.parametrize(
    ("given", "lives_ms"), [({}, DAY_MS), ({"expires_in": 900}, 900_000), ({"expires_in": 604800}, 7 * DAY_MS)]
)
def test_a_link_lives_as_long_as_is_said(
    bundle: Bundle, world: World, key: Key, given: dict[str, Any], lives_ms: int
) -> None:
    view = create(bundle, world, key, **given).json()
    at = LinkAt(LinkRef(key.id, view["id"]))
    link = world.desk.store.read(at)[at]
    assert link is not None
    assert link.expires_at_ms - link.created_at_ms == lives_ms


def test_a_body_may_be_absent(bundle: Bundle, world: World, key: Key) -> None:
    assert bundle.request("POST", f"/v1/keys/{key.id}/links", world.bearer).status == 201


def test_every_link_is_another(bundle: Bundle, world: World, key: Key) -> None:
    made = [create(bundle, world, key).json() for _ in range(3)]
    assert len({each["id"] for each in made}) == len({each["url"] for each in made}) == 3


# --- mail ----------------------------------------------------------------------------------------------------------


def test_a_link_is_mailed_before_the_answer(
    bundle: Bundle, stack: Stack, world: World, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails: list[dict[str, Any]] = []

    def look(call: Call) -> Fault | None:
        if call.operation == MAIL:
            mails.append(call.request)
        return None

    monkeypatch.setattr(stack.aws, "fault", look)
    answer = create(bundle, world, key, email="ama@example.com")
    assert (answer.status, answer.json()["email"]) == (201, "ama@example.com")
    assert answer.calls == (BATCH, MAIL, COMMIT)
    [mail] = mails
    content = mail["Content"]["Simple"]
    assert mail["Destination"] == {"ToAddresses": ["ama@example.com"]}
    assert content["Subject"]["Data"] == "An API key is waiting for you"
    assert answer.json()["url"] in content["Body"]["Text"]["Data"]


def test_a_link_that_could_not_be_mailed_is_none(
    bundle: Bundle, stack: Stack, world: World, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(
        stack.aws, "fault", lambda call: Fault(error("MessageRejected", 400)) if call.operation == MAIL else None
    )
    answer = create(bundle, world, key, email="ama@example.com")
    refused(answer, "mail-not-sent")
    assert COMMIT not in answer.calls
    assert world.desk.store.links_of(key.id).items == []


@pytest.mark.parametrize(
    ("email", "problem"),
    [
        ("", INVALID),
        ("ama", INVALID),
        ("ama@example.com, eve@example.com", INVALID),
        ("Ama <ama@example.com>", INVALID),
        ("ama@example.com\n", INVALID),
        ("ama@example.com\r\nBcc: eve@example.com", INVALID),
        ("ama\u2028@example.com", INVALID),
        ("a" * 10_000 + "@example.com", LONG),
        (5, TYPE),
    ],
)
def test_what_is_not_one_address_is_refused(bundle: Bundle, world: World, key: Key, email: Any, problem: str) -> None:
    answer = create(bundle, world, key, email=email)
    fields_refused(answer, ("email", problem))
    assert not {MAIL, COMMIT} & set(answer.calls)


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "problem"),
    [(899, INVALID), (604801, INVALID), (0, INVALID), (-900, INVALID), (900.5, TYPE), ("900", TYPE), (True, TYPE)],
)
def test_a_lifetime_is_900_to_604800_seconds(bundle: Bundle, world: World, key: Key, given: Any, problem: str) -> None:
    answer = create(bundle, world, key, expires_in=given)
    fields_refused(answer, ("expires_in", problem))
    assert COMMIT not in answer.calls


def test_a_key_that_is_over_is_not_handed_over(bundle: Bundle, world: World, key: Key) -> None:
    expired = world.issue(KeyKind.NATIVE, world.operator.ref).key
    world.expire(expired)
    refused(create(bundle, world, expired), "key-expired")
    lifecycle.revoke(world.desk, world.principal, key)
    refused(create(bundle, world, key), "key-revoked")


def test_nobody_hands_out_more_than_they_hold(bundle: Bundle, world: World) -> None:
    mighty = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("owners:delete",)).key
    weak = holder_of(world, "keys:reveal")
    answer = bundle.request("POST", f"/v1/keys/{mighty.id}/links", weak, json_body={})
    assert (answer.status, answer.json()["type"]) == (403, "urn:keywright:problem:scope-missing")
    both = holder_of(world, "keys:reveal", "owners:*")
    assert bundle.request("POST", f"/v1/keys/{mighty.id}/links", both, json_body={}).status == 201


# --- safe retries --------------------------------------------------------------------------------------------------


def test_a_retry_shows_the_same_address_and_makes_no_second_link(bundle: Bundle, world: World, key: Key) -> None:
    first = create(bundle, world, key, {"Idempotency-Key": "once"}, email="ama@example.com")
    assert first.calls == (BATCH, SEAL, MAIL, COMMIT)
    again = create(bundle, world, key, {"Idempotency-Key": "once"}, email="ama@example.com")
    assert (again.status, again.body, again.calls) == (201, first.body, (BATCH, REVEAL))
    assert len(world.desk.store.links_of(key.id).items) == 1


# --- a new secret --------------------------------------------------------------------------------------------------


def test_an_order_with_hand_over_shows_a_link_in_place_of_the_token(bundle: Bundle, world: World) -> None:
    body = {"owner": operator_of(world), "hand_over": {"expires_in": 3600}}
    answer = bundle.request("POST", "/v1/keys", world.bearer, json_body=body)
    view = answer.json()
    link = view["link"]
    answered(answer, 201, {**key_view(world.key(view["id"])), "link": {**link_view(world, link), "url": link["url"]}})
    assert answer.calls == (GET, SEAL, COMMIT)
    page = bundle.request("POST", link["url"].removeprefix("https://keywright.test"))
    verdict = bundle.request(
        "POST", "/v1/keys/verify", world.bearer, json_body={"token": page.text.split("<code>")[1].split("</code>")[0]}
    )
    assert verdict.json()["key_id"] == view["id"]


def test_a_rotation_with_hand_over_shows_a_link_to_the_new_secret(bundle: Bundle, world: World, key: Key) -> None:
    answer = bundle.request("POST", f"/v1/keys/{key.id}/rotate", world.bearer, json_body={"hand_over": {}})
    view = answer.json()
    assert (answer.status, view["version"], view["link"]["version"]) == (200, 2, 2)
    assert "token" not in view


def test_a_retry_of_an_order_with_hand_over_is_answered_alike(bundle: Bundle, world: World) -> None:
    body = {"owner": operator_of(world), "hand_over": {}}
    headers = {**world.bearer, "Idempotency-Key": "once"}
    first = bundle.request("POST", "/v1/keys", headers, json_body=body)
    again = bundle.request("POST", "/v1/keys", headers, json_body=body)
    assert (first.status, again.body) == (201, first.body)


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        ({"expires_in": 1}, "hand_over.expires_in", INVALID),
        ({"email": "ama@example.com"}, "hand_over.email", UNKNOWN),
        ("link", "hand_over", TYPE),
    ],
)
def test_a_hand_over_is_checked_before_anything_is_done(
    bundle: Bundle, world: World, given: Any, field: str, problem: str
) -> None:
    body = {"owner": operator_of(world), "hand_over": given}
    answer = bundle.request("POST", "/v1/keys", world.bearer, json_body=body)
    fields_refused(answer, (field, problem))
    assert not {SEAL, COMMIT} & set(answer.calls)
