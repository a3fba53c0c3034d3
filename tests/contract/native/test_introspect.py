"""POST /v1/introspect, as RFC 7662 has it"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import issuing, lifecycle
from keywright.limits import Every, Quota, RateLimit
from keywright.model import KeyKind
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import BATCH, GET, INVALID, MISSING, UPDATE, answered, fields_refused, refused
from tests.world import World

KINDS = ["native", "access_token", "account_secret", "app_secret", "rep_key", "app_api_key"]


def introspect(bundle: Bundle, world: World, token: str, **parameters: str) -> Answer:
    return bundle.request("POST", "/v1/introspect", world.bearer, form={"token": token, **parameters})


def issue(world: World, kind: str, **order: Any) -> issuing.Issued:
    owners = {"rep_key": world.rep, "app_secret": world.app, "app_api_key": world.app}
    owner = owners[kind]().ref if kind in owners else world.operator.ref  # type: ignore[operator]
    return world.issue(KeyKind(kind), owner, **order)


@pytest.mark.parametrize("kind", KINDS)
def test_an_active_token_says_whose_it_is_and_what_it_may_do(bundle: Bundle, world: World, kind: str) -> None:
    issued = issue(world, kind, scopes=("orders:read", "orders:list"), expires_at_ms=4_102_444_800_999)
    answer = introspect(bundle, world, issued.token.reveal())
    key = issued.key
    active = {
        "active": True,
        "scope": "orders:read orders:list",
        "client_id": key.id,
        "sub": key.owner.id,
        "exp": 4_102_444_800,
        "iat": key.created_at_ms // 1000,
        "token_type": "Bearer",
        "owner_kind": key.owner.kind.value,
        "kind": kind,
    }
    answered(answer, 200, active)


def test_what_is_not_there_is_left_out(bundle: Bundle, world: World) -> None:
    plain = introspect(bundle, world, issue(world, "native").token.reveal())
    assert {"exp", "external_id"}.isdisjoint(plain.json())
    assert plain.calls == (BATCH,)
    named = introspect(bundle, world, issue(world, "native", external_id="c-7").token.reveal())
    assert named.json()["external_id"] == "c-7"


def dead(world: World, state: str, kind: str) -> str:
    issued = issue(world, kind)
    match state:
        case "disabled":
            lifecycle.disable(world.desk, world.principal, issued.key)
        case "expired":
            world.expire(issued.key)
        case "revoked":
            lifecycle.revoke(world.desk, world.principal, issued.key)
        case "deleted":
            lifecycle.delete(world.desk, world.principal, issued.key)
    return issued.token.reveal()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["disabled", "expired", "revoked", "deleted"])
def test_of_a_token_that_is_over_nothing_else_is_told(bundle: Bundle, world: World, state: str, kind: str) -> None:
    answered(introspect(bundle, world, dead(world, state, kind)), 200, {"active": False})


def test_all_other_refusals_are_the_same_bytes(bundle: Bundle, world: World, another_world: World) -> None:
    listed = issue(world, "native", allowed_cidrs=("203.0.113.0/24",)).token.reveal()
    counted = issue(world, "native", quota=Quota(1, Every.MONTH)).token.reveal()
    paced = issue(world, "native", rate_limit=RateLimit(1, 3600, 1)).token.reveal()
    unpublished = issue(world, "app_api_key")
    world.change(world.app(), name="x")
    app = world.desk.store.owners(world.tenant, unpublished.key.owner.kind, prefix=unpublished.key.owner.id).items[0]
    world.change(app, published=False)
    for token in (counted, paced):
        assert introspect(bundle, world, token).json()["active"] is True
    for token in (
        "x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6ImFwcCJ9.c2ln",
        "00000000-0000-4000-8000-000000000000",
        another_world.operator_token,
        world.issue(KeyKind.OAUTH_CLIENT, world.operator.ref).token.reveal(),
        listed,
        counted,
        paced,
        unpublished.token.reveal(),
    ):
        answered(introspect(bundle, world, token), 200, {"active": False})


def test_it_is_a_use_like_any_other_and_the_address_may_be_told(bundle: Bundle, world: World) -> None:
    issued = issue(world, "native", allowed_cidrs=("203.0.113.0/24",), quota=Quota(5, Every.MONTH))
    answer = introspect(bundle, world, issued.token.reveal(), address="203.0.113.7")
    assert (answer.json()["active"], answer.calls[:2], answer.notes) == (True, (BATCH, UPDATE), 1)


def test_hints_and_unknown_parameters_are_ignored(bundle: Bundle, world: World) -> None:
    token = issue(world, "native").token.reveal()
    for parameters in ({"token_type_hint": "refresh_token"}, {"token_type_hint": "nonsense"}, {"extension": "x"}):
        assert introspect(bundle, world, token, **parameters).json()["active"] is True


def test_a_request_without_a_token_is_refused(bundle: Bundle, house: World) -> None:
    for form in ({"token": ""}, {"token_type_hint": "access_token"}):
        answer = bundle.request("POST", "/v1/introspect", house.bearer, form=form)
        fields_refused(answer, ("token", MISSING))
        assert answer.calls == (GET,)
    twice = bundle.request("POST", "/v1/introspect", house.bearer, form=[("token", "x"), ("token", "y")])
    fields_refused(twice, ("token", INVALID))
    fields_refused(introspect(bundle, house, "x", address="nowhere"), ("address", INVALID))


def test_the_token_comes_in_a_form_and_nowhere_else(bundle: Bundle, house: World) -> None:
    refused(bundle.request("POST", "/v1/introspect", house.bearer, json_body={"token": "x"}), "content-type-refused")
    query = bundle.request("POST", "/v1/introspect?token=x", house.bearer, body=b"", form=None)
    assert query.status in {400, 415}


def test_a_stranger_learns_nothing(bundle: Bundle, house: World) -> None:
    refused(bundle.request("POST", "/v1/introspect", form={"token": house.operator_token}), "credentials-missing")
