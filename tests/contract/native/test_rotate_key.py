"""POST /v1/keys/{key_id}/rotate"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import lifecycle, rotation
from keywright.issuing import Issued
from keywright.model import DAY_MS, KeyKind
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    INVALID,
    SEAL,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    key_view,
    refused,
    rfc3339,
    verdict,
)
from tests.world import World

HOUR = 3600


def rotate(bundle: Bundle, world: World, issued: Issued, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{issued.key.id}/rotate", world.bearer, json_body=body)


def test_a_key_gets_another_secret_which_this_answer_alone_shows(bundle: Bundle, world: World, first: Issued) -> None:
    answer = rotate(bundle, world, first)
    key, token = world.key(first.key.id), answer.json()["token"]
    answered(answer, 200, {**key_view(key), "token": token})
    assert answer.calls == (BATCH, SEAL, COMMIT)
    assert (key.last_version, [version.number for version in key.versions]) == (2, [2])
    assert verdict(bundle, world, token) | {"version": 2, "scopes": ["orders:read"]} == verdict(bundle, world, token)
    assert verdict(bundle, world, first.token.reveal())["reason"] == "unknown"
    assert token not in bundle.request("GET", f"/v1/keys/{key.id}", world.bearer).text


def test_during_the_overlap_both_work_and_whoever_presents_the_former_is_told_until_when(
    bundle: Bundle, world: World, first: Issued
) -> None:
    answer = rotate(bundle, world, first, overlap_seconds=HOUR)
    key = world.key(first.key.id)
    until = rfc3339(key.versions[0].retires_at_ms)
    assert until is not None
    assert key.versions[0].retires_at_ms == key.modified_at_ms + HOUR * 1000
    assert [(each["version"], each["retires_at"]) for each in answer.json()["versions"]] == [(1, until), (2, None)]
    former, current = verdict(bundle, world, first.token.reveal()), verdict(bundle, world, answer.json()["token"])
    assert (former["valid"], former["version"], former["retires_at"]) == (True, 1, until)
    assert (current["valid"], current["version"], "retires_at" in current) == (True, 2, False)


def test_the_former_secret_stops_on_time_and_is_shown_no_longer(bundle: Bundle, world: World, first: Issued) -> None:
    rotate(bundle, world, first, overlap_seconds=HOUR)
    key = world.key(first.key.id)
    over = replace(key.versions[0], retires_at_ms=world.desk.clock.now_ms() - 1)
    key = world.overwrite(key, versions=(over, key.newest))
    assert verdict(bundle, world, first.token.reveal())["reason"] == "unknown"
    shown = bundle.request("GET", f"/v1/keys/{key.id}", world.bearer).json()
    assert [each["version"] for each in shown["versions"]] == [2]


def test_an_absent_body_is_no_overlap(bundle: Bundle, world: World, first: Issued) -> None:
    answer = bundle.request("POST", f"/v1/keys/{first.key.id}/rotate", world.bearer)
    assert (answer.status, [each["version"] for each in answer.json()["versions"]]) == (200, [2])


def test_thirty_days_are_the_longest_overlap(bundle: Bundle, world: World, first: Issued) -> None:
    assert rotate(bundle, world, first, overlap_seconds=30 * DAY_MS // 1000).status == 200


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({"overlap_seconds": -1}, "overlap_seconds", INVALID),
        ({"overlap_seconds": 30 * DAY_MS // 1000 + 1}, "overlap_seconds", INVALID),
        ({"overlap_seconds": 10**30}, "overlap_seconds", INVALID),
        ({"overlap_seconds": "60"}, "overlap_seconds", TYPE),
        ({"overlap_seconds": 60.5}, "overlap_seconds", TYPE),
        ({"overlap_seconds": True}, "overlap_seconds", TYPE),
        ({"overlap_seconds": None}, "overlap_seconds", TYPE),
        ({"overlap": 60}, "overlap", UNKNOWN),
    ],
    ids=range(8),
)
def test_a_field_at_fault_is_named_and_the_key_stays(
    bundle: Bundle, world: World, first: Issued, body: dict[str, Any], field: str, problem: str
) -> None:
    answer = rotate(bundle, world, first, **body)
    fields_refused(answer, (field, problem))
    assert answer.calls == (BATCH,)
    assert world.key(first.key.id) == first.key


def test_no_overlap_begins_during_another(bundle: Bundle, world: World, first: Issued) -> None:
    second = rotation.rotate(world.desk, world.principal, first.key, overlap_ms=DAY_MS)
    answer = rotate(bundle, world, first, overlap_seconds=HOUR)
    problem = answer.json()
    assert (answer.status, problem["type"]) == (409, "urn:keywright:problem:rotation-under-way")
    assert problem["detail"].startswith("Finish or cancel it")
    assert (answer.calls, world.key(first.key.id)) == ((BATCH,), second.key)
    answer = rotate(bundle, world, first)
    assert (answer.status, [each["version"] for each in answer.json()["versions"]]) == (200, [3])
    for former in (first, second):
        assert verdict(bundle, world, former.token.reveal())["reason"] == "unknown"


def test_a_revoked_or_expired_key_is_not_rotated(bundle: Bundle, world: World, first: Issued) -> None:
    over = world.expire(world.issue(KeyKind.NATIVE, world.app().ref).key)
    ended = lifecycle.revoke(world.desk, world.principal, first.key)
    for key, slug in ((ended, "key-revoked"), (over, "key-expired")):
        answer = bundle.request("POST", f"/v1/keys/{key.id}/rotate", world.bearer)
        refused(answer, slug)
        assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_a_key_of_a_vendors_kind_is_not_rotated(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.APP_SECRET, world.app().ref).key
    refused(bundle.request("POST", f"/v1/keys/{key.id}/rotate", world.bearer), "key-not-rotatable")
    assert world.key(key.id) == key


def test_a_key_cannot_rotate_itself(bundle: Bundle, world: World) -> None:
    own = world.key(world.principal.key_id)
    answer = bundle.request("POST", f"/v1/keys/{own.id}/rotate", world.bearer, json_body={"overlap_seconds": HOUR})
    refused(answer, "own-key")
    assert (answer.calls, world.key(own.id)) == ((BATCH,), own)


def test_nobody_rotates_a_key_that_may_do_more_than_they(bundle: Bundle, world: World, first: Issued) -> None:
    target = f"/v1/keys/{first.key.id}/rotate"
    refused(bundle.request("POST", target, holder_of(world, "keys:rotate")), "scope-missing")
    assert world.key(first.key.id) == first.key
    assert bundle.request("POST", target, holder_of(world, "keys:rotate", "orders:*")).status == 200


def test_no_new_secret_is_given_to_a_disabled_operator(bundle: Bundle, world: World) -> None:
    operator = world.add_operator()
    key = world.issue(KeyKind.NATIVE, operator.ref).key
    world.change(operator, enabled=False)
    refused(bundle.request("POST", f"/v1/keys/{key.id}/rotate", world.bearer), "operator-disabled")


def test_of_two_rotations_at_once_one_is_done_and_the_other_told(
    bundle: Bundle, stack: Stack, world: World, first: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    winner: list[Issued] = []

    def meanwhile(call: Any) -> None:
        if call.operation == COMMIT and call.principal and not winner:
            winner.append(rotation.rotate(world.desk, world.principal, first.key, overlap_ms=0))

    bundle.request("GET", f"/v1/keys/{first.key.id}", world.bearer)
    with monkeypatch.context() as raced:
        raced.setattr(stack.aws, "fault", meanwhile)
        answer = rotate(bundle, world, first)
    refused(answer, "conflict")
    assert world.key(first.key.id) == winner[0].key
    assert verdict(bundle, world, winner[0].token.reveal())["valid"] is True


@pytest.mark.parametrize("operation", [SEAL, COMMIT])
def test_what_cannot_be_done_for_the_moment_is_not_half_done(
    bundle: Bundle,
    stack: Stack,
    world: World,
    first: Issued,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with monkeypatch.context() as broken:
        fault = Fault(error("ThrottlingException", 400))
        broken.setattr(stack.aws, "fault", lambda call: fault if call.operation == operation else None)
        answer = rotate(bundle, world, first, overlap_seconds=HOUR)
    refused(answer, "unavailable")
    assert world.key(first.key.id) == first.key
    assert verdict(bundle, world, first.token.reveal())["valid"] is True
