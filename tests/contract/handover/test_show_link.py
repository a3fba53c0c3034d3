"""GET /h/{token}"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, datetime

import pytest

from keywright import handover, lifecycle
from keywright.model import KeyKind
from keywright.ports import LinkAt
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import link_to
from tests.world import World

GET, BATCH = "GetItem", "BatchGetItem"


def is_a_page(answer: Answer, status: int, title: str) -> None:
    """Plain, kept by nobody, and able to do nothing but send its form home."""
    assert answer.status == status
    assert f"<h1>{title}</h1>" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "<script" not in answer.text
    assert "http" not in answer.text
    style = re.search(r"<style>(.*)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def test_a_waiting_link_shows_a_button_and_until_when_it_works(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    link, token = link_to(world, issued.key)
    answer = bundle.request("GET", f"/h/{token}")
    is_a_page(answer, 200, "A key is waiting for you")
    assert answer.calls == (GET, BATCH)
    assert '<form method="post">\n<button>Show the key</button>\n</form>' in answer.text
    assert datetime.fromtimestamp(link.expires_at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") in answer.text
    for told in (issued.token.reveal(), issued.key.id, world.tenant, token):
        assert told not in answer.text


def test_scanners_may_open_it_as_often_as_they_like(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    link, token = link_to(world, issued.key)
    pages = {bundle.request("GET", f"/h/{token}").body for _ in range(5)}
    assert len(pages) == 1
    at = LinkAt(link.ref)
    assert world.desk.store.read(at)[at] == link


def test_what_leads_nowhere_is_one_page_whatever_it_was(bundle: Bundle, world: World) -> None:
    key, ended = (world.issue(KeyKind.NATIVE, world.operator.ref).key for _ in range(2))
    over = link_to(world, key, expires_at_ms=1)[1]
    link, revoked = link_to(world, key)
    handover.revoke(world.desk, world.principal, key, link)
    of_no_key = link_to(world, ended)[1]
    lifecycle.revoke(world.desk, world.principal, ended)
    answers = [
        bundle.request(method, f"/h/{token}")
        for method in ("GET", "POST")
        for token in (over, revoked, of_no_key, "A" * 43, "x", "%20", "A" * 5000)
    ]
    for answer in answers:
        is_a_page(answer, 404, "This link leads nowhere")
        assert (answer.body, answer.headers) == (answers[0].body, answers[0].headers)


@pytest.mark.parametrize("spoiled", ["%0A", "%00", "%7F"])
def test_a_control_character_makes_it_another_address(bundle: Bundle, world: World, spoiled: str) -> None:
    _, token = link_to(world, world.issue(KeyKind.NATIVE, world.operator.ref).key)
    answer = bundle.request("GET", f"/h/{token}{spoiled}")
    is_a_page(answer, 404, "This link leads nowhere")
    assert answer.calls == ()
