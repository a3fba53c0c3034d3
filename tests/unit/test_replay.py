"""Answers that are kept for a retry, without a handler around them."""

from __future__ import annotations

import pytest

from keywright import errors, issuing, lifecycle, replay
from keywright.issuing import Order
from keywright.model import EventType, KeyKind
from keywright.ports import AnswerRef, KeptAnswer, SealedSecret, Stale
from keywright.replay import KEPT_MS, Attempt, body_of, digest_of, key_in
from tests.fakes import Fakes
from tests.world import World


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
def world(fakes: Fakes) -> World:
    return World(fakes.desk)


def settle(attempt: Attempt, body: str, request: str = "request") -> None:
    attempt.settle("answer", request, status=201, content_type="text/plain", body=body)


def kept(fakes: Fakes) -> KeptAnswer:
    ref = AnswerRef("answer")
    found = fakes.store.read(ref)[ref]
    assert found is not None
    return found


def order(world: World) -> Order:
    return Order(kind=KeyKind.NATIVE, owner=world.operator.ref)


# --- the header ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (None, None),
        ("a", "a"),
        ('"a"', "a"),
        ('"a b"', "a b"),
        ('"a,b"', "a,b"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ("k" * 255, "k" * 255),
        ("a=b;c", "a=b;c"),
    ],
)
def test_a_key_is_read_quoted_or_bare(value: str | None, key: str | None) -> None:
    assert key_in(value) == key


@pytest.mark.parametrize(
    "value",
    [
        " a",
        "a ",
        "a b",
        "a,b",
        'a"b',
        '"a',
        'a"',
        '"a""b"',
        '"a";p',
        '"\\a"',
        "\x7f",
        "\x00",
        "é",
        '"é"',
        '"\n"',
        "a\n",
        ":YQ==:\n",
    ],
)
def test_what_is_no_string_of_a_structured_field_and_no_bare_word_is_refused(value: str) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        key_in(value)
    assert refused.value.field == "Idempotency-Key"


@pytest.mark.parametrize(
    "value", ["k" * 256, '"' + "k" * 256 + '"', "k" * 1_000_000, '"' + "\\\\" * 256 + '"', "," * 513]
)
def test_a_key_that_is_too_long_is_refused(value: str) -> None:
    with pytest.raises(errors.TooLong):
        key_in(value)


@pytest.mark.parametrize("value", ["", '""'])
def test_an_empty_key_is_refused(value: str) -> None:
    with pytest.raises(errors.TooShort):
        key_in(value)


def test_no_part_of_a_digest_can_be_taken_for_the_end_of_another() -> None:
    assert len({digest_of("ab", "c"), digest_of("a", "bc"), digest_of("abc"), digest_of("abc", "")}) == 4


# --- keeping -------------------------------------------------------------------------------------------------------


def test_nothing_is_written_before_the_answer_is_there(fakes: Fakes, world: World) -> None:
    attempt, before = Attempt(world.desk), len(fakes.store.keys)
    issuing.issue(attempt.desk, world.principal, order(world))
    assert len(fakes.store.keys) == before
    settle(attempt, "done")
    assert len(fakes.store.keys) == before + 1


def test_change_and_answer_are_one_transaction(fakes: Fakes, world: World) -> None:
    attempt = Attempt(world.desk)
    issuing.issue(attempt.desk, world.principal, order(world))
    fakes.store.calls.clear()
    settle(attempt, "done")
    assert fakes.store.calls == ["commit"]


def test_a_change_that_is_abandoned_leaves_nothing(fakes: Fakes, world: World) -> None:
    before = (dict(fakes.store.keys), list(fakes.store.events))
    issuing.issue(Attempt(world.desk).desk, world.principal, order(world))
    assert (fakes.store.keys, fakes.store.events) == before
    assert fakes.store.answers == {}


def test_a_refused_change_keeps_no_answer(fakes: Fakes, world: World) -> None:
    for _ in range(10):
        world.issue(KeyKind.ACCOUNT_SECRET, world.operator.ref)
    attempt = Attempt(world.desk)
    issuing.issue(attempt.desk, world.principal, Order(kind=KeyKind.ACCOUNT_SECRET, owner=world.operator.ref))
    with pytest.raises(errors.LimitReached):
        settle(attempt, "done")
    assert fakes.store.answers == {}


def test_secrets_are_cut_out_and_put_in_again_in_their_places(fakes: Fakes, world: World) -> None:
    attempt = Attempt(world.desk)
    issued = issuing.issue(attempt.desk, world.principal, order(world))
    text = issued.token.reveal()
    body = f"<{text}> and once more {text}"
    settle(attempt, body)
    answer = kept(fakes)
    assert answer.parts == ("<", "> and once more ", "")
    assert text not in repr(answer)
    assert body_of(world.desk, world.principal, answer) == body


def test_a_secret_that_was_decrypted_on_the_way_is_cut_out_too(fakes: Fakes, world: World) -> None:
    issued, attempt = world.issue(KeyKind.NATIVE, world.operator.ref), Attempt(world.desk)
    [token] = attempt.desk.vault.reveal([SealedSecret.of(issued.key, issued.key.newest)])
    settle(attempt, f"it is {token.reveal()}")
    assert token.reveal() not in repr(kept(fakes))
    assert body_of(world.desk, world.principal, kept(fakes)) == f"it is {token.reveal()}"


def test_an_answer_without_secrets_asks_no_vault(fakes: Fakes, world: World) -> None:
    settle(Attempt(world.desk), "plain")
    fakes.vault.down = True
    assert body_of(world.desk, world.principal, kept(fakes)) == "plain"


def test_that_a_secret_is_shown_again_is_on_record_before(fakes: Fakes, world: World) -> None:
    attempt = Attempt(world.desk)
    issued = issuing.issue(attempt.desk, world.principal, order(world))
    settle(attempt, issued.token.reveal())
    body_of(world.desk, world.principal, kept(fakes))
    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.version) == (EventType.KEY_REVEALED, issued.key.id, 1)
    assert (event.actor, event.owner) == (world.principal.key_id, issued.key.owner)
    fakes.store.down = True
    with pytest.raises(errors.Unavailable):
        body_of(world.desk, world.principal, kept(fakes))


def test_the_faster_of_two_decides_even_where_it_took_the_last_place(fakes: Fakes, world: World) -> None:
    for _ in range(9):
        world.issue(KeyKind.ACCOUNT_SECRET, world.operator.ref)
    wanted = Order(kind=KeyKind.ACCOUNT_SECRET, owner=world.operator.ref)
    slow, fast = Attempt(world.desk), Attempt(world.desk)
    issuing.issue(slow.desk, world.principal, wanted)
    issuing.issue(fast.desk, world.principal, wanted)
    settle(fast, "fast")
    with pytest.raises(Stale):
        settle(slow, "slow")
    assert kept(fakes).parts == ("fast",)


def test_an_answer_makes_room_when_its_day_is_over(fakes: Fakes, world: World) -> None:
    settle(Attempt(world.desk), "first")
    fakes.clock.advance(KEPT_MS - 1)
    with pytest.raises(Stale):
        settle(Attempt(world.desk), "second")
    fakes.clock.advance(1)
    settle(Attempt(world.desk), "second")
    assert kept(fakes).parts == ("second",)


def test_a_change_of_two_commits_is_an_error_of_the_program(fakes: Fakes, world: World) -> None:
    attempt = Attempt(world.desk)
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    lifecycle.disable(attempt.desk, world.principal, key)
    with pytest.raises(ValueError, match="one commit"):
        lifecycle.disable(attempt.desk, world.principal, key)


def test_a_link_that_is_answered_again_is_sealed_for_that(fakes: Fakes, world: World) -> None:
    assert not world.desk.keeps_answers
    assert Attempt(world.desk).desk.keeps_answers


def test_an_id_shows_neither_credential_nor_key() -> None:
    answer_id = replay.answer_id("kw_live_secret", "my-key")
    assert len(answer_id) == 64
    assert answer_id != replay.answer_id("kw_live_secret", "my-key2")
    assert answer_id != replay.answer_id("kw_live_secre", "tmy-key")
