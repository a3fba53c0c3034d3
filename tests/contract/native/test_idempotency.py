"""`Idempotency-Key`: the same request under the same key has one effect and one answer, for 24 hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keywright import lifecycle, replay
from keywright.model import EventType, KeyKind
from keywright.ports import AnswerRef, AuditQuestion, KeepAnswer, KeptAnswer
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    INVALID,
    LONG,
    OPERATIONS,
    REVEAL,
    SEAL,
    SHORT,
    fields_refused,
    holder_of,
    operator_of,
    refused,
)
from tests.world import World

REPEATABLE = sorted(
    name
    for name, operation in OPERATIONS.items()
    if operation.method == "POST" and not name.startswith(("verify", "introspect"))
)
READS = sorted(name for name, operation in OPERATIONS.items() if name.startswith(("verify", "list", "get")))
KEY = "a8c1e5f0-retry"


def under(key: str, bearer: dict[str, str]) -> dict[str, str]:
    return {**bearer, "Idempotency-Key": key}


def kept(world: World, bearer: dict[str, str], key: str = KEY) -> KeptAnswer | None:
    ref = AnswerRef(replay.answer_id(bearer["Authorization"].removeprefix("Bearer "), key))
    return world.desk.store.read(ref)[ref]


def issue(bundle: Bundle, world: World, key: str = KEY, **body: Any) -> Answer:
    return bundle.request("POST", "/v1/keys", under(key, world.bearer), json_body={"owner": operator_of(world), **body})


def keys_of(world: World) -> list[str]:
    """Without that of the operator itself, who asks."""
    return [key.id for key in world.desk.store.keys_of(world.operator.ref).items if key.id != world.principal.key_id]


def same(first: Answer, again: Answer) -> None:
    assert (again.status, again.body, again.headers) == (first.status, first.body, first.headers)


@pytest.fixture
def lose(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Fault | None], None]]:
    """What becomes of each commit of a function, until the test is over."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    before = stack.aws.fault

    def hit(fault: Fault | None) -> None:
        stack.aws.fault = lambda call: fault if call.principal and call.operation == COMMIT else None

    yield hit
    stack.aws.fault = before


# --- one effect, one answer ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPEATABLE)
def test_every_post_that_changes_something_is_answered_alike_up_to_five_times(
    bundle: Bundle, world: World, name: str
) -> None:
    operation = OPERATIONS[name]
    caller = under(KEY, holder_of(world, operation.scope))
    target = operation.target.format(key_id=operation.key(world).id)
    body = operation.body_in(world)
    first = bundle.request("POST", target, caller, json_body=body)
    assert first.status == operation.status, first.text
    assert first.calls[0] == BATCH, "the caller's own read brings the answer along"
    for _ in range(5):
        again = bundle.request("POST", target, caller, json_body=body)
        same(first, again)
        assert again.calls in {(BATCH,), (BATCH, REVEAL), (BATCH, REVEAL, COMMIT)}, "a reveal is recorded, and no more"


def test_a_retry_makes_no_second_key_and_shows_the_secret_again(bundle: Bundle, world: World) -> None:
    first = issue(bundle, world)
    assert first.calls == (BATCH, SEAL, COMMIT)
    again = issue(bundle, world)
    same(first, again)
    assert again.calls == (BATCH, REVEAL, COMMIT)
    assert keys_of(world) == [first.json()["id"]]
    question = AuditQuestion(tenant=world.tenant, key_id=first.json()["id"])
    told = [event.type for event in world.desk.store.audit(question).items]
    assert sorted(told) == [EventType.KEY_ISSUED, EventType.KEY_REVEALED]


def test_without_a_key_every_request_counts(bundle: Bundle, world: World) -> None:
    for _ in range(2):
        bundle.request("POST", "/v1/keys", world.bearer, json_body={"owner": operator_of(world)})
    assert len(keys_of(world)) == 2


def test_another_key_is_another_request(bundle: Bundle, world: World) -> None:
    assert issue(bundle, world, "one").json()["id"] != issue(bundle, world, "two").json()["id"]


def test_the_answer_outlives_what_it_tells_of(bundle: Bundle, world: World) -> None:
    first = issue(bundle, world)
    key = world.key(first.json()["id"])
    key = lifecycle.disable(world.desk, world.principal, key)
    same(first, issue(bundle, world))
    key = lifecycle.revoke(world.desk, world.principal, key)
    same(first, issue(bundle, world))
    lifecycle.delete(world.desk, world.principal, key)
    same(first, issue(bundle, world))


def test_what_changed_nothing_is_kept_too(bundle: Bundle, world: World) -> None:
    """Or a late retry of a disable that found nothing to do would undo what somebody enabled meanwhile."""
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    key = lifecycle.disable(world.desk, world.principal, key)
    target = f"/v1/keys/{key.id}/disable"
    first = bundle.request("POST", target, under(KEY, world.bearer))
    assert first.json()["state"] == "disabled"
    lifecycle.enable(world.desk, world.principal, key)
    same(first, bundle.request("POST", target, under(KEY, world.bearer)))
    assert world.key(key.id).enabled


def test_no_secret_is_kept(bundle: Bundle, world: World) -> None:
    token = issue(bundle, world).json()["token"]
    found = kept(world, world.bearer)
    assert found is not None
    assert len(found.parts) == 2
    sealed = [each.sealed for each in found.secrets]
    assert token not in repr((found, *(secret.ciphertext for secret in sealed)))
    assert [(each.key_id, each.version) for each in sealed] == [(keys_of(world)[0], 1)]


# --- who, what, how long -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"description": "tills"}, {"scopes": ["keys:read"]}])
def test_the_same_key_with_another_body_is_refused(bundle: Bundle, world: World, change: dict[str, Any]) -> None:
    issue(bundle, world)
    answer = issue(bundle, world, **change)
    refused(answer, "idempotency-key-reused")
    assert answer.calls == (BATCH,)
    assert len(keys_of(world)) == 1


def test_the_same_key_at_another_address_is_refused(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    bundle.request("POST", f"/v1/keys/{key.id}/disable", under(KEY, world.bearer), json_body={})
    answer = bundle.request("POST", f"/v1/keys/{key.id}/enable", under(KEY, world.bearer), json_body={})
    refused(answer, "idempotency-key-reused")
    assert not world.key(key.id).enabled


def test_callers_who_choose_the_same_key_do_not_meet(bundle: Bundle, world: World, another_world: World) -> None:
    colleague = holder_of(world, "keys:issue", owner=world.add_operator().ref)
    answers = [issue(bundle, world), issue(bundle, another_world)]
    answers.append(bundle.request("POST", "/v1/keys", under(KEY, colleague), json_body={"owner": operator_of(world)}))
    assert [answer.status for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 3


def test_after_24_hours_the_key_is_free(bundle: Bundle, world: World) -> None:
    first = issue(bundle, world)
    found = kept(world, world.bearer)
    assert found is not None
    assert found.expires_at_ms - world.key(first.json()["id"]).created_at_ms >= 86_400_000
    _end(world, found)
    assert issue(bundle, world, description="another day").status == 201
    assert len(keys_of(world)) == 2


def _end(world: World, answer: KeptAnswer) -> None:
    """Lets an answer's 24 hours be over."""
    now_ms = world.desk.clock.now_ms()
    over = KeptAnswer(**{name: getattr(answer, name) for name in answer.__slots__} | {"expires_at_ms": now_ms})
    world.desk.store.commit(KeepAnswer(over, answer.expires_at_ms))


def test_who_lost_the_scope_reads_no_answer_again(bundle: Bundle, world: World) -> None:
    caller = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:issue",))
    bearer = {"Authorization": f"Bearer {caller.token.reveal()}"}
    body = {"owner": operator_of(world)}
    assert bundle.request("POST", "/v1/keys", under(KEY, bearer), json_body=body).status == 201
    world.overwrite(caller.key, scopes=("keys:read",))
    refused(bundle.request("POST", "/v1/keys", under(KEY, bearer), json_body=body), "scope-missing")
    world.overwrite(world.key(caller.key.id), revoked_at_ms=1)
    refused(bundle.request("POST", "/v1/keys", under(KEY, bearer), json_body=body), "credentials-refused")


# --- refusals are not kept -----------------------------------------------------------------------------------------


def test_a_refusal_is_not_kept_and_a_retry_may_succeed(bundle: Bundle, world: World) -> None:
    rep = world.rep(login_enabled=False)
    body = {"owner": {"kind": "support_rep", "id": rep.id}, "kind": "rep_key"}
    caller = under(KEY, world.bearer)
    refused(
        bundle.request("POST", "/v1/keys", caller, json_body=body),
        "owner-not-eligible",
        "Login is not enabled for the support rep.",
    )
    assert kept(world, world.bearer) is None
    world.change(rep, login_enabled=True)
    assert bundle.request("POST", "/v1/keys", caller, json_body=body).status == 201


@pytest.mark.parametrize("body", [b"{", b'{"owner": 1}', b" " * 64_001])
def test_a_bad_body_is_not_kept(bundle: Bundle, world: World, body: bytes) -> None:
    headers = {**under(KEY, world.bearer), "Content-Type": "application/json"}
    assert bundle.request("POST", "/v1/keys", headers, body).status in {400, 413, 422}
    assert issue(bundle, world).status == 201


# --- what goes wrong on the way ------------------------------------------------------------------------------------


def test_a_retry_after_a_lost_answer_finds_what_was_done(
    bundle: Bundle, world: World, lose: Callable[[Fault | None], None]
) -> None:
    lose(Fault(error("InternalServerError", 500), committed=True))
    first = issue(bundle, world)
    lose(None)
    again = issue(bundle, world)
    assert again.status == 201
    if first.status == 201:
        same(first, again)
    else:
        refused(first, "unavailable")
    assert keys_of(world) == [again.json()["id"]]


def test_a_retry_after_a_commit_that_never_came_does_it(
    bundle: Bundle, world: World, lose: Callable[[Fault | None], None]
) -> None:
    lose(Fault(error("InternalServerError", 500)))
    refused(issue(bundle, world), "unavailable")
    assert keys_of(world) == []
    lose(None)
    assert issue(bundle, world).status == 201
    assert len(keys_of(world)) == 1


def test_when_the_secret_cannot_be_decrypted_nothing_is_told_and_a_later_retry_is_answered(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    first = issue(bundle, world)
    with monkeypatch.context() as down:
        down.setattr(
            stack.aws,
            "fault",
            lambda call: Fault(error("KMSInternalException", 500)) if call.operation == REVEAL else None,
        )
        refused(issue(bundle, world), "unavailable")
    same(first, issue(bundle, world))


def test_of_two_at_once_one_is_done_and_both_are_answered_alike(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second arrives after the first has read and before it commits."""
    arrivals = iter([True])
    second: list[Answer] = []

    def interleaved(call: Call) -> Fault | None:
        if call.operation == COMMIT and call.principal and next(arrivals, False):
            second.append(issue(bundle, world))
        return None

    monkeypatch.setattr(stack.aws, "fault", interleaved)
    first = issue(bundle, world)
    assert first.status == 201
    same(second[0], first)
    assert keys_of(world) == [first.json()["id"]]


# --- the header ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ['"{}"', "{}"])
def test_a_key_is_a_quoted_string_or_bare(bundle: Bundle, world: World, spelling: str) -> None:
    first = issue(bundle, world, spelling.format(KEY))
    same(first, issue(bundle, world, f'"{KEY}"'))
    same(first, issue(bundle, world, KEY))


@pytest.mark.parametrize("longest", ["k" * 255, '"' + "k" * 255 + '"', '"' + '\\"' * 255 + '"'])
def test_a_key_has_up_to_255_characters(bundle: Bundle, world: World, longest: str) -> None:
    same(issue(bundle, world, longest), issue(bundle, world, longest))


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", SHORT),
        ('""', SHORT),
        ("k" * 256, LONG),
        ('"' + "k" * 256 + '"', LONG),
        ("k" * 1_000_000, LONG),
        ("two words", INVALID),
        ("a,b", INVALID),
        ('"a", "b"', INVALID),
        ('"open', INVALID),
        ('"a\\b"', INVALID),
        ('"a";b=1', INVALID),
        ("clé".encode().decode("latin-1"), INVALID),
        ("a\tb", INVALID),
    ],
)
@pytest.mark.parametrize("name", REPEATABLE)
def test_what_is_no_key_is_refused_and_nothing_is_done(
    bundle: Bundle, house: World, name: str, key: str, problem: str
) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, house, under(key, holder_of(house, operation.scope)))
    fields_refused(answer, ("Idempotency-Key", problem))
    assert not {SEAL, COMMIT} & set(answer.calls)


@pytest.mark.parametrize("name", REPEATABLE)
def test_a_stranger_is_a_stranger_whatever_the_key(bundle: Bundle, house: World, name: str) -> None:
    for key in (KEY, "two words"):
        refused(OPERATIONS[name].ask(bundle, house, {"Idempotency-Key": key}), "credentials-missing")


@pytest.mark.parametrize("name", READS)
def test_what_only_reads_does_not_look_at_the_header(bundle: Bundle, house: World, name: str) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, house, under("two words", holder_of(house, operation.scope)))
    assert answer.status == operation.status, answer.text
