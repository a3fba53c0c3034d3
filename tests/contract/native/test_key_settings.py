"""What an owner may say of a key's use: at POST /v1/keys, at PATCH /v1/keys/{key_id}, and wherever a key is shown."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.limits import Every, Quota, RateLimit
from keywright.model import KeyKind
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import INVALID, LONG, MISSING, TYPE, UNKNOWN, fields_refused, refused
from tests.world import World

SETTINGS: dict[str, Any] = {
    "external_id": "customer-77",
    "metadata": {"plan": "gold", "région": "Île-de-France"},
    "allowed_cidrs": ["203.0.113.0/24", "2001:db8::/32"],
    "rate_limit": {"limit": 100, "period_seconds": 60, "burst": 20},
    "quota": {"limit": 10_000, "every": "month"},
    "cache_seconds": 30,
}


def issue(bundle: Bundle, world: World, **settings: Any) -> Answer:
    owner = {"kind": "operator", "id": world.operator.id}
    return bundle.request("POST", "/v1/keys", world.bearer, json_body={"owner": owner, **settings})


def change(bundle: Bundle, world: World, key_id: str, **settings: Any) -> Answer:
    return bundle.request("PATCH", f"/v1/keys/{key_id}", world.bearer, json_body=settings)


def shown(answer: Answer) -> dict[str, Any]:
    return {name: answer.json()[name] for name in SETTINGS}


def test_what_was_ordered_is_shown_with_the_key_and_kept(bundle: Bundle, world: World) -> None:
    issued = issue(bundle, world, **SETTINGS)
    assert (issued.status, shown(issued)) == (201, SETTINGS)
    key_id = issued.json()["id"]
    assert shown(bundle.request("GET", f"/v1/keys/{key_id}", world.bearer)) == SETTINGS
    key = world.key(key_id)
    assert key.rate_limit == RateLimit(100, 60, 20)
    assert key.quota == Quota(10_000, Every.MONTH)


def test_a_key_that_nothing_was_said_of_has_no_limits(bundle: Bundle, world: World) -> None:
    assert shown(issue(bundle, world)) == {
        "external_id": "",
        "metadata": {},
        "allowed_cidrs": [],
        "rate_limit": None,
        "quota": None,
        "cache_seconds": 0,
    }


def test_what_is_not_named_stays_and_null_takes_a_limit_away(bundle: Bundle, world: World) -> None:
    key_id = issue(bundle, world, **SETTINGS).json()["id"]
    changed = change(bundle, world, key_id, rate_limit=None, metadata={"plan": "silver"})
    assert (changed.status, shown(changed)) == (
        200,
        {**SETTINGS, "rate_limit": None, "metadata": {"plan": "silver"}},
    )
    emptied = change(bundle, world, key_id, quota=None, metadata={}, allowed_cidrs=[], external_id="", cache_seconds=0)
    assert shown(emptied) == shown(issue(bundle, world))


def test_a_change_holds_from_the_next_verification_on(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    body = {"token": issued.token.reveal(), "address": "198.51.100.4"}
    assert bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).json()["valid"] is True
    assert change(bundle, world, issued.key.id, allowed_cidrs=["203.0.113.0/24"]).status == 200
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).json()
    assert (verdict["valid"], verdict["reason"]) == (False, "address_not_allowed")


def test_ranges_are_kept_in_their_canonical_spelling_and_once(bundle: Bundle, world: World) -> None:
    given = ["203.0.113.7", "203.0.113.7/32", "2001:0DB8:0000::/48", "2001:db8::1", "10.0.0.0/255.0.0.0", "::/0"]
    kept = ["203.0.113.7/32", "2001:db8::/48", "2001:db8::1/128", "10.0.0.0/8", "::/0"]
    assert issue(bundle, world, allowed_cidrs=given).json()["allowed_cidrs"] == kept


def test_a_burst_is_as_large_as_the_limit_where_none_is_named(bundle: Bundle, world: World) -> None:
    rate = {"limit": 5, "period_seconds": 1}
    assert issue(bundle, world, rate_limit=rate).json()["rate_limit"] == {**rate, "burst": 5}


REFUSED = [
    ({"external_id": "x" * 201}, ("external_id", LONG)),
    ({"external_id": "a\nb"}, ("external_id", INVALID)),
    ({"external_id": None}, ("external_id", TYPE)),
    ({"metadata": {"a": 1}}, ("metadata", INVALID)),
    ({"metadata": {"a": {"b": "c"}}}, ("metadata", INVALID)),
    ({"metadata": {"": "x"}}, ("metadata", INVALID)),
    ({"metadata": {"a\x00": "x"}}, ("metadata", INVALID)),
    ({"metadata": {"a": "x\u2028"}}, ("metadata", INVALID)),
    ({"metadata": {"a": "é" * 1024}}, ("metadata", INVALID)),
    ({"metadata": {str(n): "" for n in range(51)}}, ("metadata", INVALID)),
    ({"metadata": ["a"]}, ("metadata", INVALID)),
    ({"allowed_cidrs": "10.0.0.0/8"}, ("allowed_cidrs", TYPE)),
    ({"allowed_cidrs": ["10.0.0.1/8"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": ["10.0.0.0/8", "10.0.0.0/33"]}, ("allowed_cidrs[1]", INVALID)),
    ({"allowed_cidrs": ["010.0.0.0/8"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": [" 10.0.0.0/8"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": ["fe80::%eth0/64"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": ["::ffff:10.0.0.0/104"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": ["example.com"]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": [""]}, ("allowed_cidrs[0]", INVALID)),
    ({"allowed_cidrs": [f"10.0.0.{n}" for n in range(51)]}, ("allowed_cidrs", INVALID)),
    ({"rate_limit": {}}, ("rate_limit.limit", MISSING)),
    ({"rate_limit": {"limit": 0, "period_seconds": 1}}, ("rate_limit.limit", INVALID)),
    ({"rate_limit": {"limit": 1_000_001, "period_seconds": 1}}, ("rate_limit.limit", INVALID)),
    ({"rate_limit": {"limit": 1, "period_seconds": 86_401}}, ("rate_limit.period_seconds", INVALID)),
    ({"rate_limit": {"limit": 1, "period_seconds": 1, "burst": 0}}, ("rate_limit.burst", INVALID)),
    ({"rate_limit": {"limit": "1", "period_seconds": 1}}, ("rate_limit.limit", TYPE)),
    ({"rate_limit": {"limit": 1, "period_seconds": 1, "x": 1}}, ("rate_limit.x", UNKNOWN)),
    ({"quota": {"limit": 1, "every": "hour"}}, ("quota.every", INVALID)),
    ({"quota": {"limit": 0, "every": "day"}}, ("quota.limit", INVALID)),
    ({"quota": {"every": "day"}}, ("quota.limit", MISSING)),
    ({"cache_seconds": 61}, ("cache_seconds", INVALID)),
    ({"cache_seconds": -1}, ("cache_seconds", INVALID)),
    ({"cache_seconds": True}, ("cache_seconds", TYPE)),
]


@pytest.mark.parametrize(("settings", "field"), REFUSED, ids=range(len(REFUSED)))
def test_what_no_key_can_have_is_refused_and_changes_nothing(
    bundle: Bundle, house: World, settings: dict[str, Any], field: tuple[str, str]
) -> None:
    key = house.issue(KeyKind.NATIVE, house.operator.ref).key
    for answer in (issue(bundle, house, **settings), change(bundle, house, key.id, **settings)):
        if field[1] == MISSING:
            assert (answer.status, answer.json()["fields"][0]) == (422, {"field": field[0], "problem": field[1]})
        else:
            fields_refused(answer, field)
    assert house.key(key.id) == key


def test_a_caller_whose_key_has_an_allow_list_is_only_let_in_from_there(bundle: Bundle, world: World) -> None:
    """The test's requests come from 127.0.0.1."""
    for ranges, status in (("127.0.0.0/8",), 200), (("203.0.113.0/24",), 401):
        issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:read",), allowed_cidrs=ranges)
        header = {"Authorization": f"Bearer {issued.token.reveal()}"}
        answer = bundle.request("GET", f"/v1/keys/{issued.key.id}", header)
        assert answer.status == status, answer.text
        if status == 401:
            refused(answer, "credentials-refused")


def test_the_successor_of_a_revoked_key_has_the_same_settings(world: World) -> None:
    key = world.channel(world.app()).key
    settings = {"external_id": "x", "metadata": {"a": "b"}, "allowed_cidrs": ("10.0.0.0/8",), "cache_seconds": 3}
    limits = {"rate_limit": RateLimit(1, 1, 1), "quota": Quota(1, Every.DAY)}
    given = world.overwrite(key, **settings, **limits)
    successor = given.successor("key_x", key.creator, 0)
    for name, value in {**settings, **limits}.items():
        assert getattr(successor, name) == value, name
