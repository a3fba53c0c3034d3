"""GET /v1/owners"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from keywright.model import KeyKind, SupportRep
from tests.bundle import Bundle
from tests.contract.native.desk import GET, INVALID, LONG, MISSING, QUERY, TYPE, answered, fields_refused, rfc3339
from tests.world import World


def rep_view(rep: SupportRep) -> dict[str, object]:
    return {
        "id": rep.id,
        "name": rep.name,
        "created_at": rfc3339(rep.created_at_ms),
        "modified_at": rfc3339(rep.modified_at_ms),
        "kind": "support_rep",
        "login_enabled": rep.login_enabled,
        "role": rep.role,
        "business_unit": rep.business_unit,
        "contact": rep.contact,
    }


def test_owners_of_one_kind_are_listed_by_id(bundle: Bundle, world: World, another_world: World) -> None:
    reps = [world.rep(login) for login in ("zoe", "Meera", "meera, nair", "meera")]
    world.issue(KeyKind.REP_KEY, reps[0].ref)
    world.app()
    another_world.rep("eva")
    answer = bundle.request("GET", "/v1/owners?kind=support_rep", world.bearer)
    answered(answer, 200, {"owners": [rep_view(rep) for rep in sorted(reps, key=lambda rep: rep.id)], "next": None})
    assert answer.calls == (GET, QUERY)


@pytest.mark.parametrize("kind", ["operator", "app", "channel", "integration", "support_rep"])
def test_every_kind_is_listed_without_anything_sealed(bundle: Bundle, world: World, kind: str) -> None:
    opened = world.channel(world.app())
    world.integration(opened.app)
    world.rep()
    answer = bundle.request("GET", f"/v1/owners?kind={kind}", world.bearer)
    (owner,) = answer.json()["owners"]
    assert owner["kind"] == kind
    assert not {"pairing", "pairing_id", "code", "revision", "tenant"} & owner.keys()
    assert opened.pairing.digest not in answer.text


def test_pages_lead_through_the_whole_list_past_the_keys_beside_the_reps(bundle: Bundle, world: World) -> None:
    reps = [world.rep(f"rep, {number}") for number in range(5)]
    for rep in reps[:3]:
        world.issue(KeyKind.REP_KEY, rep.ref)
        world.issue(KeyKind.NATIVE, rep.ref)
    found, after = [], ""
    for _ in range(10):
        page = bundle.request(
            "GET", f"/v1/owners?kind=support_rep&limit=2{after and f'&after={quote(after)}'}", world.bearer
        ).json()
        assert len(page["owners"]) <= 2
        found += page["owners"]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == [rep_view(rep) for rep in reps]


def test_a_tenant_without_owners_of_a_kind_has_an_empty_list(bundle: Bundle, house: World) -> None:
    answered(bundle.request("GET", "/v1/owners?kind=channel", house.bearer), 200, {"owners": [], "next": None})


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", [("kind", MISSING)]),
        ("?kind=", [("kind", INVALID)]),
        ("?kind=nobody", [("kind", INVALID)]),
        ("?kind=app&kind=app", [("kind", INVALID)]),
        ("?kind=app&limit=0", [("limit", INVALID)]),
        ("?kind=app&limit=101", [("limit", INVALID)]),
        ("?kind=app&limit=ten", [("limit", TYPE)]),
        (f"?kind=app&after={'x' * 401}", [("after", LONG)]),
        (f"?kind=app&after={quote(chr(0x1F600) * 300)}", [("after", INVALID)]),
    ],
    ids=range(9),
)
def test_a_parameter_at_fault_is_named(bundle: Bundle, house: World, query: str, fields: list[tuple[str, str]]) -> None:
    answer = bundle.request("GET", f"/v1/owners{query}", house.bearer)
    fields_refused(answer, *fields)
    assert answer.calls == (GET,)
