"""Native keys are for owners of any kind, and every endpoint does its deed to the keys of each.

The keys of a channel or a support rep lie beside their owner and not in a list of their own, so these are other rows,
and rights of their own.
"""

from __future__ import annotations

import pytest

from keywright import issuing
from keywright.model import KeyKind, OwnerKind, OwnerRef
from tests.bundle import Bundle
from tests.world import World

HOUR = 3600


def owner_of(world: World, kind: OwnerKind) -> OwnerRef:
    match kind:
        case OwnerKind.OPERATOR:
            return world.add_operator().ref
        case OwnerKind.APP:
            return world.app().ref
        case OwnerKind.CHANNEL:
            return world.channel(world.app()).channel.ref
        case OwnerKind.INTEGRATION:
            return world.integration(world.app()).ref
        case OwnerKind.SUPPORT_REP:
            return world.rep().ref


def issued(world: World, kind: OwnerKind) -> issuing.Issued:
    return world.issue(KeyKind.NATIVE, owner_of(world, kind))


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_key_is_issued_listed_changed_and_switched_whoever_owns_it(
    bundle: Bundle, world: World, kind: OwnerKind
) -> None:
    owner = owner_of(world, kind)
    named = {"kind": owner.kind.value, "id": owner.id}
    answer = bundle.request("POST", "/v1/keys", world.bearer, json_body={"owner": named})
    assert answer.status == 201, answer.text
    at = f"/v1/keys/{answer.json()['id']}"
    changed = bundle.request("PATCH", at, world.bearer, json_body={"description": "till"})
    assert (changed.status, changed.json()["description"]) == (200, "till")
    for deed, state in (("disable", "disabled"), ("enable", "active"), ("revoke", "revoked")):
        switched = bundle.request("POST", f"{at}/{deed}", world.bearer)
        assert (switched.status, switched.json()["state"]) == (200, state)
    query = f"/v1/keys?owner_kind={owner.kind}&owner_id={owner.id.replace(':', '%3A')}&kind=native"
    listed = bundle.request("GET", query, world.bearer).json()["keys"]
    assert [key["state"] for key in listed] == ["revoked"]


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_rotation_is_begun_extended_and_cancelled_or_finished_whoever_owns_the_key(
    bundle: Bundle, world: World, kind: OwnerKind
) -> None:
    at = f"/v1/keys/{issued(world, kind).key.id}"
    for last, versions in (("cancel", [1]), ("finish", [3])):
        for step in ("rotate", "rotation/extend"):
            answer = bundle.request("POST", f"{at}/{step}", world.bearer, json_body={"overlap_seconds": HOUR})
            assert answer.status == 200, (step, answer.text)
        answer = bundle.request("POST", f"{at}/rotation/{last}", world.bearer)
        assert answer.status == 200, (last, answer.text)
        assert [each["version"] for each in answer.json()["versions"]] == versions


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_key_is_deleted_and_had_back_whoever_owns_it(bundle: Bundle, world: World, kind: OwnerKind) -> None:
    at = f"/v1/keys/{issued(world, kind).key.id}"
    assert bundle.request("DELETE", at, world.bearer).status == 204
    assert bundle.request("GET", at, world.bearer).status == 404
    answer = bundle.request("POST", f"{at}/undelete", world.bearer)
    assert (answer.status, answer.json()["state"]) == (200, "active")


@pytest.mark.parametrize("kind", OwnerKind)
def test_whoever_holds_a_key_ends_it_whoever_owns_it(bundle: Bundle, world: World, kind: OwnerKind) -> None:
    key = issued(world, kind)
    assert bundle.request("POST", "/v1/keys/revoke-self", form={"token": key.token.reveal()}).status == 200
    assert world.key(key.key.id).revoked_at_ms is not None


@pytest.mark.parametrize("kind", OwnerKind)
def test_an_owner_goes_with_all_its_keys(bundle: Bundle, world: World, kind: OwnerKind) -> None:
    key = issued(world, kind).key
    at = f"/v1/owners/{key.owner.kind}/{key.owner.id.replace(':', '%3A')}"
    assert bundle.request("DELETE", at, world.bearer).json() == {"removed": True}
    assert world.key(key.id).deleted_at_ms is not None
