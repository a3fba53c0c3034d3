"""POST /v1/keys/verify-batch"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle
from keywright.limits import Every, Quota
from keywright.model import KeyKind
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import BATCH, GET, INVALID, LONG, MISSING, UPDATE, fields_refused, holder_of
from tests.world import World

UNKNOWN_TOKEN = "00000000-0000-4000-8000-000000000000"


def verify(bundle: Bundle, world: World, *keys: Any) -> Answer:
    return bundle.request("POST", "/v1/keys/verify-batch", world.bearer, json_body={"keys": keys})


def results(answer: Answer) -> list[tuple[bool, str | None]]:
    assert answer.status == 200, answer.text
    return [(each["valid"], each["reason"]) for each in answer.json()["results"]]


def test_each_gets_the_verdict_that_it_would_get_alone_in_one_read_and_one_for_owners(
    bundle: Bundle, world: World, another_world: World
) -> None:
    app = world.app()
    native, dead, rep, app_key, secret, listed = (
        world.issue(KeyKind.NATIVE, world.operator.ref, metadata={"a": "b"}),
        world.issue(KeyKind.NATIVE, world.operator.ref),
        world.issue(KeyKind.REP_KEY, world.rep().ref),
        world.issue(KeyKind.APP_API_KEY, app.ref),
        world.issue(KeyKind.APP_SECRET, app.ref),
        world.issue(KeyKind.NATIVE, world.operator.ref, allowed_cidrs=("203.0.113.0/24",)),
    )
    opened, foreign = world.channel(app), another_world.issue(KeyKind.NATIVE, another_world.operator.ref)
    lifecycle.disable(world.desk, world.principal, dead.key)
    world.change(app, published=False)
    asked: list[dict[str, Any]] = [
        {"token": native.token.reveal()},
        {"token": dead.token.reveal()},
        {"header": {"name": "authtoken", "value": rep.token.reveal()}},
        {"token": app_key.token.reveal()},
        {"key_id": secret.key.id, "secret": secret.token.reveal()},
        {"key_id": native.key.id, "secret": secret.token.reveal()},
        {"app_key": opened.pairing.reveal(), "access_key": opened.token.reveal()},
        {"token": opened.token.reveal(), "bundle_name": "com.example.other"},
        {"token": listed.token.reveal(), "address": "203.0.113.9"},
        {"token": listed.token.reveal()},
        {"token": foreign.token.reveal()},
        {"token": UNKNOWN_TOKEN},
        {"token": "no token of ours"},
        {"header": {"name": "Accept", "value": "*/*"}},
    ]
    answer = verify(bundle, world, *asked)
    alone = [bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=each).json() for each in asked]
    assert answer.json()["results"] == alone
    assert results(answer) == [
        (True, None),
        (False, "disabled"),
        (True, None),
        (False, "owner_not_eligible"),
        (True, None),
        (False, "unknown"),
        (True, None),
        (False, "owner_not_eligible"),
        (True, None),
        (False, "address_not_allowed"),
        *[(False, "unknown")] * 4,
    ]
    assert answer.calls == (BATCH, BATCH)


def test_fifty_are_one_read(bundle: Bundle, world: World) -> None:
    tokens = [world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal() for _ in range(50)]
    answer = verify(bundle, world, *({"token": token} for token in tokens))
    assert (results(answer), answer.calls) == ([(True, None)] * 50, (BATCH,))


def test_limits_are_held_within_a_batch_too(bundle: Bundle, world: World) -> None:
    one, other = (world.issue(KeyKind.NATIVE, world.operator.ref, quota=Quota(3, Every.MONTH)) for _ in range(2))
    asked = [{"token": each.token.reveal()} for each in (one, other) * 5]
    answer = verify(bundle, world, *asked)
    for n in (0, 1):
        assert sorted(valid for valid, _ in results(answer)[n::2]) == [False, False, True, True, True]
    assert set(answer.calls) == {BATCH, UPDATE}


def test_without_the_right_to_know_no_refusal_has_a_reason(bundle: Bundle, world: World) -> None:
    keys = [{"token": world.operator_token}, {"token": UNKNOWN_TOKEN}]
    answer = bundle.request("POST", "/v1/keys/verify-batch", holder_of(world, "keys:verify"), json_body={"keys": keys})
    assert results(answer) == [(True, None), (False, None)]


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ([], ("keys", INVALID)),
        ([{"token": "x"}] * 51, ("keys", INVALID)),
        ([{"token": "x"}, {}], ("keys[1].token", MISSING)),
        ([{"token": "x"}, {"key_id": "x"}], ("keys[1].secret", MISSING)),
        ([{"token": "x"}, {"token": "x", "secret": "x"}], ("keys[1].token", INVALID)),
        ([{"key_id": "x" * 251, "secret": "x"}], ("keys[0].key_id", LONG)),
        ([{"token": "x", "dialect": "voltmx"}], ("keys[0].dialect", "There is no such field.")),
    ],
    ids=range(7),
)
def test_what_is_no_batch_is_refused_and_nothing_is_verified(
    bundle: Bundle, house: World, keys: list[Any], field: tuple[str, str]
) -> None:
    answer = verify(bundle, house, *keys)
    fields_refused(answer, field)
    assert answer.calls == (GET,)


def test_a_jwt_among_them_is_sent_to_the_other_endpoint(bundle: Bundle, house: World) -> None:
    answer = verify(bundle, house, {"token": "x"}, {"token": "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6ImFwcCJ9.c2ln"})
    assert (answer.status, answer.json()["detail"]) == (422, "POST /v1/jwt/verify verifies a JSON Web Token.")
    assert answer.json()["fields"][0]["field"] == "keys[1].token"


def test_while_a_part_cannot_be_read_there_is_no_verdict_at_all(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB may leave keys of a batch unprocessed: those are not unknown."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    down = Fault(error("ProvisionedThroughputExceededException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.operation == BATCH else None)
    answer = verify(bundle, world, {"token": UNKNOWN_TOKEN})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_of_one_owner_alone_it_reads_that_one(bundle: Bundle, world: World) -> None:
    rep_key = world.issue(KeyKind.REP_KEY, world.rep().ref)
    answer = verify(bundle, world, {"token": rep_key.token.reveal()})
    assert results(answer) == [(True, None)]
    assert answer.calls == (BATCH, GET)
