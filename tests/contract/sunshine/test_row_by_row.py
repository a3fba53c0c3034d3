"""Sunshine Conversations row by row: each id names the operation, the caller, the field, the refusal or the rule that
it is about. K1 to K4 are the operations on an integration's keys, K5 to K8 those on an app's.

The other files of this folder go deeper where one row has many spellings.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.limits import RateLimit
from keywright.model import KeyKind
from local.aws import Fault, error
from tests.bundle import Answer
from tests.contract.sunshine.conftest import keys_of
from tests.contract.sunshine.place import FORBIDDEN, UNKNOWN, Keys, Place, basic, basic_of, bearer, faults, id_of

Headers = Mapping[str, str]


class Operation(NamedTuple):
    owner: str
    method: str
    of_one: bool
    status: int

    def ask(self, keys: Keys, headers: Headers | None = None, *, key: Any = None, **how: Any) -> Answer:
        """With what it takes to succeed, but for what is said otherwise."""
        if self.of_one and key is None:
            key = keys.issue().key
        if self.method == "POST" and not how.keys() & {"body", "json_body"}:
            how["json_body"] = {"displayName": "Billing bot"}
        return keys.ask(self.method, key if self.of_one else "", headers, **how)


OPERATIONS: Final = {
    "K1 CreateCustomIntegrationKey": Operation("integration", "POST", False, 201),
    "K2 ListCustomIntegrationKeys": Operation("integration", "GET", False, 200),
    "K3 GetCustomIntegrationKey": Operation("integration", "GET", True, 200),
    "K4 DeleteCustomIntegrationKey": Operation("integration", "DELETE", True, 200),
    "K5 CreateAppKey": Operation("app", "POST", False, 201),
    "K6 ListAppKeys": Operation("app", "GET", False, 200),
    "K7 GetAppKey": Operation("app", "GET", True, 200),
    "K8 DeleteAppKey": Operation("app", "DELETE", True, 200),
}
ON_INTEGRATIONS: Final = [name for name in OPERATIONS if name < "K5"]
CREATING: Final = ["K1 CreateCustomIntegrationKey", "K5 CreateAppKey"]
NAMING_A_KEY: Final = [name for name, operation in OPERATIONS.items() if operation.of_one]


def refused(answer: Answer) -> tuple[int, list[tuple[str, str]]]:
    """Status, codes and titles of an answer that is nothing but a refusal."""
    body = answer.json()
    assert list(body) == ["errors"]
    assert all(list(entry) == ["code", "title"] for entry in body["errors"])
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status, [(entry["code"], entry["title"]) for entry in body["errors"]]


# --- the operations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/sc"], ids=["under /v2", "under /sc/v2"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_served(place: Place, name: str, prefix: str) -> None:
    """Path, method, status and the body's shape; no update, no regeneration, no paging, no `meta`."""
    operation = OPERATIONS[name]
    keys = keys_of(place, operation.owner)
    first, second = keys.issue("Billing bot"), keys.issue("Billing bot")

    answer = operation.ask(keys, key=first.key, prefix=prefix)

    assert (answer.status, answer.headers["content-type"]) == (operation.status, "application/json")
    body = answer.json()
    match operation.method, operation.of_one:
        case "DELETE", _:
            assert answer.body == b"{}"
        case "GET", False:
            assert [*body] == ["keys"]
            assert [each["id"] for each in body["keys"]] == [first.key.id, second.key.id]
            for each in body["keys"]:
                check_key(each, keys.prefix)
        case _:
            assert [*body] == ["key"]
            check_key(body["key"], keys.prefix)


def check_key(key: dict[str, Any], prefix: str) -> None:
    """No times, flags or counters; a name that is never null; the secret as 64 bytes in base64url without padding."""
    assert list(key) == ["id", "displayName", "secret"]
    assert re.fullmatch(f"{prefix}[0-9a-f]{{24}}", key["id"])
    assert key["displayName"] == "Billing bot"
    assert re.fullmatch(r"[A-Za-z0-9_-]{86}", key["secret"])
    assert len(base64.urlsafe_b64decode(key["secret"] + "==")) == 64


def test_a_list_without_keys_is_an_empty_list(keys: Keys) -> None:
    assert keys.list().body == b'{"keys":[]}'


@pytest.mark.parametrize("name", CREATING)
def test_the_ids_in_a_path_are_24_hexadecimal_digits_as_they_were_registered(place: Place, name: str) -> None:
    app = place.world.app(id="5e4b0f225aca01092928f917")
    owner = app if name == CREATING[1] else place.world.integration(app, id="5e4b0f225aca01092928f918")
    assert Keys(place, owner).create().status == 201


# --- the callers ---------------------------------------------------------------------------------------------------

CALLERS: Final[dict[str, tuple[Callable[[Place], Issued], bool, bool]]] = {
    "act_, an account's": (lambda place: place.account_key, True, True),
    "svc_, granted all apps": (lambda place: place.service_key("app:*"), True, True),
    "svc_, granted another app": (lambda place: place.service_key("app:another"), False, False),
    "svc_, granted no app": (lambda place: place.service_key(), False, False),
    "app_, of the app": (lambda place: place.app_key, True, False),
    "app_, of another app": (
        lambda place: place.world.issue(KeyKind.APP_SECRET, place.world.app().ref),
        False,
        False,
    ),
    "int_, of the integration": (lambda place: place.integration_key(), False, False),
}
"""Each with whether it manages the keys of integrations (K1 to K4), and of apps (K5 to K8)."""


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_key_manages_keys_by_its_prefix(place: Place, caller: str, name: str) -> None:
    """Others are 403, over Basic and over Bearer, and whether the app exists or not."""
    operation, (issue, of_integrations, of_apps) = OPERATIONS[name], CALLERS[caller]
    keys = Keys(place, place.integration if operation.owner == "integration" else place.app)
    issued = issue(place)
    may = of_integrations if operation.owner == "integration" else of_apps
    for scheme in (basic, bearer):
        answer = operation.ask(keys, scheme(issued))
        assert answer.status == (operation.status if may else 403)
        if not may:
            assert refused(answer) == (403, [("forbidden", "Forbidden")])
            elsewhere = operation.ask(keys, scheme(issued), key=keys.unknown, app=UNKNOWN)
            assert (elsewhere.status, elsewhere.body) == (403, answer.body)


# --- displayName ---------------------------------------------------------------------------------------------------

REQUIRED, WRONG_TYPE = "should have required property 'displayName'", "displayName should be string"
NAMES: Final[dict[str, tuple[dict[str, Any], str | None]]] = {
    "missing": ({}, REQUIRED),
    "null": ({"displayName": None}, WRONG_TYPE),
    "of another type": ({"displayName": 7}, WRONG_TYPE),
    "empty": ({"displayName": ""}, "displayName should NOT be shorter than 1 characters"),
    "1 character": ({"displayName": "é"}, None),
    "100 characters": ({"displayName": "\U0001f469" * 100}, None),
    "101 characters": ({"displayName": "\U0001f469" * 101}, "displayName should NOT be longer than 100 characters"),
    "with an unknown member": ({"displayName": "x", "scope": "app"}, "should NOT have additional properties"),
    "after another member": ({"more": 1, "displayName": "x"}, "should NOT have additional properties"),
}


@pytest.mark.parametrize("name", CREATING)
@pytest.mark.parametrize("row", NAMES)
def test_a_display_name_is(place: Place, name: str, row: str) -> None:
    (body, title), operation = NAMES[row], OPERATIONS[name]
    keys = keys_of(place, operation.owner)

    answer = operation.ask(keys, json_body=body)

    if title is None:
        assert (answer.status, answer.json()["key"]["displayName"]) == (201, body["displayName"])
        assert operation.ask(keys, json_body=body).status == 201, "it need not be unique"
    else:
        assert refused(answer) == (400, [("bad_request", title)])
        assert keys.listed() == set()


# --- the refusals --------------------------------------------------------------------------------------------------

UNAUTHORIZED = (401, [("unauthorized", "Authorization is required")])
NOT_FOUND = (404, [("not_found", "Resource not found")])
APP_NOT_FOUND = (404, [("app_not_found", "App not found")])
INTEGRATION_NOT_FOUND = (404, [("integration_not_found", "Integration not found")])
NOT_CUSTOM = (400, [("bad_request", "API keys are available only for custom integrations")])
BAD_REQUEST = (400, [("bad_request", "Bad request")])
TOO_LARGE = (413, [("payload_too_large", "Request body is too large")])


def whatsapp(keys: Keys) -> str:
    return id_of(keys.place.world.integration(keys.place.app, type="whatsapp"))


def json_typed(keys: Keys, content_type: str = "application/json") -> dict[str, str]:
    return {**basic(keys.place.account_key), "Content-Type": content_type}


class Row(NamedTuple):
    """`how` the request differs from a good one, and what it is refused with."""

    operations: list[str]
    how: Callable[[Keys], dict[str, Any]]
    refusal: tuple[int, list[tuple[str, str]]]


ALL: Final = [*OPERATIONS]
REFUSALS: Final = {
    "400 not a custom integration": Row(ON_INTEGRATIONS, lambda keys: {"integration": whatsapp(keys)}, NOT_CUSTOM),
    "400 no JSON": Row(CREATING, lambda keys: {"headers": json_typed(keys), "body": b"displayName=x"}, BAD_REQUEST),
    "400 a JSON list": Row(CREATING, lambda keys: {"json_body": [{"displayName": "x"}]}, BAD_REQUEST),
    "400 no body": Row(CREATING, lambda keys: {"headers": json_typed(keys), "body": b""}, BAD_REQUEST),
    "400 another content type": Row(
        CREATING, lambda keys: {"headers": json_typed(keys, "text/plain"), "body": b'{"displayName":"x"}'}, BAD_REQUEST
    ),
    "400 no content type": Row(CREATING, lambda keys: {"body": b'{"displayName":"x"}'}, BAD_REQUEST),
    "401 no credentials": Row(ALL, lambda _: {"headers": {}}, UNAUTHORIZED),
    "401 another scheme": Row(ALL, lambda _: {"headers": {"Authorization": "Digest x"}}, UNAUTHORIZED),
    "401 an unknown key": Row(ALL, lambda _: {"headers": basic_of(f"act_{UNKNOWN}", "A" * 86)}, UNAUTHORIZED),
    "401 another secret": Row(
        ALL, lambda keys: {"headers": basic_of(keys.place.account_key.key.id, "A" * 86)}, UNAUTHORIZED
    ),
    "404 an unknown app": Row(ALL, lambda _: {"app": UNKNOWN}, APP_NOT_FOUND),
    "404 an unknown integration": Row(ON_INTEGRATIONS, lambda _: {"integration": UNKNOWN}, INTEGRATION_NOT_FOUND),
    "404 an integration of another app": Row(
        ON_INTEGRATIONS, lambda keys: {"app": keys.place.world.app().id}, INTEGRATION_NOT_FOUND
    ),
    "404 an unknown key": Row(NAMING_A_KEY, lambda keys: {"key": keys.unknown}, NOT_FOUND),
    "404 another owner's key": Row(
        NAMING_A_KEY,
        lambda keys: {
            "key": keys.place.world.issue(
                keys.kind,
                (
                    keys.place.world.app()
                    if keys.kind is KeyKind.APP_SECRET
                    else keys.place.world.integration(keys.place.app)
                ).ref,
            ).key
        },
        NOT_FOUND,
    ),
    "413 a body of more than 64 kB": Row(
        CREATING, lambda keys: {"headers": json_typed(keys), "body": b" " * 64_001}, TOO_LARGE
    ),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_a_request_is_refused(shared: Place, row: str) -> None:
    operations, how, refusal = REFUSALS[row]
    for name in operations:
        keys = Keys(shared, shared.integration if OPERATIONS[name].owner == "integration" else shared.app)
        made = how(keys)
        if OPERATIONS[name].of_one:
            made.setdefault("key", shared.app_key.key if OPERATIONS[name].owner == "app" else keys.unknown)
        assert refused(OPERATIONS[name].ask(keys, **made)) == refusal, name
    assert shared.world.key(shared.app_key.key.id) == shared.app_key.key


ENDS: Final = {"disabled": lifecycle.disable, "revoked": lifecycle.revoke, "deleted": lifecycle.delete, "expired": None}


@pytest.mark.parametrize("scheme", [basic, bearer])
@pytest.mark.parametrize("end", ENDS)
def test_a_caller_is_refused_with_the_same_401_whatever_became_of_its_key(
    place: Place, end: str, scheme: Callable[[Issued], dict[str, str]]
) -> None:
    caller = place.account_key
    headers = scheme(caller)
    if (put_an_end_to := ENDS[end]) is None:
        place.world.expire(caller.key)
    else:
        put_an_end_to(place.world.desk, place.world.principal, caller.key)
    for name, operation in OPERATIONS.items():
        keys = Keys(place, place.integration if operation.owner == "integration" else place.app)
        answer = operation.ask(keys, headers, key=keys.unknown)
        assert refused(answer) == UNAUTHORIZED, name


@pytest.mark.parametrize("name", CREATING)
def test_the_eleventh_key_is_refused_as_too_many_and_nothing_is_evicted(place: Place, name: str) -> None:
    keys = keys_of(place, OPERATIONS[name].owner)
    ten = {keys.issue().key.id for _ in range(10)}
    who = "Integration" if name == CREATING[0] else "App"
    title = f"{who} has reached the max number of keys (10)"

    assert refused(OPERATIONS[name].ask(keys)) == (400, [("too_many_keys", title)])

    assert keys.listed() == ten
    assert keys.delete(ten.pop()).status == 200
    assert OPERATIONS[name].ask(keys).status == 201


FAILING: Final = {
    "500 our fault": (error("AccessDeniedException"), (500, [("internal_error", "Internal server error")]), None),
    "503 unable for the moment": (
        error("ServiceUnavailable", 503),
        (503, [("service_unavailable", "Service unavailable")]),
        "1",
    ),
    "503 throttled by the store": (
        error("ThrottlingException"),
        (503, [("service_unavailable", "Service unavailable")]),
        "1",
    ),
}


@pytest.mark.parametrize("row", FAILING)
def test_what_is_not_the_clients_doing_is(shared: Place, row: str) -> None:
    fault, refusal, retry_after = FAILING[row]
    for name, operation in OPERATIONS.items():
        keys = Keys(shared, shared.integration if operation.owner == "integration" else shared.app)
        with faults(shared.bundle, lambda call: Fault(fault) if call.operation == "BatchGetItem" else None):
            answer = operation.ask(keys, key=keys.unknown)
        assert refused(answer) == refusal, name
        assert answer.headers.get("retry-after") == retry_after


ORDER: Final[dict[str, tuple[Callable[[Keys], dict[str, Any]], list[str]]]] = {
    "401": (lambda _: {"authorization": {}}, ALL),
    "403": (lambda keys: {"authorization": basic(keys.place.service_key("app:another"))}, ALL),
    "404 app": (lambda _: {"app": UNKNOWN}, ALL),
    "404 integration": (lambda _: {"integration": UNKNOWN}, ON_INTEGRATIONS),
    "400 type": (lambda keys: {"integration": whatsapp(keys)}, ON_INTEGRATIONS),
    "404 key": (lambda keys: {"key": keys.unknown}, NAMING_A_KEY),
    "413": (lambda _: {"body": b"x" * 64_001}, CREATING),
    "400 body": (lambda _: {"body": b"x"}, CREATING),
    "400 limit": (lambda _: {}, CREATING),
}
"""Of an operation each request has its fault and all those after it, so the first of them is what it is refused for."""
FIRST: Final = {
    "401": "unauthorized",
    "403": "forbidden",
    "404 app": "app_not_found",
    "404 integration": "integration_not_found",
    "400 type": "API keys are available only for custom integrations",
    "404 key": "not_found",
    "413": "payload_too_large",
    "400 body": "Bad request",
    "400 limit": "too_many_keys",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_checks_come_in_the_documented_order(place: Place, name: str) -> None:
    """401, 403, 404 app, 404 integration, 400 type, 404 key, 413, 400 body, 400 limit."""
    operation = OPERATIONS[name]
    keys = Keys(place, place.integration if operation.owner == "integration" else place.app)
    while len(keys.listed()) < 10:
        keys.issue()
    steps = [step for step, (_, operations) in ORDER.items() if name in operations]
    told = []
    for at in range(len(steps)):
        how: dict[str, Any] = {"key": keys.unknown}
        for step in reversed(steps[at:]):
            how |= ORDER[step][0](keys)
        headers = how.pop("authorization", basic(place.account_key))
        if "body" in how:
            headers = {**headers, "Content-Type": "application/json"}
        _, [(code, title)] = refused(operation.ask(keys, headers, **how))
        told.append(title if code == "bad_request" else code)
    assert told == [FIRST[step] for step in steps]


# --- the life of a key ---------------------------------------------------------------------------------------------


def test_a_key_has_no_expiry(keys: Keys) -> None:
    created = keys.create().json()["key"]["id"]
    assert keys.place.world.key(created).expires_at_ms is None


def test_a_key_is_rotated_by_create_then_delete(keys: Keys) -> None:
    former = keys.issue()
    new = keys.create().json()["key"]
    assert keys.delete(former.key).status == 200
    assert keys.list().json() == {"keys": [new]}


def test_a_deleted_key_stops_at_once_also_for_tokens_signed_before_and_a_second_deletion_is_404(place: Place) -> None:
    of_integrations, of_apps = Keys(place, place.integration), Keys(place, place.app)
    callers = basic(place.app_key), bearer(place.app_key, exp=int(time.time()) + 3600)
    assert [of_integrations.list(headers).status for headers in callers] == [200, 200]
    assert of_apps.delete(place.app_key.key).status == 200
    assert [refused(of_integrations.list(headers)) for headers in callers] == [UNAUTHORIZED] * 2
    assert refused(of_apps.delete(place.app_key.key)) == NOT_FOUND


# --- the JSON Web Token --------------------------------------------------------------------------------------------


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    said = ".".join(parts)
    mac = base64.urlsafe_b64encode(hmac.digest(secret, said.encode(), "sha256")).rstrip(b"=").decode()
    return f"{said}.{mac}"


class Said(NamedTuple):
    """What a token says otherwise than it should, None for a member that it lacks; `raw` is signed by the secret's
    decoded bytes."""

    good: bool
    header: Mapping[str, Any] = {}
    claims: Mapping[str, Any] = {}
    raw: bool = False
    unsigned: bool = False


def now(offset: int) -> int:
    return int(time.time()) + offset


TOKENS: Final[dict[str, Callable[[], Said]]] = {
    "alg HS256, typ JWT, kid": lambda: Said(True),
    "no typ": lambda: Said(True, {"typ": None}),
    "alg none, unsigned": lambda: Said(False, {"alg": "none"}, unsigned=True),
    "alg HS512": lambda: Said(False, {"alg": "HS512"}),
    "alg RS256": lambda: Said(False, {"alg": "RS256"}),
    "alg in lower case": lambda: Said(False, {"alg": "hs256"}),
    "no alg": lambda: Said(False, {"alg": None}),
    "another member of the header": lambda: Said(False, {"cty": "JWT"}),
    "crit": lambda: Said(False, {"crit": ["exp"]}),
    "no kid": lambda: Said(False, {"kid": None}),
    "kid of no key": lambda: Said(False, {"kid": f"app_{UNKNOWN}"}),
    "kid of a path": lambda: Said(False, {"kid": "../../dev/null"}),
    "signed by the decoded bytes": lambda: Said(False, raw=True),
    "no scope": lambda: Said(False, claims={"scope": None}),
    "scope integration": lambda: Said(False, claims={"scope": "integration"}),
    "scope account": lambda: Said(False, claims={"scope": "account"}),
    "scope user": lambda: Said(False, claims={"scope": "user"}),
    "scope appUser": lambda: Said(False, claims={"scope": "appUser"}),
    "no exp": lambda: Said(True, claims={"exp": None}),
    "exp in a minute": lambda: Said(True, claims={"exp": now(60)}),
    "exp now": lambda: Said(False, claims={"exp": now(0)}),
    "exp past": lambda: Said(False, claims={"exp": now(-1)}),
    "nbf in 50 seconds": lambda: Said(True, claims={"nbf": now(50)}),
    "nbf in 70 seconds": lambda: Said(False, claims={"nbf": now(70)}),
    "iat in the future": lambda: Said(True, claims={"iat": now(3600)}),
    "another claim": lambda: Said(True, claims={"external_id": "7"}),
}


@pytest.mark.parametrize("row", TOKENS)
def test_a_token_is_good_or_refused(shared: Place, row: str) -> None:
    """To our own endpoints and to a service behind alike."""
    said, issued = TOKENS[row](), shared.app_key
    header: dict[str, Any] = {"alg": "HS256", "typ": "JWT", "kid": issued.key.id, **said.header}
    claims: dict[str, Any] = {"scope": "app", **said.claims}
    secret = issued.token.reveal()
    token = signed(
        {name: value for name, value in header.items() if value is not None},
        {name: value for name, value in claims.items() if value is not None},
        base64.urlsafe_b64decode(secret + "==") if said.raw else secret.encode(),
    )
    if said.unsigned:
        token = token.rpartition(".")[0] + "."

    answer = Keys(shared, shared.integration).list({"Authorization": f"Bearer {token}"})
    verdict = shared.bundle.request(
        "POST", "/v1/jwt/verify", shared.world.bearer, json_body={"jwt": token, "dialect": "sunshine"}
    ).json()

    assert verdict["valid"] is said.good
    if said.good:
        assert answer.status == 200
    else:
        assert refused(answer) == UNAUTHORIZED
        assert verdict["refusal"]["body"] == answer.text


@pytest.mark.parametrize(
    ("prefix", "scope"), [("act_", "account"), ("svc_", "account"), ("app_", "app"), ("int_", "integration")]
)
def test_the_scope_of_a_key_is_its_owners_by_basic_and_what_its_token_must_claim(
    place: Place, prefix: str, scope: str
) -> None:
    issued = {
        "act_": lambda: place.account_key,
        "svc_": lambda: place.service_key("app:*"),
        "app_": lambda: place.app_key,
        "int_": place.integration_key,
    }[prefix]()
    assert issued.key.id.startswith(prefix)
    for claimed in ("account", "app", "integration"):
        token = bearer(issued, scope=claimed)["Authorization"].removeprefix("Bearer ")
        verdict = place.bundle.request("POST", "/v1/jwt/verify", place.world.bearer, json_body={"jwt": token}).json()
        assert verdict["valid"] is (claimed == scope)
    by_basic = place.bundle.request(
        "POST",
        "/v1/keys/verify",
        place.world.bearer,
        json_body={"dialect": "sunshine", "headers": basic(issued)},
    ).json()
    assert (by_basic["valid"], by_basic["owner"]["id"]) == (True, issued.key.owner.id)


# --- where a key is good, to a service behind ----------------------------------------------------------------------

AREAS: Final[dict[str, tuple[str, str]]] = {
    "/v2/apps/{app}/users": ("act svc app int", "Users"),
    "/sc/v2/apps/{app}/users/7/clients?x=1": ("act svc app int", "Users, as behind Zendesk's hosts"),
    "/v2/apps/{app}/conversations/7/messages": ("act svc app int", "Conversations"),
    "/v2/apps/{app}/attachments": ("act svc app int", "Attachments"),
    "/v2/apps/{app}/integrations/{integration}/webhooks": ("act svc app int", "Webhooks"),
    "/v2/apps/{app}/integrations/another/webhooks": ("act svc app", "Webhooks of another integration"),
    "/v2/apps/{app}/integrations/{integration}/keys": ("act svc app", "keys of an integration"),
    "/v2/apps/{app}/integrations": ("act svc app", "Integrations"),
    "/v2/apps/{app}/switchboards": ("act svc app", "Switchboards"),
    "/v2/apps/{app}/keys": ("act svc", "keys of an app"),
    "/v2/apps/{app}": ("act svc", "provisioning of an app"),
    "/v2/apps": ("act svc", "provisioning of apps"),
    "/v2/apps/another/users": ("act", "another app"),
    "https://api.example/v2/apps/{app}/conversations": ("act svc app int", "with its host"),
    "/v2/apps/{app}/users/../keys": ("act", "two dots"),
    "/v2/apps/{app}/users/%2e%2e/keys": ("act", "two dots, encoded"),
    "/v2/apps/{app}/users%2F..%2Fkeys": ("act", "a slash, encoded"),
    "/v2/apps//users": ("act", "an empty segment"),
    "http://[": ("act", "no address at all"),
}


@pytest.fixture(scope="module")
def holders(shared: Place) -> Mapping[str, Issued]:
    """By the prefixes of their keys; the service account was granted the app."""
    return {
        "act": shared.account_key,
        "svc": shared.service_key(f"app:{shared.app.id}"),
        "app": shared.app_key,
        "int": shared.integration_key(),
    }


@pytest.mark.parametrize("uri", AREAS, ids=[what for _, what in AREAS.values()])
def test_a_good_key_is_refused_with_403_outside_its_areas(
    shared: Place, holders: Mapping[str, Issued], uri: str
) -> None:
    """By Basic and by Bearer, with the bytes of our own endpoints; who says no `uri` looks at that alone."""
    named = uri.format(app=shared.app.id, integration=id_of(shared.integration))
    for prefix, issued in holders.items():
        token = bearer(issued)["Authorization"].removeprefix("Bearer ")
        for path, credential in (("/v1/keys/verify", {"headers": basic(issued)}), ("/v1/jwt/verify", {"jwt": token})):
            asked = {"dialect": "sunshine", **credential}
            anywhere, there = (
                shared.bundle.request("POST", path, shared.world.bearer, json_body=body).json()
                for body in (asked, {**asked, "uri": named})
            )
            assert anywhere["valid"] is True
            assert there["valid"] is (prefix in AREAS[uri][0].split())
            if there["valid"]:
                assert there == anywhere
            else:
                assert (there["reason"], there["key_id"]) == ("owner_not_eligible", issued.key.id)
                assert there["refusal"] == {
                    "status": 403,
                    "content_type": "application/json",
                    "headers": {"Cache-Control": "no-store"},
                    "body": FORBIDDEN.decode(),
                }


@pytest.mark.parametrize("path", ["/v1/keys/verify", "/v1/jwt/verify"], ids=["Basic", "Bearer"])
def test_a_good_key_that_was_used_too_much_is_refused_with_429(place: Place, path: str) -> None:
    issued = Keys(place, place.integration).issue(rate_limit=RateLimit(limit=1, period_seconds=60, burst=1))
    token = bearer(issued)["Authorization"].removeprefix("Bearer ")
    credential = {"headers": basic(issued)} if path == "/v1/keys/verify" else {"jwt": token}
    asked = {"dialect": "sunshine", **credential}
    first, second = (place.bundle.request("POST", path, place.world.bearer, json_body=asked).json() for _ in range(2))
    assert (first["valid"], second["valid"], second["reason"]) == (True, False, "rate_limited")
    refusal = second["refusal"]
    assert (refusal["status"], refusal["body"]) == (
        429,
        '{"errors":[{"code":"too_many_requests","title":"Too many requests"}]}',
    )
    assert 1 <= int(refusal["headers"]["Retry-After"]) <= 60


# --- the vendor's item "Create Integration Key" --------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [basic, bearer], ids=["-u username:password", "Authorization: Bearer <token>"])
def test_the_vendors_request_is_answered_as_its_sample_is(place: Place, scheme: Callable[[Issued], Headers]) -> None:
    """POST, the JSON of the item with its line breaks, `Content-Type: application/json`; 201 and the same members."""
    answer = place.bundle.request(
        "POST",
        f"/v2/apps/{place.app.id}/integrations/{id_of(place.integration)}/keys",
        {**scheme(place.app_key), "Content-Type": "application/json"},
        '{\n    "displayName": "My custom key"\n}',
    )
    sample = {"key": {"id": "int_5e4b0f225aca01092928f917", "displayName": "Duis", "secret": "Ck1LjzzlUzvlCTtqAdQ2z1Q"}}
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    body = answer.json()
    assert [*body] == [*sample]
    assert [*body["key"]] == [*sample["key"]]
    assert re.fullmatch(r"int_[0-9a-f]{24}", body["key"]["id"])
    assert body["key"]["displayName"] == "My custom key"


def test_with_id_and_secret_one_signs_tokens_on_behalf_of_the_integration(place: Place) -> None:
    key = place.create().json()["key"]
    header = {"alg": "HS256", "typ": "JWT", "kid": key["id"]}
    token = signed(header, {"scope": "integration"}, key["secret"].encode())
    verdict = place.bundle.request("POST", "/v1/jwt/verify", place.world.bearer, json_body={"jwt": token}).json()
    assert (verdict["valid"], verdict["scope"]) == (True, "integration")
    assert verdict["owner"] == {"kind": "integration", "id": place.integration.id}
