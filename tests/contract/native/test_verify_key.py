"""POST /v1/keys/verify"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from keywright import issuing, lifecycle, registry
from keywright.bootstrap import SystemClock
from keywright.limits import Every, Quota, RateLimit
from keywright.model import Key, KeyKind, Owner, Platform
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    GET,
    INVALID,
    LONG,
    MISSING,
    SHORT,
    TYPE,
    UNKNOWN,
    UPDATE,
    answered,
    fields_refused,
    holder_of,
    rfc3339,
)
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]


def verify(bundle: Bundle, world: World, **credential: Any) -> Answer:
    return bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=credential)


def refusal(reason: str, key: Key | None = None) -> dict[str, Any]:
    """To those who may know: why, and of which key."""
    if key is not None:
        return {**as_told(key), "valid": False, "reason": reason}
    nothing = ("key_id", "kind", "owner", "version", "scopes", "expires_at")
    return {"valid": False, "reason": reason, **dict.fromkeys(nothing)}


def approval(issued: issuing.Issued) -> dict[str, Any]:
    return as_told(issued.key)


def as_told(key: Key) -> dict[str, Any]:
    return {
        "valid": True,
        "reason": None,
        "key_id": key.id,
        "kind": key.kind.value,
        "owner": {"kind": key.owner.kind.value, "id": key.owner.id},
        "version": key.last_version,
        "scopes": list(key.scopes),
        "expires_at": rfc3339(key.expires_at_ms),
    }


# --- valid ---------------------------------------------------------------------------------------------------------


def test_a_valid_token_says_whose_it_is_and_how_long(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.rep().ref, scopes=("keys:verify",), expires_at_ms=4_102_444_800_500)
    answer = verify(bundle, world, token=issued.token.reveal())
    answered(answer, 200, approval(issued))
    assert answer.json()["expires_at"] == "2100-01-01T00:00:00.500000Z"
    assert answer.calls == (BATCH,)


@pytest.mark.parametrize("kind", ["access_token", "account_secret", "app_secret", "rep_key", "app_api_key"])
def test_a_token_of_every_dialect_is_valid_alone(bundle: Bundle, world: World, kind: str) -> None:
    owner = {"rep_key": world.rep, "app_secret": world.app, "app_api_key": world.app}.get(kind, lambda: world.operator)
    issued = world.issue(KeyKind(kind), owner().ref)  # type: ignore[operator]
    more: dict[str, Any] = {}
    if kind == "rep_key":
        more["roles"] = ["SDAdmin"]
    if kind == "app_api_key":
        more["issued_by"] = issued.key.creator.id
    answered(verify(bundle, world, token=issued.token.reveal()), 200, {**approval(issued), **more})


@pytest.mark.parametrize("kind", ["rep_key", "app_api_key"])
def test_a_guid_is_valid_in_any_case(bundle: Bundle, world: World, kind: str) -> None:
    owner = world.rep().ref if kind == "rep_key" else world.app().ref
    token = world.issue(KeyKind(kind), owner).token.reveal()
    for spelling in (token.lower(), token.upper()):
        assert verify(bundle, world, token=spelling).json()["valid"] is True


@pytest.mark.parametrize("platform", Platform)
def test_an_access_key_is_valid_alone_and_with_the_key_of_its_app(
    bundle: Bundle, world: World, platform: Platform
) -> None:
    opened = world.channel(world.app(), platform)
    expected = approval(issuing.Issued(opened.key, opened.token))
    for spelling in (opened.token.reveal(), unquote(opened.token.reveal())):
        answered(verify(bundle, world, token=spelling), 200, expected)
        answered(verify(bundle, world, app_key=opened.pairing.reveal(), access_key=spelling), 200, expected)


def test_a_secret_is_valid_with_its_key_id(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app()).ref)
    answered(verify(bundle, world, key_id=issued.key.id, secret=issued.token.reveal()), 200, approval(issued))


def test_every_kept_version_is_valid_under_its_number(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    issued = issuing.issue_version(world.desk, world.principal, opened.key, creator=opened.key.creator)
    assert verify(bundle, world, token=opened.token.reveal()).json()["version"] == 1
    assert verify(bundle, world, token=issued.token.reveal()).json()["version"] == 2


# --- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        ("disabled", lambda world, key: lifecycle.disable(world.desk, world.principal, key)),
        ("expired", lambda world, key: world.expire(key)),
        ("revoked", lambda world, key: lifecycle.revoke(world.desk, world.principal, key)),
        ("unknown", lambda world, key: lifecycle.delete(world.desk, world.principal, key)),
    ],
    ids=["disabled", "expired", "revoked", "deleted"],
)
def test_a_token_that_opens_nothing_is_a_result_with_its_reason(
    bundle: Bundle, world: World, reason: str, end: Callable[..., object]
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:verify",))
    end(world, issued.key)
    answer = verify(bundle, world, token=issued.token.reveal())
    answered(answer, 200, refusal(reason, None if reason == "unknown" else world.key(issued.key.id)))
    # That somebody still shows a key that is over is kept for the audit.
    assert answer.calls == ((BATCH, COMMIT) if reason in {"expired", "revoked"} else (BATCH,))


def test_the_owner_as_it_is_now_decides(bundle: Bundle, world: World) -> None:
    rep, app = world.rep(), world.app()
    changes: list[tuple[KeyKind, Owner, dict[str, Any]]] = [
        (KeyKind.REP_KEY, rep, {"role": None}),
        (KeyKind.APP_API_KEY, app, {"published": False}),
    ]
    for kind, owner, change in changes:
        issued = world.issue(kind, owner.ref)
        token = issued.token.reveal()
        answer = verify(bundle, world, token=token)
        assert (answer.json()["valid"], answer.calls) == (True, (BATCH, GET))
        registry.change(world.desk, world.principal, owner, change)
        issuer = {"issued_by": issued.key.creator.id} if kind is KeyKind.APP_API_KEY else {}
        refused = {**refusal("owner_not_eligible", issued.key), **issuer}
        answered(verify(bundle, world, token=token), 200, refused)


def test_a_token_of_another_tenant_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.issue(KeyKind.NATIVE, another_world.operator.ref)
    opened = another_world.channel(another_world.app())
    secret = another_world.issue(KeyKind.APP_SECRET, another_world.app().ref)
    for credential in (
        {"token": "00000000-0000-4000-8000-000000000000"},
        {"token": theirs.token.reveal()},
        {"token": another_world.operator_token},
        {"token": opened.token.reveal()},
        {"app_key": opened.pairing.reveal(), "access_key": opened.token.reveal()},
        {"key_id": secret.key.id, "secret": secret.token.reveal()},
    ):
        answer = verify(bundle, world, **credential)
        answered(answer, 200, refusal("unknown"))
        assert answer.calls == (BATCH,)


def test_what_does_not_belong_together_is_unknown(bundle: Bundle, world: World) -> None:
    first, second = world.channel(world.app()), world.channel(world.app())
    app = world.app()
    one, other = world.issue(KeyKind.APP_SECRET, app.ref), world.issue(KeyKind.APP_SECRET, app.ref)
    for credential in (
        {"app_key": second.pairing.reveal(), "access_key": first.token.reveal()},
        {"app_key": "x", "access_key": first.token.reveal()},
        {"app_key": first.pairing.reveal(), "access_key": first.pairing.reveal()},
        {"app_key": first.pairing.reveal(), "access_key": one.token.reveal()},
        {"key_id": other.key.id, "secret": one.token.reveal()},
        {"key_id": one.key.id + " ", "secret": one.token.reveal()},
        {"key_id": first.key.id, "secret": one.token.reveal()},
        {"token": first.pairing.reveal()},
    ):
        answered(verify(bundle, world, **credential), 200, refusal("unknown"))


@pytest.mark.parametrize("token", ["", "x", "%FF", "é", "kw_local_" + "A" * 49, "x" * 10_000, "\x00"], ids=range(7))
def test_a_token_of_no_format_costs_no_read_beside_the_callers(bundle: Bundle, house: World, token: str) -> None:
    answer = verify(bundle, house, token=token)
    answered(answer, 200, refusal("unknown"))
    assert answer.calls == (GET,)


def test_the_callers_own_token_is_read_once(bundle: Bundle, world: World) -> None:
    answer = verify(bundle, world, token=world.operator_token)
    assert (answer.json()["valid"], answer.json()["key_id"]) == (True, world.principal.key_id)
    assert answer.calls == (GET,)


# --- refusals of the body ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ("token", MISSING)),
        ({"token": None}, ("token", MISSING)),
        ({"token": 5}, ("token", TYPE)),
        ({"token": ["x"]}, ("token", TYPE)),
        ({"key_id": "key_1"}, ("secret", MISSING)),
        ({"secret": "x"}, ("key_id", MISSING)),
        ({"app_key": "x"}, ("access_key", MISSING)),
        ({"access_key": "x"}, ("app_key", MISSING)),
        ({"token": "x", "secret": "x"}, ("token", INVALID)),
        ({"token": "x", "key_id": "x"}, ("token", INVALID)),
        ({"token": "", "key_id": "x", "secret": "y"}, ("token", INVALID)),
        ({"key_id": "x", "secret": "x", "app_key": "x"}, ("token", INVALID)),
        ({"key_id": "", "secret": "x"}, ("key_id", SHORT)),
        ({"key_id": "x" * 251, "secret": "x"}, ("key_id", LONG)),
        ({"key_id": "a\nb", "secret": "x"}, ("key_id", INVALID)),
        ({"token": "x", "tenant": "another"}, ("tenant", UNKNOWN)),
    ],
    ids=range(16),
)
def test_members_that_make_no_one_credential_are_refused(
    bundle: Bundle, house: World, body: dict[str, Any], field: tuple[str, str]
) -> None:
    fields_refused(verify(bundle, house, **body), field)


def test_the_presented_secret_is_not_in_the_refusal(bundle: Bundle, house: World) -> None:
    for body in ({"token": house.operator_token, "secret": "x"}, {"token": [house.operator_token]}):
        assert house.operator_token not in verify(bundle, house, **body).text


# --- when AWS does not answer --------------------------------------------------------------------------------------


def test_verification_does_not_need_kms(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = world.channel(world.app())
    monkeypatch.setattr(
        stack.aws, "fault", lambda call: Fault(error("DisabledException")) if call.service == "kms" else None
    )
    body = {"app_key": opened.pairing.reveal(), "access_key": opened.token.reveal()}
    assert verify(bundle, world, **body).json()["valid"] is True


def test_while_the_owner_cannot_be_read_a_token_is_neither_valid_nor_invalid(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal()
    monkeypatch.setattr("time.sleep", lambda _: None)
    throttled = Fault(error("ThrottlingException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: throttled if call.operation == GET else None)
    answer = verify(bundle, world, token=token)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert "valid" not in answer.json()


# --- a header as it came in ----------------------------------------------------------------------------------------


def basic(key_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{key_id}:{secret}".encode()).decode()


def test_a_credential_of_each_kind_is_valid_in_the_header_it_comes_in(bundle: Bundle, world: World) -> None:
    native = world.issue(KeyKind.NATIVE, world.operator.ref)
    rep = world.issue(KeyKind.REP_KEY, world.rep().ref)
    app_key = world.issue(KeyKind.APP_API_KEY, world.app().ref)
    secret = world.issue(KeyKind.APP_SECRET, world.app().ref)
    token = native.token.reveal()
    for issued, name, value in (
        (native, "Authorization", f"Bearer {token}"),
        (native, "authorization", f"bearer  {token} "),
        (native, "X-Api-Key", token),
        (native, "apikey", token),
        (rep, "TECHNICIAN_KEY", rep.token.reveal()),
        (rep, "authtoken", rep.token.reveal().lower()),
        (app_key, "X-VoltMX-App-API-Key", app_key.token.reveal()),
        (secret, "Authorization", basic(secret.key.id, secret.token.reveal())),
    ):
        answer = verify(bundle, world, header={"name": name, "value": value})
        assert (answer.json()["valid"], answer.json()["key_id"]) == (True, issued.key.id), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", ""),
        ("Authorization", "Bearer"),
        ("Authorization", "Digest x"),
        ("Authorization", "Basic !"),
        ("Authorization", "Basic " + b64encode(b"no colon").decode()),
        ("Authorization", "Basic " + b64encode(b":secret").decode()),
        ("Accept", "kw_local_" + "A" * 49),
        ("X-Api-Key", ""),
    ],
)
def test_a_header_that_holds_no_credential_of_ours_is_unknown(
    bundle: Bundle, house: World, name: str, value: str
) -> None:
    answer = verify(bundle, house, header={"name": name, "value": value})
    answered(answer, 200, refusal("unknown"))
    assert answer.calls == (GET,)


def test_a_bearer_jwt_is_sent_to_the_other_endpoint(bundle: Bundle, house: World) -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6ImFwcCJ9.c2lnbmF0dXJl"
    answer = verify(bundle, house, header={"name": "Authorization", "value": f"Bearer {jwt}"})
    assert (answer.status, answer.json()["detail"]) == (422, "POST /v1/jwt/verify verifies a JSON Web Token.")
    assert [each["field"] for each in answer.json()["fields"]] == ["header.value"]


@pytest.mark.parametrize(
    "more", [{"token": "x"}, {"key_id": "x", "secret": "y"}, {"dialect": "sunshine"}], ids=["token", "pair", "dialect"]
)
def test_a_header_stands_alone(bundle: Bundle, house: World, more: dict[str, Any]) -> None:
    header = {"name": "Authorization", "value": "Bearer x"}
    fields_refused(verify(bundle, house, header=header, **more), ("header", INVALID))


# --- who may know why ----------------------------------------------------------------------------------------------


def test_without_the_right_to_know_a_refusal_has_no_reason(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, metadata={"plan": "gold"}, external_id="c-7")
    caller, told = holder_of(world, "keys:verify"), holder_of(world, "keys:verify", "keys:diagnose")
    body = {"token": issued.token.reveal()}

    def ask(headers: dict[str, str]) -> dict[str, Any]:
        verdict: dict[str, Any] = bundle.request("POST", "/v1/keys/verify", headers, json_body=body).json()
        return verdict

    for headers in (caller, told):
        assert (ask(headers)["metadata"], ask(headers)["external_id"]) == ({"plan": "gold"}, "c-7")
    lifecycle.revoke(world.desk, world.principal, issued.key)
    assert ask(caller) == {**refusal("revoked"), "reason": None}
    details = {"external_id": "c-7", "metadata": {"plan": "gold"}}
    assert ask(told) == {**refusal("revoked", world.key(issued.key.id)), **details}


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("203.0.113.7", None),
        ("::ffff:203.0.113.7", None),
        ("2001:db8:0::1", None),
        ("203.0.114.7", "address_not_allowed"),
        ("2001:db9::1", "address_not_allowed"),
        (None, "address_not_allowed"),
    ],
)
@pytest.mark.parametrize("kind", ["native", "access_token", "app_secret", "rep_key", "app_api_key"])
def test_a_key_with_an_allow_list_is_good_from_there_only(
    bundle: Bundle, world: World, kind: str, address: str | None, reason: str | None
) -> None:
    owner = {"rep_key": world.rep, "app_secret": world.app, "app_api_key": world.app}.get(kind, lambda: world.operator)
    ranges = ("203.0.113.0/24", "2001:db8::/32")
    issued = world.issue(KeyKind(kind), owner().ref, allowed_cidrs=ranges)  # type: ignore[operator]
    verdict = verify(bundle, world, token=issued.token.reveal(), address=address).json()
    assert (verdict["valid"], verdict["reason"]) == (reason is None, reason)


@pytest.mark.parametrize(
    "address", ["", "x", "203.0.113.7/32", "203.0.113.07", "fe80::1%eth0", "203.0.113.7, 10.0.0.1"]
)
def test_an_address_that_is_none_is_refused(bundle: Bundle, house: World, address: str) -> None:
    fields_refused(verify(bundle, house, token="any", address=address), ("address", INVALID))


# --- limits --------------------------------------------------------------------------------------------------------


RATE = RateLimit(limit=1, period_seconds=3600, burst=2)
QUOTA = Quota(limit=2, every=Every.MONTH)


@pytest.mark.parametrize("kind", ["native", "access_token", "app_secret", "rep_key", "app_api_key"])
@pytest.mark.parametrize(("limit", "reason"), [("rate_limit", "rate_limited"), ("quota", "quota_exceeded")])
def test_a_use_over_a_limit_is_refused_with_when_to_come_back(
    bundle: Bundle, world: World, kind: str, limit: str, reason: str
) -> None:
    owner = {"rep_key": world.rep, "app_secret": world.app, "app_api_key": world.app}.get(kind, lambda: world.operator)
    value = RATE if limit == "rate_limit" else QUOTA
    issued = world.issue(KeyKind(kind), owner().ref, **{limit: value})  # type: ignore[operator]
    verdicts = [verify(bundle, world, token=issued.token.reveal()).json() for _ in range(3)]
    assert [(each["valid"], each["reason"]) for each in verdicts] == [(True, None), (True, None), (False, reason)]
    assert [each["ratelimit"]["remaining"] for each in verdicts] == [1, 0, 0]
    assert verdicts[0]["ratelimit"]["retry_after"] is None
    told = verdicts[2]["ratelimit"]
    assert 0 < told["retry_after"] <= (3600 if limit == "rate_limit" else 31 * 86_400)
    assert told["headers"]["Retry-After"] == str(told["retry_after"])
    name = "rate" if limit == "rate_limit" else "quota"
    assert re.fullmatch(rf'"{name}";q=2;w=\d+', told["headers"]["RateLimit-Policy"])
    assert re.fullmatch(rf'"{name}";r=0;t=\d+', told["headers"]["RateLimit"])
    assert verdicts[2].keys() - {"ratelimit", "issued_by"} == refusal(reason).keys()
    assert verdicts[2]["key_id"] == issued.key.id


def test_both_limits_are_asked_for_by_one_call(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, rate_limit=RATE, quota=QUOTA)
    body = {"token": issued.token.reveal()}
    assert verify(bundle, world, **body).calls == (BATCH, UPDATE, UPDATE), "the first use of all was guessed wrong"
    answer = verify(bundle, world, **body)
    assert answer.calls == (BATCH, UPDATE)
    assert answer.json()["ratelimit"]["headers"]["RateLimit-Policy"] == f'"rate";q=2;w=7200, "quota";q=2;w={month()}'


def month() -> int:
    start, end = QUOTA.window_ms(SystemClock().now_ms())
    return (end - start) // 1000


def test_a_cost_counts_as_often_as_it_says_and_none_does_not_count(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, quota=Quota(10, Every.MONTH))
    body = {"token": issued.token.reveal()}
    look = verify(bundle, world, **body, cost=0)
    assert ("ratelimit" in look.json(), look.calls, look.notes) == (False, (BATCH,), 0)
    remaining = [verify(bundle, world, **body, cost=cost).json()["ratelimit"]["remaining"] for cost in (4, 4, 4, 2)]
    assert remaining == [6, 2, 2, 0]


def test_a_cost_that_the_key_never_has_is_refused_without_a_call(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, rate_limit=RATE)
    answer = verify(bundle, world, token=issued.token.reveal(), cost=3)
    assert (answer.json()["reason"], answer.calls) == ("rate_limited", (BATCH,))
    assert answer.json()["ratelimit"] == dict.fromkeys(("limit", "remaining", "reset", "retry_after")) | {"headers": {}}


@pytest.mark.parametrize("cost", [-1, 1001, "1", True, 1.5])
def test_a_cost_that_is_none_is_refused(bundle: Bundle, house: World, cost: Any) -> None:
    assert verify(bundle, house, token="any", cost=cost).json()["fields"][0]["field"] == "cost"


def test_while_limits_cannot_be_asked_a_token_is_neither_valid_nor_invalid(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.issue(KeyKind.NATIVE, world.operator.ref, quota=QUOTA).token.reveal()
    monkeypatch.setattr("time.sleep", lambda _: None)
    down = Fault(error("ThrottlingException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.operation == UPDATE else None)
    answer = verify(bundle, world, token=token)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


# --- last used -----------------------------------------------------------------------------------------------------


def last_used(bundle: Bundle, world: World, key_id: str) -> list[Any]:
    shown = bundle.request("GET", f"/v1/keys/{key_id}", world.bearer)
    assert shown.calls == (BATCH,)
    return [each["last_used"] for each in shown.json()["versions"]]


def test_the_last_use_is_noted_once_an_interval_for_each_version(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    issued = issuing.issue_version(world.desk, world.principal, opened.key, creator=opened.key.creator)
    assert last_used(bundle, world, issued.key.id) == [None, None]
    first = {"token": opened.token.reveal(), "address": "2001:DB8::1", "user_agent": "curl/8.5.0\x00" + "x" * 200}
    assert [verify(bundle, world, **first).notes for _ in range(3)] == [1, 0, 0]
    noted, other = last_used(bundle, world, issued.key.id)
    assert (noted["address"], noted["user_agent"], other) == ("2001:db8::1", "curl/8.5.0?" + "x" * 109, None)
    assert verify(bundle, world, token=issued.token.reveal()).notes == 1
    assert [each is None for each in last_used(bundle, world, issued.key.id)] == [False, False]


def test_a_refused_use_is_not_noted(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    lifecycle.disable(world.desk, world.principal, issued.key)
    assert verify(bundle, world, token=issued.token.reveal()).notes == 0
    assert last_used(bundle, world, issued.key.id) == [None]


def test_a_note_that_fails_breaks_no_verdict(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal()
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(stack.aws, "fault", lambda call: Fault(None) if call.operation == UPDATE else None)
    answer = verify(bundle, world, token=token)
    assert (answer.status, answer.json()["valid"]) == (200, True)
    assert answer.notes >= 1


# --- the cache -----------------------------------------------------------------------------------------------------


def test_a_key_that_allows_it_is_not_read_again_and_one_that_does_not_is(bundle: Bundle, world: World) -> None:
    kept = world.issue(KeyKind.NATIVE, world.operator.ref, cache_seconds=60)
    read = world.issue(KeyKind.NATIVE, world.operator.ref)
    assert [verify(bundle, world, token=kept.token.reveal()).calls for _ in range(3)] == [(BATCH,), (GET,), (GET,)]
    assert [verify(bundle, world, token=read.token.reveal()).calls for _ in range(3)] == [(BATCH,)] * 3
    lifecycle.revoke(world.desk, world.principal, read.key)
    assert verify(bundle, world, token=read.token.reveal()).json()["valid"] is False


# --- the usual request, and every other ------------------------------------------------------------------------------

CREDENTIALS: dict[str, Callable[[World], str]] = {
    "native": lambda world: world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("a:b", "c")).token.reveal(),
    "with an expiry": lambda world: world.issue(
        KeyKind.NATIVE, world.operator.ref, expires_at_ms=4_102_444_800_500
    ).token.reveal(),
    "with settings": lambda world: world.issue(
        KeyKind.NATIVE, world.operator.ref, external_id="ünit", metadata={"plan": "größer", "b": ""}
    ).token.reveal(),
    "with limits": lambda world: world.issue(
        KeyKind.NATIVE, world.operator.ref, rate_limit=RateLimit(9, 60, 9), quota=Quota(90, Every.DAY)
    ).token.reveal(),
    "of a rep": lambda world: world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal(),
    "an App API key": lambda world: world.issue(KeyKind.APP_API_KEY, world.app().ref).token.reveal(),
    "an access token": lambda world: world.issue(KeyKind.ACCESS_TOKEN, world.operator.ref).token.reveal(),
    "a channel's": lambda world: world.channel(world.app()).token.reveal(),
    "a JWT": lambda _: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
    "of no format": lambda _: "no token",
    "empty": lambda _: "",
    "unknown": lambda _: "kw_test_DemoOperatorOfTheLocalStackOpensNothingElse3oHUyt",
    "for some addresses": lambda world: world.issue(
        KeyKind.NATIVE, world.operator.ref, allowed_cidrs=("192.0.2.0/24",)
    ).token.reveal(),
}
MORE: tuple[dict[str, Any], ...] = (
    {},
    {"address": "192.0.2.7", "user_agent": "curl/8", "cost": 0},
    {"address": "::ffff:192.0.2.7", "cost": 0},
    {"address": "nowhere"},
    {"cost": 1.0},
    {"cost": True},
    {"cost": -1},
    {"cost": None},
    {"user_agent": None},
    {"user_agent": "x" * 1001},
)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_the_usual_request_is_answered_word_by_word_as_every_other(
    bundle: Bundle, world: World, credential: str
) -> None:
    """A `uri` says nothing without a dialect, but is unusual. See `keywright.direct`."""
    token = CREDENTIALS[credential](world)
    for each in MORE:
        more = {"cost": 0, **each}
        usual, other = (verify(bundle, world, token=token, **more, **odd) for odd in ({}, {"uri": ""}))
        assert (usual.status, usual.text, usual.headers) == (other.status, other.text, other.headers), more
        assert usual.calls == other.calls


def test_a_refused_use_of_a_limited_key_is_told_word_by_word(bundle: Bundle, world: World) -> None:
    limit = RateLimit(1, 3600, 1)
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, rate_limit=limit)
    token = issued.token.reveal()
    assert verify(bundle, world, token=token).json()["valid"] is True
    for cost in (1, 50):
        usual = verify(bundle, world, token=token, cost=cost)
        other = verify(bundle, world, token=token, cost=cost, uri="")
        assert re.sub(r"\d{4}", "n", usual.text) == re.sub(r"\d{4}", "n", other.text)
        assert usual.json()["reason"] == "rate_limited"


@pytest.mark.parametrize("method", ["bearer of a stranger", "of no format", "without the scope", "without any"])
def test_a_caller_is_refused_word_by_word(bundle: Bundle, house: World, method: str) -> None:
    headers = {
        "bearer of a stranger": {"authorization": "Bearer kw_test_DemoOperatorOfTheLocalStackOpensNothingElse3oHUyt"},
        "of no format": {"authorization": "Bearer nothing"},
        "without the scope": holder_of(house, "keys:list"),
        "without any": {},
    }[method]
    usual, other = (
        bundle.request("POST", "/v1/keys/verify", headers, json_body={"token": "any", **odd})
        for odd in ({}, {"uri": ""})
    )
    assert usual.status in {401, 403}
    assert (usual.status, usual.text, usual.headers) == (other.status, other.text, other.headers)
    assert usual.calls == other.calls


def test_who_may_not_know_why_is_told_as_little_by_the_usual_request(bundle: Bundle, house: World) -> None:
    headers = holder_of(house, "keys:verify")
    answers = [
        bundle.request("POST", "/v1/keys/verify", headers, json_body={"token": "no token", **odd}).text
        for odd in ({}, {"uri": ""})
    ]
    assert answers[0] == answers[1]
    assert '"reason":null' in answers[0]


def test_the_usual_request_loads_no_framework_and_nothing_that_changes_a_key(stack: Stack, world: World) -> None:
    declared = stack.template.functions["NativeVerifyKey"]
    event = json.loads((ROOT / "events/native/verify_key.json").read_text())
    event["headers"]["authorization"] = f"Bearer {world.operator_token}"
    event["body"] = json.dumps({"token": world.operator_token})
    script = f"""
import json, sys
from native.verify_key import handler
class Context: aws_request_id = "request-1"
answer = handler(json.loads({json.dumps(event)!r}), Context)
heavy = {{"boto3", "botocore", "pydantic", "aws_lambda_powertools", "jmespath", "http.client", "zoneinfo"}}
heavy |= {{"keywright." + name for name in ("model", "ports", "mail", "adapters.dynamodb", "adapters.kms")}}
print(json.dumps([json.loads(answer["body"]).get("valid"), sorted(heavy & sys.modules.keys())]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**stack.environment("NativeVerifyKey"), "PYTHONPATH": os.pathsep.join(map(str, declared.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, line, said = done.stdout.splitlines()
    assert json.loads(said) == [True, []], done.stdout
    noted = json.loads(line)
    measured = noted.pop("_aws")["CloudWatchMetrics"][0]
    assert {each["Name"]: noted[each["Name"]] for each in measured["Metrics"]} == {"Answers": 1, "Faults": 0}
    assert (noted["surface"], noted["route"], noted["status"]) == ("native", "POST /v1/keys/verify", 200)
    assert world.operator_token not in line
