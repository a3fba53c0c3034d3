"""native.create_first_operator: no route leads here, so what it takes is the payload of an invocation."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from keywright import errors
from keywright.registry import INSTALLATION_SCOPES
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.native.desk import COMMIT, SEAL, key_view, rfc3339
from tests.world import World

FUNCTION = "NativeCreateFirstOperator"


def test_no_route_leads_to_it(stack: Stack) -> None:
    assert FUNCTION not in {route.function for route in stack.template.routes}


def test_the_first_operator_may_do_everything_and_open_tenants(bundle: Bundle, stack: Stack, world: World) -> None:
    tenant = f"first-{world.tenant}"
    stack.aws.clear()
    made = bundle.invoke(FUNCTION, {"id": tenant, "name": "Headquarters", "operator_name": "Imani"}).payload
    assert [call.operation for call in stack.aws.calls] == [SEAL, COMMIT]
    key = world.key(made["key"]["id"])
    at = rfc3339(key.created_at_ms)
    assert made == {
        "tenant": {"id": tenant, "name": "Headquarters", "created_at": at},
        "operator": {
            "id": made["operator"]["id"],
            "name": "Imani",
            "created_at": at,
            "modified_at": at,
            "kind": "operator",
            "email": "",
            "enabled": True,
        },
        "key": {**key_view(key), "token": made["key"]["token"]},
    }
    assert key.scopes == INSTALLATION_SCOPES
    assert key.owner.id == key.creator.id == made["operator"]["id"]
    caller = {"Authorization": f"Bearer {made['key']['token']}"}
    body = {"id": f"second-{world.tenant}", "name": "Riverside", "operator_name": "Ama"}
    assert bundle.request("POST", "/v1/tenants", caller, json_body=body).status == 201


def test_a_second_invocation_hands_out_nothing(bundle: Bundle, world: World) -> None:
    body = {"id": world.tenant, "name": "Headquarters", "operator_name": "Mallory"}
    before = list(world.desk.store.keys_of(world.operator.ref).items)
    with pytest.raises(errors.TenantExists):
        bundle.invoke(FUNCTION, body)
    assert list(world.desk.store.keys_of(world.operator.ref).items) == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "Head Quarters", "name": "Headquarters", "operator_name": "Imani"},
        {"id": "hq", "name": "Headquarters", "operator_name": "Imani", "scopes": ["*"]},
        {"version": "2.0", "routeKey": "POST /v1/tenants", "body": "{}"},
    ],
    ids=range(4),
)
def test_another_payload_is_refused_and_aws_not_asked(bundle: Bundle, stack: Stack, body: dict[str, object]) -> None:
    stack.aws.clear()
    with pytest.raises(ValidationError):
        bundle.invoke(FUNCTION, body)
    assert stack.aws.calls == []
