"""POST /v1/jwt/verify"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import Key, KeyKind, Owner
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    GET,
    INVALID,
    MISSING,
    REVEAL,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    refused,
    rfc3339,
)
from tests.world import World

DAY = 86_400
NOW = int(time.time())
MEMBERS = ("key_id", "kind", "owner", "scope", "scopes", "expires_at")
NO_KEY = "int_0123456789abcdef01234567"


def verify(bundle: Bundle, world: World, text: str, **more: Any) -> Answer:
    return bundle.request("POST", "/v1/jwt/verify", world.bearer, json_body={"jwt": text, **more})


def signed(issued: Issued, *, kid: str | None = None, **claims: Any) -> str:
    """As a customer's library makes it."""
    payload = {"scope": issued.key.rules.jwt_scope, **claims}
    return jwt.encode(payload, issued.token.reveal(), algorithm="HS256", headers={"kid": kid or issued.key.id})


def refusal(reason: str, key: Key | None = None) -> dict[str, Any]:
    """To those who may know: why, and which key it was that signed."""
    if key is not None:
        return {**as_told(key, rfc3339(key.expires_at_ms)), "valid": False, "reason": reason, "scope": None}
    return {"valid": False, "reason": reason, **dict.fromkeys(MEMBERS)}


def approval(issued: Issued, expires_at: str | None = None) -> dict[str, Any]:
    return as_told(issued.key, expires_at)


def as_told(key: Key, expires_at: str | None) -> dict[str, Any]:
    return {
        "valid": True,
        "reason": None,
        "key_id": key.id,
        "kind": key.kind.value,
        "owner": {"kind": key.owner.kind.value, "id": key.owner.id},
        "scope": key.rules.jwt_scope,
        "scopes": list(key.scopes),
        "expires_at": expires_at,
    }


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app()).ref)


# --- valid ---------------------------------------------------------------------------------------------------------

OWNERS: dict[KeyKind, Callable[[World], Owner]] = {
    KeyKind.ACCOUNT_SECRET: lambda world: world.add_operator(),
    KeyKind.SERVICE_ACCOUNT_SECRET: lambda world: world.add_operator(),
    KeyKind.APP_SECRET: lambda world: world.app(),
    KeyKind.INTEGRATION_SECRET: lambda world: world.integration(world.app()),
}


@pytest.mark.parametrize("kind", OWNERS)
def test_a_token_signed_by_a_key_of_every_kind_says_whose_it_is(bundle: Bundle, world: World, kind: KeyKind) -> None:
    issued = world.issue(kind, OWNERS[kind](world).ref, scopes=("app:7",))
    answer = verify(bundle, world, signed(issued))
    answered(answer, 200, approval(issued))
    of_an_operator = kind in {KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET}
    assert answer.calls == ((BATCH, REVEAL, GET) if of_an_operator else (BATCH, REVEAL))


def test_it_is_over_with_its_own_time_or_its_keys_whichever_comes_first(bundle: Bundle, world: World) -> None:
    key_ends = (NOW + DAY) * 1000 + 500
    key = world.issue(KeyKind.APP_SECRET, world.app().ref, expires_at_ms=key_ends)
    for exp, ends in ((None, key_ends), (NOW + DAY, (NOW + DAY) * 1000), (NOW + 2 * DAY, key_ends)):
        claims: dict[str, Any] = {} if exp is None else {"exp": exp}
        answered(verify(bundle, world, signed(key, **claims)), 200, approval(key, rfc3339(ends)))


@pytest.mark.parametrize("exp", [253_402_300_800, 10**15, 10**30])
def test_a_time_beyond_the_last_year_that_can_be_written_is_none(bundle: Bundle, world: World, exp: int) -> None:
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref)
    answered(verify(bundle, world, signed(issued, exp=exp)), 200, approval(issued))


def test_the_last_second_of_the_last_year_is_a_time(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref)
    answer = verify(bundle, world, signed(issued, exp=253_402_300_799))
    answered(answer, 200, approval(issued, "9999-12-31T23:59:59Z"))


# --- refused, with a reason ----------------------------------------------------------------------------------------


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
def test_a_token_signed_before_stops_with_its_key_at_the_very_next_call(
    bundle: Bundle, world: World, issued: Issued, reason: str, end: Callable[..., object]
) -> None:
    text = signed(issued, exp=NOW + DAY)
    assert verify(bundle, world, text).json()["valid"] is True
    end(world, issued.key)
    answer = verify(bundle, world, text)
    if reason == "unknown":
        answered(answer, 200, refusal(reason))
        assert answer.calls == (BATCH,)
        return
    answered(answer, 200, refusal(reason, world.key(issued.key.id)))
    # The secret is asked for only to know whose use this was, and a use of what is over is kept for the audit.
    assert answer.calls == (BATCH, REVEAL, *([COMMIT] if reason in {"expired", "revoked"} else []))


def test_who_signed_is_not_asked_where_nobody_would_be_told(bundle: Bundle, world: World, issued: Issued) -> None:
    """Neither the caller, who may not know, nor the audit, which keeps no use of a disabled key."""
    lifecycle.disable(world.desk, world.principal, issued.key)
    caller = holder_of(world, "keys:verify")
    answer = bundle.request("POST", "/v1/jwt/verify", caller, json_body={"jwt": signed(issued)})
    answered(answer, 200, {**refusal("disabled"), "reason": None})
    assert answer.calls == (BATCH,)


@pytest.mark.parametrize("code", ["InvalidCiphertextException", "DisabledException", "AccessDeniedException"])
def test_a_dead_key_stays_dead_whatever_becomes_of_its_secret(
    bundle: Bundle, world: World, issued: Issued, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    lifecycle.revoke(world.desk, world.principal, issued.key)
    lost = Fault(error(code))
    monkeypatch.setattr(bundle.stack.aws, "fault", lambda call: lost if call.operation == "Decrypt" else None)
    answer = verify(bundle, world, signed(issued))
    answered(answer, 200, refusal("revoked"))
    assert answer.calls == (BATCH, REVEAL)


def test_of_a_forged_token_no_key_is_told(bundle: Bundle, world: World, issued: Issued) -> None:
    header, payload, _ = signed(issued).split(".")
    lifecycle.revoke(world.desk, world.principal, issued.key)
    answer = verify(bundle, world, f"{header}.{payload}.")
    answered(answer, 200, refusal("revoked"))
    assert answer.calls == (BATCH, REVEAL)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 1}, "token_expired"),
        ({"exp": 0}, "token_expired"),
        ({"exp": -(10**30)}, "token_expired"),
        ({"nbf": NOW + DAY}, "token_not_yet_valid"),
        ({"scope": "app"}, "wrong_scope"),
        ({"scope": "user"}, "wrong_scope"),
        ({"scope": ""}, "wrong_scope"),
    ],
)
def test_a_token_that_is_not_good_is_refused_before_its_secret_is_revealed(
    bundle: Bundle, world: World, issued: Issued, claims: dict[str, Any], reason: str
) -> None:
    answer = verify(bundle, world, signed(issued, **claims))
    answered(answer, 200, refusal(reason))
    assert answer.calls == (BATCH,)


def test_a_token_that_another_secret_signed_is_refused(bundle: Bundle, world: World, issued: Issued) -> None:
    other = world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app()).ref)
    header, payload, _ = signed(issued).split(".")
    decoded = base64.urlsafe_b64decode(f"{issued.token.reveal()}==")
    mac = base64.urlsafe_b64encode(hmac.digest(decoded, f"{header}.{payload}".encode(), "sha256")).rstrip(b"=").decode()
    for forged in (signed(other, kid=issued.key.id), f"{header}.{payload}.", f"{header}.{payload}.{mac}"):
        answer = verify(bundle, world, forged)
        answered(answer, 200, refusal("wrong_signature"))
        assert answer.calls == (BATCH, REVEAL)


def test_a_key_of_another_tenant_is_refused_with_the_bytes_and_the_calls_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World, issued: Issued
) -> None:
    """T13: the key alone says whose the token is."""
    theirs = another_world.issue(KeyKind.APP_SECRET, another_world.app().ref)
    disabled = another_world.issue(KeyKind.APP_SECRET, another_world.app().ref)
    lifecycle.disable(another_world.desk, another_world.principal, disabled.key)
    unknown = verify(bundle, world, signed(issued, kid=NO_KEY))
    for text in (signed(theirs), signed(theirs, exp=0), signed(issued, kid=theirs.key.id), signed(disabled)):
        answer = verify(bundle, world, text)
        answered(answer, 200, refusal("unknown"))
        assert (answer.body, answer.headers, answer.calls) == (unknown.body, unknown.headers, (BATCH,))
    assert verify(bundle, another_world, signed(theirs)).json()["valid"] is True


def test_the_operator_behind_an_accounts_key_decides_as_it_is_now(bundle: Bundle, world: World) -> None:
    person = world.add_operator()
    issued = world.issue(KeyKind.ACCOUNT_SECRET, person.ref)
    path = f"/v1/owners/operator/{person.id}"
    assert bundle.request("PATCH", path, world.bearer, json_body={"enabled": False}).status == 200
    answered(verify(bundle, world, signed(issued)), 200, refusal("owner_not_eligible", issued.key))


MALFORMED: dict[str, Callable[[Issued], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "x",
    "the secret": lambda issued: issued.token.reveal(),
    "unsigned": lambda issued: jwt.encode({"scope": "app"}, "", algorithm="none", headers={"kid": issued.key.id}),
    "HS512": lambda issued: jwt.encode(
        {"scope": "app"}, issued.token.reveal(), algorithm="HS512", headers={"kid": issued.key.id}
    ),
    "crit": lambda issued: jwt.encode(
        {"scope": "app"}, issued.token.reveal(), headers={"kid": issued.key.id, "crit": ["exp"]}
    ),
    "no kid": lambda issued: jwt.encode({"scope": "app"}, issued.token.reveal()),
    "kid of a key that signs nothing": lambda issued: signed(issued, kid=f"key_{'0' * 24}"),
    "kid a path": lambda issued: signed(issued, kid="../../etc/passwd"),
    "kid a row": lambda issued: signed(issued, kid=f"KEY#{issued.key.id}"),
    "kid with a line break": lambda issued: signed(issued, kid=f"{issued.key.id}\n"),
    "scope a list": lambda issued: signed(issued, scope=["app"]),
    "padding": lambda issued: f"{signed(issued)}=",
    "a scheme": lambda issued: f"Bearer {signed(issued)}",
    "spaces": lambda issued: f" {signed(issued)} ",
    "four parts": lambda issued: f"{signed(issued)}.x",
    "more than 8 kB": lambda issued: signed(issued, filler="x" * 6_200),
    "not ASCII": lambda issued: f"{signed(issued)}é",
    "a null character": lambda issued: f"{signed(issued)}\0",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_no_key_of_ours_can_have_signed_costs_no_read_beside_the_callers(
    bundle: Bundle, world: World, issued: Issued, text: Callable[[Issued], str]
) -> None:
    answer = verify(bundle, world, text(issued))
    answered(answer, 200, refusal("malformed"))
    assert answer.calls == (GET,)


# --- in the vendor's words -----------------------------------------------------------------------------------------


def test_with_a_dialect_a_refusal_may_be_sent_on_as_it_is(bundle: Bundle, world: World, issued: Issued) -> None:
    vendors = {
        "status": 401,
        "content_type": "application/json",
        "headers": {
            "WWW-Authenticate": 'Basic realm="keywright", Bearer realm="keywright"',
            "Cache-Control": "no-store",
        },
        "body": '{"errors":[{"code":"unauthorized","title":"Authorization is required"}]}',
    }
    for text, reason in (("x", "malformed"), (signed(issued, exp=1), "token_expired")):
        answer = verify(bundle, world, text, dialect="sunshine")
        answered(answer, 200, {**refusal(reason), "refusal": vendors})
    answered(verify(bundle, world, signed(issued), dialect="sunshine"), 200, approval(issued))


# --- the body ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ("jwt", MISSING)),
        ({"jwt": None}, ("jwt", TYPE)),
        ({"jwt": 5}, ("jwt", TYPE)),
        ({"jwt": ["x"]}, ("jwt", TYPE)),
        ({"token": "x"}, ("jwt", MISSING)),
        ({"jwt": "x", "tenant": "another"}, ("tenant", UNKNOWN)),
        ({"jwt": "x", "dialect": "voltmx"}, ("dialect", INVALID)),
    ],
    ids=range(7),
)
def test_a_body_that_is_not_of_the_form_is_refused(
    bundle: Bundle, house: World, body: dict[str, Any], field: tuple[str, str]
) -> None:
    answer = bundle.request("POST", "/v1/jwt/verify", house.bearer, json_body=body)
    if body == {"token": "x"}:
        fields_refused(answer, field, ("token", UNKNOWN))
    else:
        fields_refused(answer, field)


def test_neither_token_nor_secret_is_in_a_refusal_or_in_the_log(
    bundle: Bundle,
    world: World,
    issued: Issued,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    text = signed(issued)
    told = verify(bundle, world, text, dialect="x").text + verify(bundle, world, text).text
    told += caplog.text + "".join(capfd.readouterr())
    assert "answered" in told
    for hidden in (text, text.rpartition(".")[2], issued.token.reveal()):
        assert hidden not in told


# --- when AWS does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [BATCH, REVEAL, GET])
def test_while_a_service_is_down_a_token_is_neither_valid_nor_invalid(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    text = signed(world.issue(KeyKind.ACCOUNT_SECRET, world.add_operator().ref))
    down = Fault(error("ThrottlingException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.operation == operation else None)
    answer = verify(bundle, world, text)
    refused(answer, "unavailable")
    assert answer.headers["retry-after"] == "1"


# --- the way here --------------------------------------------------------------------------------------------------


def test_the_other_verification_says_where_to_go_with_a_json_web_token(
    bundle: Bundle, world: World, issued: Issued
) -> None:
    for text in (signed(issued), signed(issued, exp=1), jwt.encode({}, "s" * 64, algorithm="HS512")):
        answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": text})
        assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.text == json.dumps(
            {
                "type": "urn:keywright:problem:field-invalid",
                "title": INVALID,
                "status": 422,
                "detail": "POST /v1/jwt/verify verifies a JSON Web Token.",
                "fields": [{"field": "token", "problem": "A JSON Web Token is verified in another way."}],
            }
        )
        assert answer.calls == (GET,)
        assert text not in answer.text
