"""Each proof that asks the functions themselves finds what it is there to find: a bug is planted in the layer, found by
its proof, and without it nothing is. For the schedules and the crowds that is in `test_harness.py`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from keywright import edge, errors, lifecycle, replay, strict_json, warning
from keywright.access import Principal
from keywright.bootstrap import SystemClock
from keywright.dialects import native
from keywright.model import Event, Grant, Key, KeyKind, Reason
from keywright.ports import Desk
from local import demo
from tests.contract.test_tenancy import Event as Asked
from tests.reliability import test_boundaries, test_surfaces
from tests.reliability.endpoints import Rig, rig
from tests.reliability.hostile import good_requests
from tests.reliability.test_bad_input import House, handmade
from tests.reliability.test_boundaries import EXPIRES_MS, START_MS, Presented
from tests.reliability.test_mail import Post, Trouble
from tests.reliability.test_single_faults import told_in
from tests.reliability.test_surfaces import Stage, Surfaces
from tests.world import World

FUNCTION = "NativeRevokeKey"


@pytest.fixture(scope="module")
def at() -> Iterator[Rig]:
    with rig("888877776666", nearby=True) as opened:
        yield opened


# --- R14 -----------------------------------------------------------------------------------------------------------


def found(at: Rig, about: str) -> set[str]:
    """By what sort of finding bad input of this sort is found out."""
    house = House(at)
    sent = [each for each in handmade([*good_requests(FUNCTION)]) if re.search(about, each.what)]
    return {finding.partition(" [")[0] for each in sent[:40] for finding in house.findings(each)}


@pytest.mark.parametrize("about", ["authorization", "broken body", "space behind", "^also"])
def test_without_a_bug_bad_input_finds_nothing(at: Rig, about: str) -> None:
    assert found(at, about) == set()


def test_a_refusal_that_repeats_what_was_presented_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = type(native.SURFACE).refuse

    def leaks(self: Any, refusals: Sequence[errors.KeywrightError], request: edge.Request) -> Any:
        response = refuse(self, refusals, request)
        response.body = json.dumps({**json.loads(response.body or ""), "detail": request.header("authorization")})
        return response

    monkeypatch.setattr(type(native.SURFACE), "refuse", leaks)
    assert "it repeats what was presented" in found(at, "authorization")


def test_a_fault_that_bad_input_brings_out_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(strict_json, "_check_depth", fails)
    assert "status 500" in found(at, "broken body")


def test_a_second_spelling_of_an_id_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    trims = property(lambda self: {name: value.strip() for name, value in self.event.path_parameters.items()})
    monkeypatch.setattr(edge.Request, "path_parameters", trims)
    assert "it was accepted" in found(at, "space behind")


def test_a_refusal_that_writes_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def writes(_: object) -> list[errors.KeywrightError]:
        at.table.fill([{"pk": {"S": "TOKEN#planted"}, "sk": {"S": "TOKEN"}}])
        return [errors.BodyUnreadable()]

    monkeypatch.setattr(edge, "refusals_of", writes)
    assert "a refusal has written" in found(at, "^also")


# --- R13 -----------------------------------------------------------------------------------------------------------


def walk(at: Rig, patch: pytest.MonkeyPatch) -> None:
    at.begin()
    test_surfaces.STAGE = Stage(at, patch)
    run_state_machine_as_test(
        seed(7)(Surfaces),
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=[*HealthCheck],
        ),
    )


def test_a_surface_that_says_something_else_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a disabled key for a good one."""
    refusal = Grant.refusal

    def lax(self: Grant, now_ms: int) -> Reason | None:
        reason = refusal(self, now_ms)
        return None if reason is Reason.DISABLED else reason

    with monkeypatch.context() as patch:
        patch.setattr(Grant, "refusal", lax)
        with pytest.raises(AssertionError):
            walk(at, patch)


# --- R10 -----------------------------------------------------------------------------------------------------------


def test_a_lost_mail_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SES does not take now is passed over."""
    post = Post.laid_out(at)
    mail = warning.mail_warnings

    def forgets(desk: Desk, events: Sequence[Event], **more: Any) -> frozenset[str]:
        mail(desk, events, **more)
        return frozenset()

    own, at.stack.aws.fault, at.stack.aws.watch = at.stack.aws.fault, post.fault, post.watch
    try:
        post.begin(Trouble("TooManyRequestsException", times=3))
        post.deliver()
        assert post.lost() == set()
        monkeypatch.setattr(warning, "mail_warnings", forgets)
        post.begin(Trouble("TooManyRequestsException", times=3))
        post.deliver()
        assert post.lost() == {post.subjects[0]}
    finally:
        at.stack.aws.fault, at.stack.aws.watch = own, lambda *_: None


# --- T9 ------------------------------------------------------------------------------------------------------------


def again(at: Rig) -> tuple[int | None, list[str]]:
    """What another request under the same key is answered, and what the table then holds that it must not."""
    at.begin()
    first, other = at.call("NativeIssueKey"), at.call("NativeIssueKey", body='{"another": "request"}')
    return other.status, at.violations(told_in(first))


def test_an_answer_that_is_given_to_another_request_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert again(at) == (422, [])
    monkeypatch.setattr("hmac.compare_digest", lambda *_: True)
    assert again(at) == (201, [])


def test_an_answer_that_is_kept_with_its_secret_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay._Watched, "cut", lambda _, body: ((body,), ()))
    _, violations = again(at)
    assert {each[0] for each in violations} == {"g"}


# --- P2, P9 --------------------------------------------------------------------------------------------------------


def test_a_key_that_lasts_a_millisecond_longer_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    now, refusal = [START_MS], Grant.refusal
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: now[0])
    at.begin()
    verify = Presented(at, World(demo.desk(at.stack)), KeyKind.NATIVE).surfaces()["verify"]
    now[0] = EXPIRES_MS
    assert not verify()
    monkeypatch.setattr(Grant, "refusal", lambda self, now_ms: refusal(self, now_ms - 1))
    assert verify()


def test_a_tenant_that_can_be_told_from_nobody_is_found(at: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    house, event = test_boundaries.House(at), Asked("NativeGetKey")
    (asked,) = [each for each in event.requests() if each.where.startswith("path")]
    theirs, nobodys = house.neighbour.ids["native id"], house.neighbour.unknown("native id")
    assert house.ask(event, asked.fill, theirs) == house.ask(event, asked.fill, nobodys)

    def own(_: Principal, key: Key | None) -> Key:
        if key is None:
            raise errors.KeyNotFound
        return key

    monkeypatch.setattr(lifecycle, "own", own)
    assert house.ask(event, asked.fill, theirs) != house.ask(event, asked.fill, nobodys)
