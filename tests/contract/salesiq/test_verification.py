"""How the pair is used and verified: what POST /v1/keys/verify says to a service that is shown one"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from keywright.model import KeyKind
from tests.contract.native.desk import fields_refused
from tests.contract.salesiq.portal import MESSAGES, PLATFORMS, Portal

BUNDLE = "com.mobile.zylker"


@pytest.fixture
def pair(opened: Portal) -> dict[str, str]:
    data = opened.ask("get_channel").json()["data"]
    return {"app_key": data["app_key"], "access_key": data["access_keys"][0]["key"]}


@pytest.mark.parametrize("kind", PLATFORMS)
def test_siq_8_a_pair_passes_with_the_bundle_name_of_its_channel(opened: Portal, kind: str) -> None:
    data = opened.ask("get_channel", kind).json()["data"]
    for spelling in (data["access_keys"][0]["key"], unquote(data["access_keys"][0]["key"])):
        alone = opened.verify(app_key=data["app_key"], access_key=spelling)
        assert alone["valid"] is True
        assert opened.verify(app_key=data["app_key"], access_key=spelling, bundle_name=BUNDLE) == alone
        assert opened.verify(token=spelling, bundle_name=BUNDLE) == alone


@pytest.mark.parametrize("bundle_name", ["", "com.mobile", "COM.MOBILE.ZYLKER", f"{BUNDLE} ", "ä"])
def test_another_bundle_name_does_not(opened: Portal, pair: dict[str, str], bundle_name: str) -> None:
    verdict = opened.verify(**pair, bundle_name=bundle_name)
    assert (verdict["valid"], verdict["reason"]) == (False, "owner_not_eligible")
    assert verdict["key_id"] == opened.verify(**pair)["key_id"]
    assert opened.verify(token=pair["access_key"], bundle_name=bundle_name) == verdict


def test_the_bundle_name_is_that_of_the_keys_own_channel(portal: Portal) -> None:
    android = portal.create_channel("android", "com.example.a").json()["data"]
    ios = portal.create_channel("ios", "com.example.i").json()["data"]
    pair = {"app_key": android["app_key"], "access_key": ios["access_keys"][0]["key"]}
    assert portal.verify(**pair, bundle_name="com.example.i")["valid"] is True
    assert portal.verify(**pair, bundle_name="com.example.a")["valid"] is False


def test_nothing_but_an_access_key_is_of_a_bundle(portal: Portal) -> None:
    native = portal.world.issue(KeyKind.NATIVE, portal.app.ref).token.reveal()
    for token in (native, portal.token):
        assert portal.verify(token=token, bundle_name=BUNDLE)["reason"] == "owner_not_eligible"
    assert portal.verify(token="unknown", bundle_name=BUNDLE)["reason"] == "unknown"


@pytest.mark.parametrize("value", [5, True, ["a"], "x" * 256], ids=lambda value: str(value)[:9])
def test_a_bundle_name_is_a_string_of_255_characters_at_most(untouched: Portal, value: Any) -> None:
    body = {"token": "any", "bundle_name": value}
    answer = untouched.bundle.request("POST", "/v1/keys/verify", untouched.world.bearer, json_body=body)
    problem = "A field is too long." if isinstance(value, str) else "A field has a wrong type."
    fields_refused(answer, ("bundle_name", problem))


def test_siq_8_every_cause_has_the_vendors_one_refusal(opened: Portal, pair: dict[str, str]) -> None:
    """Refusal, one for all causes."""
    asked = {**pair, "dialect": "salesiq"}
    assert opened.verify(**asked)["valid"] is True
    other_kind = {"token": opened.token, "dialect": "salesiq"}
    refused = [
        opened.verify(**{**asked, "app_key": "0" * 64}),
        opened.verify(**{**asked, "access_key": "nothing of ours"}),
        opened.verify(**asked, bundle_name="com.example.other"),
        opened.verify(**other_kind),
    ]
    opened.ask("update_access_key", json_body={"enabled": False})
    refused.append(opened.verify(**asked))
    opened.ask("update_access_key", json_body={"enabled": True})
    opened.ask("update_channel", json_body={"enabled": False})
    refused.append(opened.verify(**asked))
    opened.ask("delete_access_key")
    refused.append(opened.verify(**asked))
    for verdict in refused:
        refusal = verdict["refusal"]
        assert verdict["valid"] is False
        assert (refusal["status"], refusal["content_type"]) == (200, "application/json")
        assert refusal["headers"] == {"Cache-Control": "no-store"}
        assert json.loads(refusal["body"]) == {"error": {"message": MESSAGES[1019], "code": 1019}}
    reasons = [verdict["reason"] for verdict in refused]
    assert reasons[2:] == ["owner_not_eligible", "unknown", "disabled", "owner_not_eligible", "unknown"]
