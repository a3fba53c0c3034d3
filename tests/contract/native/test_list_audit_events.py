"""GET /v1/audit"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from jsonschema import Draft202012Validator

from keywright import audit, lifecycle
from keywright.model import KeyKind
from keywright.ports import AuditQuestion
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import GET, INVALID, LONG, MISSING, QUERY, UNKNOWN, answered, fields_refused, holder_of
from tests.world import World

SCHEMA = Path(__file__).resolve().parents[3] / "docs/operations/event.schema.json"
VALID = Draft202012Validator(json.loads(SCHEMA.read_text()))


def ask(bundle: Bundle, world: World, **query: object) -> Answer:
    return bundle.request("GET", f"/v1/audit?{urlencode(query)}" if query else "/v1/audit", world.bearer)


def events(bundle: Bundle, world: World, **query: object) -> list[dict[str, Any]]:
    """All pages, each event held to the schema."""
    found: list[dict[str, Any]] = []
    while True:
        body = ask(bundle, world, **query).json()
        found += body["events"]
        if body["next"] is None:
            break
        query["after"] = body["next"]
    for event in found:
        VALID.validate(event)
    return found


def told(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"], event["subject"]) for event in found]


def test_a_tenants_events_are_told_newest_first_as_they_are_on_the_bus(bundle: Bundle, world: World) -> None:
    app = world.app()
    answer = ask(bundle, world)
    page = world.desk.store.audit(AuditQuestion(tenant=world.tenant))
    assert [event.subject for event in page.items] == [app.id, world.tenant]
    answered(answer, 200, {"events": [audit.told(event) for event in page.items], "next": None})
    assert answer.calls == (GET, QUERY)


def test_the_story_of_a_key_is_told_record_by_record_with_the_reason_of_its_end(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref).key
    world.issue(KeyKind.NATIVE, world.app().ref)
    lifecycle.disable(world.desk, world.principal, key)
    lifecycle.revoke(world.desk, world.principal, world.key(key.id), "left on a train")
    found = events(bundle, world, key_id=key.id, order="oldest")
    assert told(found) == [(name, key.id) for name in ("key_issued", "key_disabled", "key_revoked")]
    assert [event["reason"] for event in found] == ["", "", "left on a train"]
    assert {event["actor"] for event in found} == {world.principal.key_id}
    assert [event["actor_owner"] for event in found] == [{"kind": "operator", "id": world.operator.id}] * 3
    assert [event["id"] for event in found] == sorted(event["id"] for event in found)


def test_the_filters_narrow_each_other(bundle: Bundle, world: World) -> None:
    first, second = world.app(), world.app()
    keys = [world.issue(KeyKind.NATIVE, app.ref).key for app in (first, first, second)]
    ama = world.add_operator()
    of_first = {"owner_kind": "app", "owner_id": first.id}
    assert {event["subject"] for event in events(bundle, world, **of_first)} == {first.id, keys[0].id, keys[1].id}
    assert told(events(bundle, world, **of_first, key_id=keys[0].id)) == [("key_issued", keys[0].id)]
    assert events(bundle, world, **of_first, key_id=keys[2].id) == []
    assert events(bundle, world, operator=ama.id) == []
    by_us = events(bundle, world, operator=world.operator.id)
    assert {event["subject"] for event in by_us} >= {first.id, second.id, *(key.id for key in keys)}
    assert events(bundle, world, actor=world.principal.key_id) == by_us
    assert events(bundle, world, actor=keys[0].id) == []


def test_a_time_is_from_its_first_moment_to_before_its_last(bundle: Bundle, world: World) -> None:
    app = world.app()
    (created,) = events(bundle, world, owner_kind="app", owner_id=app.id)
    at = datetime.fromisoformat(created["at"])
    later = at + timedelta(milliseconds=1)
    about = {"owner_kind": "app", "owner_id": app.id}
    assert events(bundle, world, **about, **{"from": at.isoformat(), "to": later.isoformat()}) == [created]
    assert events(bundle, world, **about, **{"from": later.isoformat()}) == []
    assert events(bundle, world, **about, to=at.isoformat()) == []
    elsewhere = at.astimezone(UTC).replace(tzinfo=None).isoformat() + "-00:00"
    assert events(bundle, world, **about, **{"from": elsewhere}) == [created]


def test_pages_go_on_where_they_stopped_either_way(bundle: Bundle, world: World) -> None:
    app = world.app()
    for _ in range(5):
        world.issue(KeyKind.NATIVE, app.ref)
    whole = events(bundle, world)
    assert len(whole) == 7
    for limit in (1, 2, 7):
        assert events(bundle, world, limit=limit) == whole
        assert sorted(told(events(bundle, world, limit=limit, order="oldest"))) == sorted(told(whole))
    first = ask(bundle, world, limit=3).json()
    assert len(first["events"]) == 3
    assert first["next"] is not None


def test_another_tenants_events_are_not_there(bundle: Bundle, world: World, another_world: World) -> None:
    theirs = another_world.app(id="the-same")
    key = another_world.issue(KeyKind.NATIVE, theirs.ref).key
    for query in (
        {"key_id": key.id},
        {"owner_kind": "app", "owner_id": theirs.id},
        {"operator": another_world.operator.id},
        {"actor": another_world.principal.key_id},
    ):
        assert events(bundle, world, **query) == []
        assert events(bundle, another_world, **query) != []
    following = ask(bundle, another_world, limit=1).json()["next"]
    answer = ask(bundle, world, after=following)
    assert another_world.tenant not in answer.text


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ({"kye_id": "x"}, ("kye_id", UNKNOWN)),
        ({"key_id": "x"}, ("key_id", INVALID)),
        ({"key_id": "key_0123456789abcdef01234567\n"}, ("key_id", INVALID)),
        ({"owner_kind": "app"}, ("owner_id", MISSING)),
        ({"owner_id": "app"}, ("owner_kind", MISSING)),
        ({"owner_kind": "person", "owner_id": "x"}, ("owner_kind", INVALID)),
        ({"actor": "a b"}, ("actor", INVALID)),
        ({"operator": "x" * 251}, ("operator", LONG)),
        ({"from": "yesterday"}, ("from", INVALID)),
        ({"from": "2026-01-01T00:00:00"}, ("from", INVALID)),
        ({"to": "1790000000"}, ("to", INVALID)),
        ({"from": "2026-01-02T00:00:00Z", "to": "2026-01-02T00:00:00Z"}, ("to", INVALID)),
        ({"order": "random"}, ("order", INVALID)),
        ({"limit": "0"}, ("limit", INVALID)),
        ({"limit": "101"}, ("limit", INVALID)),
        ({"after": "x"}, ("after", INVALID)),
    ],
)
def test_a_filter_that_is_none_is_refused_by_its_name(
    bundle: Bundle, world: World, query: dict[str, str], refused: tuple[str, str]
) -> None:
    fields_refused(ask(bundle, world, **query), refused)


def test_a_filter_that_is_there_twice_is_refused(bundle: Bundle, world: World) -> None:
    answer = bundle.request("GET", "/v1/audit?actor=a&actor=b", world.bearer)
    fields_refused(answer, ("actor", INVALID))


def test_who_may_read_keys_may_not_read_the_audit_by_that(bundle: Bundle, world: World) -> None:
    assert bundle.request("GET", "/v1/audit", holder_of(world, "keys:read", "owners:read")).status == 403
    assert bundle.request("GET", "/v1/audit?nonsense=1", holder_of(world, "keys:read")).status == 403
    assert bundle.request("GET", "/v1/audit", holder_of(world, "audit:read")).status == 200
