"""The audit: what is told of an event, and that no stored secret leaves before its event is on record."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from keywright import audit, errors, tokens
from keywright.audit import Stored
from keywright.model import Event, EventType, Key, KeyKind, OwnerKind, OwnerRef
from tests.fakes import Fakes
from tests.world import World

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/operations/event.schema.json").read_text()
)
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/operations/events.md").read_text()
VALID = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
AT_MS = 1_790_000_000_000


def event(**more: Any) -> Event:
    owner = OwnerRef("orchard-labs", OwnerKind.APP, "20417-5530918264")
    base: dict[str, Any] = {
        "id": tokens.new_event_id(AT_MS),
        "type": EventType.KEY_ISSUED,
        "tenant": owner.tenant,
        "subject": "key_1",
        "owner": owner,
        "actor": "native.create_first_operator",
        "at_ms": AT_MS,
    }
    return Event(**{**base, **more})


# --- how it is told ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", EventType)
def test_an_event_of_every_type_is_as_the_schema_says(type: EventType) -> None:
    operator = OwnerRef("orchard-labs", OwnerKind.OPERATOR, "21000000000017")
    VALID.validate(audit.told(event(type=type)))
    VALID.validate(audit.told(event(type=type, actor_owner=operator, version=3, reason="leaked", source="::1")))
    VALID.validate(audit.told(event(type=type, expires_at_ms=AT_MS + 1, step_days=7, days_left=6, link_id="link_1")))


def test_the_schema_lists_the_types_and_the_members_that_there_are() -> None:
    assert SCHEMA["properties"]["type"]["enum"] == sorted(EventType)
    assert SCHEMA["required"] == [*SCHEMA["properties"]] == [*audit.told(event())]
    assert SCHEMA["properties"]["version"]["const"] == audit.SCHEMA_VERSION
    assert SCHEMA["$defs"]["owner"]["properties"]["kind"]["enum"] == [*OwnerKind]


@pytest.mark.parametrize("type", EventType)
def test_every_type_of_event_is_documented(type: EventType) -> None:
    assert f"\n| `{type}` |" in DOCUMENT


@pytest.mark.parametrize(
    "change",
    [{"id": "evt_1"}, {"type": "key_exploded"}, {"at": "2026-11-21"}, {"version": "2"}, {"owner": {"kind": "app"}}],
)
def test_what_is_no_event_fails_the_schema(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VALID.validate({**audit.told(event()), **change})


def test_a_time_is_told_to_the_millisecond_in_utc() -> None:
    assert audit.told(event(at_ms=AT_MS + 7))["at"] == "2026-09-21T14:13:20.007Z"


# --- its id --------------------------------------------------------------------------------------------------------


def test_the_ids_of_events_sort_as_they_were_made_within_a_millisecond_too() -> None:
    ids = [tokens.new_event_id(AT_MS + n // 100) for n in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


def test_the_ids_of_events_are_unique_across_threads() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = [*threads.map(lambda _: tokens.new_event_id(AT_MS), range(2000))]
    assert len(set(ids)) == 2000


# --- reveals -------------------------------------------------------------------------------------------------------


def keys(world: World, number: int) -> list[Key]:
    app = world.app()
    return [world.issue(KeyKind.NATIVE, app.ref).key for _ in range(number)]


def stored(keys: list[Key]) -> list[Stored]:
    return [Stored.of(key, key.newest) for key in keys]


def test_each_secret_that_is_revealed_is_an_event_of_its_key_and_version(world: World, fakes: Fakes) -> None:
    issued = [world.issue(KeyKind.NATIVE, world.app().ref) for _ in range(3)]
    fakes.store.events.clear()
    fakes.store.calls.clear()
    shown = audit.reveal(world.desk, world.principal, stored([each.key for each in issued]))
    assert shown == [each.token for each in issued]
    assert [(each.type, each.subject, each.version, each.owner) for each in fakes.store.events] == [
        (EventType.KEY_REVEALED, each.key.id, 1, each.key.owner) for each in issued
    ]
    assert {(each.actor, each.actor_owner) for each in fakes.store.events} == {
        (world.principal.key_id, world.principal.owner)
    }
    assert fakes.store.calls == ["commit"]


def test_nothing_to_reveal_is_nothing_to_record(world: World, fakes: Fakes) -> None:
    fakes.store.calls.clear()
    assert audit.reveal(world.desk, world.principal, []) == []
    assert fakes.store.calls == []


@pytest.mark.parametrize(("number", "commits"), [(100, 1), (101, 2), (250, 3)])
def test_a_list_of_hundreds_is_recorded_a_hundred_at_once(
    world: World, fakes: Fakes, number: int, commits: int
) -> None:
    many = stored(keys(world, number))
    fakes.store.calls.clear()
    fakes.store.events.clear()
    assert len(audit.reveal(world.desk, world.principal, many)) == number
    assert len(fakes.store.events) == number
    assert fakes.store.calls == ["commit"] * commits


def test_no_secret_leaves_when_its_event_cannot_be_written(world: World, fakes: Fakes) -> None:
    wanted = stored(keys(world, 2))
    fakes.store.down = True
    with pytest.raises(errors.Unavailable):
        audit.reveal(world.desk, world.principal, wanted)


def test_nothing_is_on_record_when_the_vault_does_not_answer(world: World, fakes: Fakes) -> None:
    wanted = stored(keys(world, 2))
    fakes.store.events.clear()
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        audit.reveal(world.desk, world.principal, wanted)
    assert fakes.store.events == []
