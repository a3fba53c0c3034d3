"""DELETE /v1/keys/{key_id}/links/{link_id}"""

from __future__ import annotations

import pytest

from keywright import handover
from keywright.model import KeyKind
from keywright.ports import LinkAt
from tests.bundle import Bundle
from tests.contract.native.desk import BATCH, COMMIT, link_to, refused
from tests.world import World


def test_a_revoked_link_opens_nothing_any_more(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    link, token = link_to(world, key)
    answer = bundle.request("DELETE", f"/v1/keys/{key.id}/links/{link.id}", world.bearer)
    assert (answer.status, answer.json()["state"], answer.calls) == (200, "revoked", (BATCH, COMMIT))
    assert bundle.request("GET", f"/h/{token}").status == 404
    assert bundle.request("POST", f"/h/{token}").status == 404


def test_once_more_changes_nothing(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    link, _ = link_to(world, key)
    target = f"/v1/keys/{key.id}/links/{link.id}"
    first = bundle.request("DELETE", target, world.bearer)
    again = bundle.request("DELETE", target, world.bearer)
    assert (again.status, again.body, again.calls) == (200, first.body, (BATCH,))


def test_an_opened_link_stays_opened(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    link, token = link_to(world, key)
    handover.open_link(world.desk, handover.find(world.desk, token), "192.0.2.7")
    answer = bundle.request("DELETE", f"/v1/keys/{key.id}/links/{link.id}", world.bearer)
    assert (answer.status, answer.json()["state"]) == (200, "opened")


@pytest.mark.parametrize("link_id", ["link_000000000000000000000000", "x", "link_", "%20", "l" * 2000])
def test_a_link_that_is_not_there_is_not_found(bundle: Bundle, world: World, link_id: str) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    refused(bundle.request("DELETE", f"/v1/keys/{key.id}/links/{link_id}", world.bearer), "link-not-found")


def test_a_link_is_found_at_its_own_key_only(bundle: Bundle, world: World, another_world: World) -> None:
    key, other = (world.issue(KeyKind.NATIVE, world.operator.ref).key for _ in range(2))
    link, _ = link_to(world, key)
    refused(bundle.request("DELETE", f"/v1/keys/{other.id}/links/{link.id}", world.bearer), "link-not-found")
    refused(bundle.request("DELETE", f"/v1/keys/{key.id}/links/{link.id}", another_world.bearer), "key-not-found")
    at = LinkAt(link.ref)
    assert world.desk.store.read(at)[at] == link
