"""POST /v1/tenants"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import registry
from keywright.ports import TenantRef
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    COMMIT,
    GET,
    INVALID,
    LONG,
    MISSING,
    SEAL,
    SHORT,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    key_view,
    refused,
    rfc3339,
)
from tests.world import World

GOOD = {"id": "riverside", "name": "Riverside Traders", "operator_name": "Ama Owusu"}


def create(bundle: Bundle, world: World, **body: Any) -> Answer:
    return bundle.request("POST", "/v1/tenants", holder_of(world, "installation:tenants"), json_body=body)


@pytest.mark.parametrize("email", [None, "", "ama@example.com"])
def test_a_tenant_comes_with_its_first_operator_and_that_operators_key(
    bundle: Bundle, world: World, email: str | None
) -> None:
    tenant = f"next-{world.tenant}"
    answer = create(bundle, world, **{**GOOD, "id": tenant}, **({} if email is None else {"operator_email": email}))
    made = answer.json()
    key = world.key(made["key"]["id"])
    at = rfc3339(key.created_at_ms)
    answered(
        answer,
        201,
        {
            "tenant": {"id": tenant, "name": "Riverside Traders", "created_at": at},
            "operator": {
                "id": made["operator"]["id"],
                "name": "Ama Owusu",
                "created_at": at,
                "modified_at": at,
                "kind": "operator",
                "email": email or "",
                "enabled": True,
            },
            "key": {**key_view(key), "token": made["key"]["token"]},
        },
    )
    assert answer.calls == (GET, SEAL, COMMIT)
    assert (key.tenant, key.scopes, key.description) == (tenant, ("*",), "first key")


def test_the_new_operator_may_do_everything_within_its_tenant_and_nothing_beyond(bundle: Bundle, world: World) -> None:
    made = create(bundle, world, **{**GOOD, "id": f"next-{world.tenant}"}).json()
    theirs = {"Authorization": f"Bearer {made['key']['token']}"}
    listed = bundle.request("GET", "/v1/owners?kind=operator", theirs)
    assert [each["name"] for each in listed.json()["owners"]] == ["Ama Owusu"]
    refused(bundle.request("POST", "/v1/tenants", theirs, json_body=GOOD), "scope-missing")
    verdict = bundle.request("POST", "/v1/keys/verify", theirs, json_body={"token": world.operator_token})
    assert verdict.json()["reason"] == "unknown"


def test_a_tenant_that_exists_is_refused_and_nothing_is_handed_out(bundle: Bundle, world: World) -> None:
    before = list(world.desk.store.keys_of(world.operator.ref).items)
    caller = holder_of(world, "installation:tenants")
    answer = bundle.request("POST", "/v1/tenants", caller, json_body={**GOOD, "id": world.tenant})
    refused(answer, "tenant-exists")
    assert len(world.desk.store.keys_of(world.operator.ref).items) == len(before) + 1  # the caller's
    assert registry.owner_at(world.desk, world.operator.ref) == world.operator


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"id": None}, [("id", TYPE)]),
        ({"id": ""}, [("id", INVALID)]),
        ({"id": "Riverside"}, [("id", INVALID)]),
        ({"id": "-riverside"}, [("id", INVALID)]),
        ({"id": "riverside-"}, [("id", INVALID)]),
        ({"id": "river_side"}, [("id", INVALID)]),
        ({"id": "river side"}, [("id", INVALID)]),
        ({"id": "riverside\n"}, [("id", INVALID)]),
        ({"id": "a" * 64}, [("id", INVALID)]),
        ({"id": "a#b"}, [("id", INVALID)]),
        ({"id": "\u0430bc"}, [("id", INVALID)]),
        ({"name": ""}, [("name", SHORT)]),
        ({"name": "x" * 251}, [("name", LONG)]),
        ({"name": "a\tb"}, [("name", INVALID)]),
        ({"operator_name": "a\u007fb"}, [("operator_name", INVALID)]),
        ({"operator_email": "no address"}, [("operator_email", INVALID)]),
        ({"operator_email": "a@b\r\nBcc: c@d"}, [("operator_email", INVALID)]),
        ({"operator_email": "a@b@c"}, [("operator_email", INVALID)]),
        ({"operator_email": "a@" + "b" * 253}, [("operator_email", LONG)]),
        ({"scopes": ["*"]}, [("scopes", UNKNOWN)]),
    ],
    ids=range(20),
)
def test_a_field_at_fault_is_named_and_nothing_is_written(
    bundle: Bundle, house: World, change: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    answer = create(bundle, house, **{**GOOD, **change})
    fields_refused(answer, *fields)
    assert answer.calls == (GET,)


def test_every_missing_field_is_named(bundle: Bundle, house: World) -> None:
    fields_refused(create(bundle, house), ("id", MISSING), ("name", MISSING), ("operator_name", MISSING))


@pytest.mark.parametrize("tenant", ["a", "7", "a-b", "a" * 63])
def test_a_short_name_is_lower_case_letters_digits_and_hyphens_between(
    bundle: Bundle, world: World, tenant: str
) -> None:
    caller = holder_of(world, "installation:tenants")
    answer = bundle.request("POST", "/v1/tenants", caller, json_body={**GOOD, "id": tenant})
    assert answer.status == 201, answer.text
    found = world.desk.store.read(TenantRef(tenant))[TenantRef(tenant)]
    assert found is not None
