"""What the vendors' dialects share: each choice COM-1 to COM-8 of docs/dialects/common.md that one test can show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from moto.dynamodb.models import dynamodb_backends

from keywright.model import KeyKind
from local.gateway import Router
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.salesiq.portal import Portal
from tests.contract.supportcenter.administrator import Administrator, details_of
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
PREFIXES = (
    "/api/v2",
    "/oauth/v2/token",
    "/api/json",
    "/api/xml",
    "/sdpapi",
    "/api/v3",
    "/v2",
    "/sc/v2",
    "/api/v1/applications/key",
    "/authService",
)
STRANGE = {
    "salesiq": ("GET", "/api/v2/orchard-labs/conversations", 200, '"code": 1006'),
    "supportcenter json": ("POST", "/api/json/addRequest", 200, '"statuscode": 5112'),
    "supportcenter xml": ("POST", "/api/xml/addRequest", 200, "<statuscode>5112</statuscode>"),
    "supportcenter V1": ("POST", "/sdpapi/request", 200, "<status>Failed</status>"),
    "supportcenter V3": ("GET", "/api/v3/requests", 404, '"status_code": 4000'),
    "sunshine": ("POST", "/v2/apps/a/conversations", 404, '"not_found"'),
    "sunshine at /sc": ("POST", "/sc/v2/apps/a/conversations", 404, '"not_found"'),
    "voltmx": ("POST", "/api/v1/applications/key/a/b/c", 404, "Invalid URL"),
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_com_1_no_authorizer_stands_before_a_vendors_endpoint(stack: Stack, prefix: str) -> None:
    routes = [route for route in stack.template.routes if f"{route.path}/".startswith(f"{prefix}/")]
    assert routes
    assert {route.authorizer for route in routes} == {None}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_com_1_every_prefix_has_its_catch_all(stack: Stack, prefix: str) -> None:
    router = Router(stack.template.routes)
    inside = prefix if prefix == "/oauth/v2/token" else f"{prefix}/no/such/path"
    found = router.match("OPTIONS", inside)
    assert found is not None
    assert found.route.function.endswith("RefuseUnknownPath")


def test_com_1_paths_are_served_from_the_default_stage() -> None:
    """So none begins with the stage's name, which no vendor's client knows."""
    assert re.findall(r"StageName: (\S+)", (ROOT / "template.yaml").read_text()) == ["$default"]


@pytest.mark.parametrize(("method", "path", "status", "words"), STRANGE.values(), ids=STRANGE)
def test_com_2_no_business_operation_of_a_vendor_is_served(
    bundle: Bundle, method: str, path: str, status: int, words: str
) -> None:
    answer = bundle.request(method, path)
    assert answer.status == status
    assert words in answer.text
    assert answer.calls == ()


@pytest.fixture
def portal(bundle: Bundle, world: World) -> Portal:
    return Portal(bundle, world)


@pytest.fixture
def administrator(bundle: Bundle, world: World) -> Administrator:
    rep = world.rep("priya.rao", name="Priya Rao")
    return Administrator(bundle, world, rep, world.issue(KeyKind.REP_KEY, rep.ref))


def test_com_3_what_is_shown_again_lies_in_the_table_as_ciphertext_alone(
    stack: Stack, portal: Portal, administrator: Administrator
) -> None:
    data = portal.create_channel().json()["data"]
    administrator.world.rep("meera.nair")
    secrets = {
        data["app_key"],
        data["access_keys"][0]["key"],
        details_of(administrator.generate(supportRep="meera.nair"))["apikey"],
    }
    assert {data["app_key"], data["access_keys"][0]["key"]} <= set(re.findall(r'"([^"]{50,})"', shown(portal)))
    # From moto's own memory: it sorts the whole table of a session for every page of a scan.
    backend = dynamodb_backends[stack.template.account][stack.template.region]
    items = [item.to_json() for table in backend.tables.values() for item in table.all_items()]
    everything = str(items).lower()
    assert items
    assert not [secret for secret in secrets if secret.lower() in everything]


def shown(portal: Portal) -> str:
    return portal.ask("get_channel").text


@pytest.mark.parametrize("case", ["a JSON member", "a parameter of the form", "a parameter of the query"])
def test_com_6_unknown_members_are_refused_and_unknown_parameters_ignored(
    portal: Portal, administrator: Administrator, case: str
) -> None:
    administrator.world.rep("meera.nair")
    match case:
        case "a JSON member":
            answer = portal.ask("create_channel", json_body={"bundle_name": "a", "colour": "red"})
            assert answer.json()["error"]["code"] == 1007
        case "a parameter of the form":
            assert is_success(administrator.generate(supportRep="meera.nair", colour="red"))
        case _:
            target = f"/api/json/listApiKeys?apikey={administrator.apikey}&colour=red"
            assert is_success(administrator.bundle.request("GET", target))


def is_success(answer: Answer) -> bool:
    return bool(answer.json()["response"]["result"]["status"] == "Success")


def test_com_6_the_order_of_members_is_free(portal: Portal) -> None:
    for body in ('{"token": "x", "bundle_name": "y"}', '{"bundle_name": "y", "token": "x"}'):
        headers = {**portal.world.bearer, "Content-Type": "application/json"}
        answer = portal.bundle.request("POST", "/v1/keys/verify", headers, body)
        assert answer.json()["reason"] == "unknown"


def test_com_7_a_revocation_is_in_force_when_its_call_returns(portal: Portal, administrator: Administrator) -> None:
    """Each way to end a key, and the very next verification."""
    data = portal.create_channel().json()["data"]
    key = data["access_keys"][0]["key"]
    assert portal.verifies(key)
    portal.ask("update_access_key", json_body={"enabled": "false"})
    assert not portal.verifies(key)
    portal.ask("update_access_key", json_body={"enabled": "true"})
    assert portal.verifies(key)
    portal.ask("delete_access_key")
    assert not portal.verifies(key)

    administrator.world.rep("meera.nair")
    former = details_of(administrator.generate(supportRep="meera.nair"))["apikey"]
    assert administrator.verify(former)["valid"]
    new = details_of(administrator.regenerate(supportRep="meera.nair"))["apikey"]
    assert (administrator.verify(former)["valid"], administrator.verify(new)["valid"]) == (False, True)
    administrator.delete(supportRep="meera.nair")
    assert not administrator.verify(new)["valid"]
