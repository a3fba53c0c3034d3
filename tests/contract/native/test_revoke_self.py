"""POST /v1/keys/revoke-self: by possession, and telling nothing (as RFC 7009 has it)"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import issuing, lifecycle, rotation
from keywright.errors import KeyNotFound
from keywright.model import EventType, Key, KeyKind, Version
from keywright.ports import TokenRef
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import COMMIT, GET, MISSING, TYPE, answered, fields_refused, refused
from tests.world import World

PATH = "/v1/keys/revoke-self"


def kill(bundle: Bundle, token: str) -> Answer:
    answer = bundle.request("POST", PATH, json_body={"token": token})
    answered(answer, 200, {})
    return answer


def is_good(world: World, version: Version) -> bool:
    ref = TokenRef(version.digest)
    grant = world.desk.store.read(ref)[ref]
    return grant is not None and grant.refusal(world.desk.clock.now_ms()) is None


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if not kind.endswith("access_key")])
def test_whoever_holds_a_token_kills_its_key(bundle: Bundle, world: World, kind: KeyKind) -> None:
    owners: dict[KeyKind, Any] = {
        KeyKind.REP_KEY: world.rep,
        KeyKind.APP_SECRET: world.app,
        KeyKind.APP_API_KEY: world.app,
        KeyKind.INTEGRATION_SECRET: lambda: world.integration(world.app()),
    }
    issued = world.issue(kind, owners.get(kind, lambda: world.operator)().ref)
    assert is_good(world, issued.key.newest)
    assert kill(bundle, issued.token.reveal()).calls == (GET, GET, COMMIT)
    key = world.key(issued.key.id)
    assert (key.revoked_at_ms is not None, key.revoked_reason) == (True, "by whoever held it")
    assert not is_good(world, key.newest)


def test_a_form_does_as_well_and_a_hint_is_ignored(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    form = {"token": issued.token.reveal(), "token_type_hint": "refresh_token"}
    answered(bundle.request("POST", PATH, form=form), 200, {})
    assert world.key(issued.key.id).revoked_at_ms is not None


def test_it_cannot_be_done_twice_and_the_answer_is_the_same(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    first = kill(bundle, issued.token.reveal())
    key = world.key(issued.key.id)
    again = kill(bundle, issued.token.reveal())
    assert (again.body, again.headers) == (first.body, first.headers)
    assert world.key(issued.key.id) == key


@pytest.mark.parametrize(
    ("token", "calls"),
    [("x", ()), ("kw_local_" + "A" * 49, ()), ("00000000-0000-4000-8000-000000000000", (GET,)), ("a.b.c", ())],
)
def test_a_token_of_nobodys_gets_the_same_answer(bundle: Bundle, token: str, calls: tuple[str, ...]) -> None:
    assert kill(bundle, token).calls == calls


@pytest.mark.parametrize("state", ["disabled", "expired", "outside its addresses"])
def test_a_key_that_opens_nothing_now_is_ended_for_good_all_the_same(bundle: Bundle, world: World, state: str) -> None:
    ranges = ("203.0.113.0/24",) if state == "outside its addresses" else ()
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, allowed_cidrs=ranges)
    if state == "disabled":
        lifecycle.disable(world.desk, world.principal, issued.key)
    elif state == "expired":
        world.expire(issued.key)
    kill(bundle, issued.token.reveal())
    assert world.key(issued.key.id).revoked_at_ms is not None


def test_of_an_access_key_only_the_version_is_gone_and_of_the_last_the_key(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    issued = issuing.issue_version(world.desk, world.principal, opened.key, creator=opened.key.creator)
    kill(bundle, opened.token.reveal())
    key = world.key(issued.key.id)
    assert ([each.number for each in key.versions], key.revoked_at_ms) == ([2], None)
    assert is_good(world, key.newest)
    kill(bundle, opened.token.reveal())
    assert world.key(issued.key.id) == key
    kill(bundle, issued.token.reveal())
    assert world.key(issued.key.id).revoked_at_ms is not None


@pytest.mark.parametrize("held", ["former", "present"])
def test_of_a_key_that_is_being_rotated_either_secret_ends_both(bundle: Bundle, world: World, held: str) -> None:
    former = world.issue(KeyKind.NATIVE, world.app().ref)
    present = rotation.rotate(world.desk, world.principal, former.key, overlap_ms=3_600_000)
    kill(bundle, (former if held == "former" else present).token.reveal())
    key = world.key(former.key.id)
    assert key.revoked_at_ms is not None
    assert not any(is_good(world, version) for version in (former.key.newest, present.key.newest))


def test_a_former_secret_whose_time_is_over_kills_nothing(bundle: Bundle, world: World) -> None:
    former = world.issue(KeyKind.NATIVE, world.app().ref)
    present = rotation.rotate(world.desk, world.principal, former.key, overlap_ms=3_600_000)
    old, new = present.key.versions
    retired: Key = world.overwrite(present.key, versions=(_retired(old, world), new))
    kill(bundle, former.token.reveal())
    assert world.key(former.key.id) == retired


def _retired(version: Version, world: World) -> Version:
    return replace(version, retires_at_ms=world.desk.clock.now_ms() - 1)


def test_it_frees_the_place_of_the_key_and_the_event_names_the_key_itself(
    bundle: Bundle, world: World, stack: Stack
) -> None:
    app = world.app()
    issued = [world.issue(KeyKind.APP_SECRET, app.ref) for _ in range(10)]
    kill(bundle, issued[0].token.reveal())
    world.issue(KeyKind.APP_SECRET, app.ref)
    written = [
        item["Put"]["Item"]
        for call in stack.aws.calls
        for item in call.request.get("TransactItems", ())
        if item.get("Put", {}).get("Item", {}).get("subject") == {"S": issued[0].key.id}
    ]
    events = [item for item in written if item["type"] == {"S": EventType.KEY_REVOKED.value}]
    assert [item["actor"]["S"] for item in events] == [issued[0].key.id]


def test_the_pairing_key_of_an_app_alone_kills_nothing(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    kill(bundle, opened.pairing.reveal())
    assert is_good(world, opened.key.newest)


def test_a_deleted_key_stays_as_it_is(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    deleted = lifecycle.delete(world.desk, world.principal, issued.key)
    kill(bundle, issued.token.reveal())
    assert world.key(issued.key.id) == deleted
    with pytest.raises(KeyNotFound):
        lifecycle.own(world.principal, world.key(issued.key.id))


def test_a_request_without_a_token_is_refused(bundle: Bundle) -> None:
    for body in ({}, {"token": ""}, {"token": None}):
        fields_refused(bundle.request("POST", PATH, json_body=body), ("token", MISSING))
    fields_refused(bundle.request("POST", PATH, form={"x": "y"}), ("token", MISSING))
    fields_refused(bundle.request("POST", PATH, json_body={"token": 5}), ("token", TYPE))
    twice = bundle.request("POST", PATH, form=[("token", "x"), ("token", "y")])
    assert (twice.status, twice.json()["fields"][0]["field"]) == (422, "token")
    for raw in (b"", b"[]", b"{"):
        refused(bundle.request("POST", PATH, [("Content-Type", "application/json")], raw), "body-unreadable")
    refused(bundle.request("POST", PATH, [("Content-Type", "text/plain")], b"x"), "content-type-refused")
    refused(bundle.request("POST", PATH, [("Content-Type", "application/json")], b"x" * 64_001), "body-too-large")


def test_a_token_in_the_address_is_not_looked_at(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    answer = bundle.request("POST", f"{PATH}?token={issued.token.reveal()}", json_body={})
    fields_refused(answer, ("token", MISSING))
    assert is_good(world, issued.key.newest)


def test_a_failure_of_ours_does_not_say_whether_the_token_was_known(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal()
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(stack.aws, "fault", lambda _: Fault(error("ThrottlingException")))
    answers = [
        bundle.request("POST", PATH, json_body={"token": each})
        for each in (token, "00000000-0000-4000-8000-000000000000")
    ]
    assert {(each.status, each.body) for each in answers} == {(503, answers[0].body)}
