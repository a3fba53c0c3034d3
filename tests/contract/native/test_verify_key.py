"""POST /v1/keys/verify"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from keywright import issuing, lifecycle, registry
from keywright.model import KeyKind, Owner, Platform
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    GET,
    INVALID,
    LONG,
    MISSING,
    SHORT,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    rfc3339,
)
from tests.world import World


def verify(bundle: Bundle, world: World, **credential: Any) -> Answer:
    return bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=credential)


def refusal(reason: str) -> dict[str, Any]:
    nothing = ("key_id", "kind", "owner", "version", "scopes", "expires_at")
    return {"valid": False, "reason": reason, **dict.fromkeys(nothing)}


def approval(issued: issuing.Issued) -> dict[str, Any]:
    key = issued.key
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
    answered(answer, 200, refusal(reason))
    assert answer.calls == (BATCH,)


def test_the_owner_as_it_is_now_decides(bundle: Bundle, world: World) -> None:
    rep, app = world.rep(), world.app()
    changes: list[tuple[KeyKind, Owner, dict[str, Any]]] = [
        (KeyKind.REP_KEY, rep, {"role": None}),
        (KeyKind.APP_API_KEY, app, {"published": False}),
    ]
    for kind, owner, change in changes:
        token = world.issue(kind, owner.ref).token.reveal()
        answer = verify(bundle, world, token=token)
        assert (answer.json()["valid"], answer.calls) == (True, (BATCH, GET))
        registry.change(world.desk, world.principal, owner, change)
        answered(verify(bundle, world, token=token), 200, refusal("owner_not_eligible"))


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
