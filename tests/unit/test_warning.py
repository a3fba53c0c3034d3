from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keywright import errors, lifecycle, registry, sweeping, warning
from keywright.mail import WARNING, Warned, WarningLetter
from keywright.model import DAY_MS, Event, EventType, Key, KeyKind, Owner
from tests.fakes import Fakes
from tests.world import World

CONTACT = "tills@example.com"


@pytest.fixture
def owner(world: World) -> Owner:
    return world.change(world.app("Tills"), contact=CONTACT)


@pytest.fixture
def key(world: World, fakes: Fakes, owner: Owner) -> Key:
    return world.issue(
        KeyKind.NATIVE, owner.ref, description="counter 3", expires_at_ms=fakes.clock.ms + 40 * DAY_MS
    ).key


@pytest.fixture
def told(world: World, fakes: Fakes, key: Key) -> Event:
    """That the key expires in thirty days."""
    assert world.key(key.id) == key
    fakes.clock.advance(10 * DAY_MS)
    assert sweeping.sweep(world.desk, time_is_up=lambda: False).warned == 1
    return fakes.store.events[-1]


def test_the_owner_gets_one_mail_that_says_which_key_and_when(
    world: World, fakes: Fakes, key: Key, told: Event
) -> None:
    assert warning.mail_warnings(world.desk, [told]) == frozenset()
    assert key.expires_at_ms is not None
    expected = Warned(
        key_id=key.id,
        owner_name="Tills",
        description="counter 3",
        expires_at_ms=key.expires_at_ms,
        days_left=30,
    )
    assert fakes.outbox.warnings == [(CONTACT, expected)]
    assert key.newest.digest not in WARNING.text_for(expected)
    assert key.id in WARNING.text_for(expected)


def test_an_operator_is_reached_by_its_own_address(world: World, fakes: Fakes) -> None:
    world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=fakes.clock.ms + 40 * DAY_MS)
    fakes.clock.advance(10 * DAY_MS)
    sweeping.sweep(world.desk, time_is_up=lambda: False)
    warning.mail_warnings(world.desk, fakes.store.events)
    assert [to for to, _ in fakes.outbox.warnings] == ["imani@example.com"]


def test_an_owner_without_an_address_is_not_mailed(world: World, fakes: Fakes, owner: Owner, told: Event) -> None:
    world.change(registry.owner_at(world.desk, owner.ref), contact="")
    assert warning.mail_warnings(world.desk, [told]) == frozenset()
    assert fakes.outbox.warnings == []


@pytest.mark.parametrize(
    "deed",
    [
        lifecycle.revoke,
        lifecycle.delete,
        lambda desk, caller, key: lifecycle.amend(desk, caller, key, description="", expires_at_ms=None),
        lambda desk, caller, key: lifecycle.amend(desk, caller, key, expires_at_ms=key.expires_at_ms + DAY_MS),
    ],
    ids=["revoked", "deleted", "for good", "later"],
)
def test_what_is_no_longer_so_is_not_mailed(
    world: World, fakes: Fakes, key: Key, told: Event, deed: Callable[..., Key]
) -> None:
    deed(world.desk, world.principal, world.key(key.id))
    assert warning.mail_warnings(world.desk, [told]) == frozenset()
    assert fakes.outbox.warnings == []


@pytest.mark.parametrize("gone", ["owner", "key"])
def test_of_what_is_gone_nobody_is_mailed(
    world: World, fakes: Fakes, owner: Owner, key: Key, told: Event, gone: str
) -> None:
    if gone == "owner":
        del fakes.store.everybody[owner.ref]
    else:
        del fakes.store.keys[key.id]
    assert warning.mail_warnings(world.desk, [told]) == frozenset()
    assert fakes.outbox.warnings == []


@pytest.mark.usefixtures("key")
def test_other_events_are_passed_over(world: World, fakes: Fakes) -> None:
    fakes.store.calls.clear()
    assert warning.mail_warnings(world.desk, fakes.store.events) == frozenset()
    assert fakes.store.calls == []


def three(world: World, fakes: Fakes, owner: Owner) -> list[Event]:
    for _ in range(3):
        world.issue(KeyKind.NATIVE, owner.ref, expires_at_ms=fakes.clock.ms + 40 * DAY_MS)
    fakes.clock.advance(10 * DAY_MS)
    sweeping.sweep(world.desk, time_is_up=lambda: False)
    return [event for event in fakes.store.events if event.type is EventType.KEY_EXPIRING]


def test_from_a_mail_that_was_not_sent_all_come_again_and_none_is_mailed_twice(
    world: World, fakes: Fakes, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, reported = three(world, fakes, owner), list[Exception]()
    take = fakes.outbox.send_warning

    def second_fails(self: object, warned: Warned, *, to: str) -> None:
        if warned.key_id == events[1].subject:
            raise errors.MailNotSent
        take(warned, to=to)

    with monkeypatch.context() as throttled:
        throttled.setattr(type(fakes.outbox), "send_warning", second_fails)
        again = warning.mail_warnings(world.desk, events, on_failure=reported.append)
    assert again == {event.id for event in events[1:]}
    assert [type(each) for each in reported] == [errors.MailNotSent]
    assert warning.mail_warnings(world.desk, [event for event in events if event.id in again]) == frozenset()
    assert [warned.key_id for _, warned in fakes.outbox.warnings] == [event.subject for event in events]


def test_a_mail_that_nobody_takes_is_put_on_record_and_not_tried_again(
    world: World, fakes: Fakes, owner: Owner
) -> None:
    events = three(world, fakes, owner)
    fakes.outbox.refuses, fakes.outbox.refusal = True, errors.MailRefused(code="MessageRejected")
    assert warning.mail_warnings(world.desk, events) == frozenset()
    kept = [event for event in fakes.store.events if event.type is EventType.WARNING_NOT_MAILED]
    assert [event.subject for event in kept] == [event.subject for event in events]
    assert {(event.reason, event.actor, event.owner, event.step_days) for event in kept} == {
        ("MessageRejected", warning.ACTOR, owner.ref, 30)
    }


def test_while_the_store_is_down_all_come_again(world: World, fakes: Fakes, told: Event) -> None:
    fakes.store.down = True
    assert warning.mail_warnings(world.desk, [told]) == {told.id}


# --- the letter ----------------------------------------------------------------------------------------------------

SAID = Warned(key_id="key_1", owner_name="Léa", description="tills", expires_at_ms=1_790_000_000_000, days_left=7)


def test_a_key_without_a_description_has_none() -> None:
    assert "\n    Description: (none)\n" in WARNING.text_for(replace(SAID, description=""))


def test_the_letter_is_filled_in() -> None:
    letter = WarningLetter("It expires", "{owner}: {key_id} ({description}), {days} days, {expires}.")
    assert letter.text_for(SAID) == "Léa: key_1 (tills), 7 days, 2026-09-21 14:13 UTC."


def test_what_looks_like_a_placeholder_or_a_line_in_a_name_stays_text() -> None:
    odd = Warned(
        key_id="key_1",
        owner_name="{days}\r\nBcc: all@example.com",
        description="{key_id}\u2028",
        expires_at_ms=0,
        days_left=1,
    )
    assert WarningLetter("It expires", "{owner}|{description}|{key_id}").text_for(odd) == (
        "{days}  Bcc: all@example.com|{key_id} |key_1"
    )


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("", "{key_id}"),
        ("It\nexpires", "{key_id}"),
        ("{key_id} expires", "{key_id}"),
        ("x" * 201, "{key_id}"),
        ("It expires", "it does"),
        ("It expires", "{key_id} {key}"),
        ("It expires", "{key_id} {token}"),
        ("It expires", "{key_id}\r"),
    ],
)
def test_a_letter_that_could_not_be_sent_or_would_name_a_secret_is_refused(subject: str, text: str) -> None:
    with pytest.raises(ValueError, match="mail"):
        WarningLetter(subject, text)
