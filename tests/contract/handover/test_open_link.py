"""POST /h/{token}"""

from __future__ import annotations

from html import unescape

import pytest

from keywright.model import KeyKind
from keywright.ports import LinkAt
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.handover.test_show_link import is_a_page
from tests.contract.native.desk import link_to
from tests.world import World

GET, BATCH, REVEAL, COMMIT = "GetItem", "BatchGetItem", "Decrypt", "TransactWriteItems"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def shown(answer: Answer) -> str:
    return unescape(answer.text.split("<code>")[1].split("</code>")[0])


def test_the_click_shows_the_secret_once(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    _, token = link_to(world, issued.key)
    answer = bundle.request("POST", f"/h/{token}", FORM)
    is_a_page(answer, 200, "Your key")
    assert shown(answer) == issued.token.reveal()
    assert issued.key.id in answer.text
    assert answer.calls == (GET, BATCH, REVEAL, COMMIT)
    for method in ("GET", "POST", "POST"):
        again = bundle.request(method, f"/h/{token}", FORM)
        is_a_page(again, 410, "This link was opened already")
        assert issued.token.reveal() not in again.text
        assert REVEAL not in again.calls


@pytest.mark.parametrize("kind", [KeyKind.ACCESS_TOKEN, KeyKind.ACCOUNT_SECRET, KeyKind.NATIVE])
def test_a_secret_of_any_kind_is_shown_as_it_is(bundle: Bundle, world: World, kind: KeyKind) -> None:
    issued = world.issue(kind, world.operator.ref)
    _, token = link_to(world, issued.key)
    assert shown(bundle.request("POST", f"/h/{token}")) == issued.token.reveal()


def test_when_and_from_where_is_kept_and_recorded(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    _, token = link_to(world, issued.key)
    bundle.request("POST", f"/h/{token}", {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"})
    view = bundle.request("GET", f"/v1/keys/{issued.key.id}/links", world.bearer).json()["links"][0]
    assert (view["state"], view["opened_from"]) == ("opened", "127.0.0.1"), (
        "as the gateway saw it, not as a header says"
    )
    assert view["opened_at"] is not None


def test_of_two_the_one_who_commits_first_sees_it(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    _, token = link_to(world, issued.key)
    arrivals, second = iter([True]), []

    def interleaved(call: Call) -> Fault | None:
        if call.operation == COMMIT and call.principal and next(arrivals, False):
            second.append(bundle.request("POST", f"/h/{token}"))
        return None

    monkeypatch.setattr(stack.aws, "fault", interleaved)
    first = bundle.request("POST", f"/h/{token}")
    assert shown(second[0]) == issued.token.reveal()
    is_a_page(first, 410, "This link was opened already")
    assert issued.token.reveal() not in first.text


@pytest.mark.parametrize("operation", [GET, BATCH, REVEAL, COMMIT])
def test_what_does_not_answer_shows_nothing_and_spends_nothing(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    link, token = link_to(world, issued.key)
    with monkeypatch.context() as down:
        broken = Fault(error("InternalServerError", 500))
        down.setattr(stack.aws, "fault", lambda call: broken if call.operation == operation else None)
        answer = bundle.request("POST", f"/h/{token}")
    is_a_page(answer, 503, "Try again")
    assert answer.headers["retry-after"] == "1"
    assert issued.token.reveal() not in answer.text
    at = LinkAt(link.ref)
    assert world.desk.store.read(at)[at] == link
    assert shown(bundle.request("POST", f"/h/{token}")) == issued.token.reveal()
