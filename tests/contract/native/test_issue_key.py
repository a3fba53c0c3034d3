"""POST /v1/keys"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keywright import registry
from keywright.model import KeyKind, KeyState, OwnerRef
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    COMMIT,
    GET,
    INVALID,
    LONG,
    MISSING,
    OPERATOR,
    SEAL,
    SHORT,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    key_view,
    operator_of,
    refused,
)
from tests.world import World

SHAPES = {
    "native": r"kw_local_",
    "access_token": "1000.",
    "rep_key": "",
    "account_secret": "",
    "service_account_secret": "",
    "app_secret": "",
    "integration_secret": "",
    "app_api_key": "",
}


def issue(bundle: Bundle, world: World, owner: Any = None, **body: Any) -> Answer:
    return bundle.request("POST", "/v1/keys", world.bearer, json_body={"owner": owner or operator_of(world), **body})


def address(ref: OwnerRef) -> dict[str, str]:
    return {"kind": ref.kind.value, "id": ref.id}


def owner_for(world: World, kind: str) -> OwnerRef:
    match kind:
        case "rep_key":
            return world.rep().ref
        case "app_secret" | "app_api_key":
            return world.app().ref
        case "integration_secret":
            return world.integration(world.app()).ref
    return world.operator.ref


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_shows_the_key_and_once_its_token(bundle: Bundle, world: World) -> None:
    answer = issue(
        bundle, world, description="tills", scopes=["keys:verify", "keys:*"], expires_at="2999-12-31T23:59:59.123Z"
    )
    token = answer.json()["token"]
    key = world.key(answer.json()["id"])
    answered(answer, 201, {**key_view(key), "token": token})
    assert answer.calls == (GET, SEAL, COMMIT)
    assert key.expires_at_ms == 32503679999123
    assert (key.description, key.scopes, key.kind) == ("tills", ("keys:verify", "keys:*"), KeyKind.NATIVE)
    assert key.creator.id == world.operator.id
    assert token.startswith("kw_local_")
    assert token not in bundle.request("GET", f"/v1/keys/{key.id}", world.bearer).text


def test_a_key_for_an_owner_and_nothing_else_is_native_has_no_scope_and_never_expires(
    bundle: Bundle, world: World
) -> None:
    view = issue(bundle, world).json()
    assert (view["kind"], view["scopes"], view["description"], view["expires_at"]) == ("native", [], "", None)


@pytest.mark.parametrize("kind", SHAPES)
def test_a_key_of_every_kind_is_issued_and_valid_at_once(bundle: Bundle, world: World, kind: str) -> None:
    owner = owner_for(world, kind)
    answer = issue(bundle, world, address(owner), kind=kind)
    assert (answer.status, answer.json()["kind"], answer.json()["owner"]) == (201, kind, address(owner))
    assert answer.json()["token"].startswith(SHAPES[kind])
    assert answer.calls == (GET, SEAL, COMMIT)
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": answer.json()["token"]})
    assert (verdict.json()["valid"], verdict.json()["key_id"]) == (True, answer.json()["id"])


def test_a_native_key_is_for_an_owner_of_any_kind(bundle: Bundle, world: World) -> None:
    app = world.app()
    owners = [world.operator, world.channel(app).channel, world.integration(app, type="web"), world.rep(role=None), app]
    for owner in owners:
        answer = issue(bundle, world, address(owner.ref))
        assert answer.status == 201, answer.text
        assert answer.json()["owner"] == address(owner.ref)


@pytest.mark.parametrize("zone", ["Z", "+00:00", "+05:30", "-11:00"])
def test_an_expiry_is_a_moment_in_any_zone(bundle: Bundle, world: World, zone: str) -> None:
    given = f"2031-05-01T12:00:00{zone}"
    view = issue(bundle, world, expires_at=given).json()
    assert datetime.fromisoformat(view["expires_at"]) == datetime.fromisoformat(given)
    assert view["expires_at"].endswith("Z")


@pytest.mark.parametrize("given", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999+00:00"])
def test_the_last_moment_there_is_can_be_listed_again(bundle: Bundle, world: World, given: str) -> None:
    view = issue(bundle, world, expires_at=given).json()
    listed = bundle.request("GET", f"/v1/keys?owner_kind=operator&owner_id={world.operator.id}", world.bearer)
    assert view["expires_at"] in [each["expires_at"] for each in listed.json()["keys"]]


# --- refusals of the owner -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("operator", "There is no such operator."),
        ("app", "There is no such app."),
        ("channel", "There is no such channel."),
        ("integration", "There is no such integration."),
        ("support_rep", "There is no such support rep."),
    ],
)
def test_an_owner_of_another_tenant_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World, kind: str, title: str
) -> None:
    app = another_world.channel(another_world.app()).app
    theirs = {
        "operator": another_world.add_operator(),
        "app": app,
        "channel": another_world.channel(another_world.app()).channel,
        "integration": another_world.integration(app),
        "support_rep": another_world.rep(),
    }[kind]
    for owner_id in (theirs.id, "nobody", theirs.id + "x"):
        answer = issue(bundle, world, {"kind": kind, "id": owner_id})
        refused(answer, "owner-not-found", title)
        assert answer.calls == (GET, SEAL, COMMIT)
    assert list(another_world.desk.store.keys_of(theirs.ref, KeyKind.NATIVE).items) == []


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ({"login_enabled": False, "role": None}, "Login is not enabled for the support rep."),
        ({"role": None}, "No role is assigned to the support rep."),
    ],
)
def test_a_rep_without_login_or_role_has_no_key(
    bundle: Bundle, world: World, attributes: dict[str, Any], title: str
) -> None:
    rep = world.rep(**attributes)
    refused(issue(bundle, world, address(rep.ref), kind="rep_key"), "owner-not-eligible", title)


def test_only_custom_integrations_have_keys(bundle: Bundle, world: World) -> None:
    bot = world.integration(world.app(), type="web")
    answer = issue(bundle, world, address(bot.ref), kind="integration_secret")
    refused(answer, "owner-not-eligible", "Only custom integrations have keys.")


def test_an_unpublished_app_has_no_api_key(bundle: Bundle, world: World) -> None:
    app = world.app(published=False)
    answer = issue(bundle, world, address(app.ref), kind="app_api_key")
    refused(answer, "owner-not-eligible", "The app is not published.")


def test_a_disabled_operator_gets_no_key(bundle: Bundle, world: World) -> None:
    operator = world.add_operator()
    registry.change(world.desk, world.principal, operator, {"enabled": False})
    for kind in ("native", "access_token", "account_secret", "service_account_secret"):
        refused(issue(bundle, world, address(operator.ref), kind=kind), "operator-disabled")


def test_a_rep_has_one_key(bundle: Bundle, world: World) -> None:
    rep = world.rep()
    assert issue(bundle, world, address(rep.ref), kind="rep_key").status == 201
    refused(issue(bundle, world, address(rep.ref), kind="rep_key"), "key-exists")


def test_an_eleventh_secret_is_refused_and_a_revoked_one_makes_room(bundle: Bundle, world: World) -> None:
    owner = address(world.app().ref)
    issued = [issue(bundle, world, owner, kind="app_secret").json()["id"] for _ in range(10)]
    refused(issue(bundle, world, owner, kind="app_secret"), "limit-reached")
    bundle.request("POST", f"/v1/keys/{issued[3]}/revoke", world.bearer)
    assert issue(bundle, world, owner, kind="app_secret").status == 201
    refused(issue(bundle, world, owner, kind="app_secret"), "limit-reached")


@pytest.mark.parametrize(
    ("kind", "owner_kind"),
    [
        ("rep_key", "app"),
        ("access_token", "app"),
        ("account_secret", "app"),
        ("app_secret", "operator"),
        ("app_api_key", "support_rep"),
        ("integration_secret", "app"),
    ],
)
def test_a_kind_of_key_that_the_owner_cannot_have_is_an_invalid_field(
    bundle: Bundle, world: World, kind: str, owner_kind: str
) -> None:
    answer = issue(bundle, world, {"kind": owner_kind, "id": "any"}, kind=kind)
    fields_refused(answer, ("kind", INVALID))
    assert answer.calls == (GET,)


# --- refusals of the body ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [("owner", MISSING)]),
        ({"owner": None}, [("owner", TYPE)]),
        ({"owner": "operator"}, [("owner", TYPE)]),
        ({"owner": {}}, [("owner.kind", MISSING), ("owner.id", MISSING)]),
        ({"owner": {"kind": "operator"}}, [("owner.id", MISSING)]),
        ({"owner": {"kind": "nobody", "id": "1"}}, [("owner.kind", INVALID)]),
        ({"owner": {"kind": "operator", "id": ""}}, [("owner.id", SHORT)]),
        ({"owner": {"kind": "operator", "id": "x" * 201}}, [("owner.id", LONG)]),
        ({"owner": {"kind": "operator", "id": "a\nb"}}, [("owner.id", INVALID)]),
        ({"owner": {"kind": "operator", "id": "a\u001fb"}}, [("owner.id", INVALID)]),
        ({"owner": {"kind": "operator", "id": 5}}, [("owner.id", TYPE)]),
        ({"owner": {**OPERATOR, "tenant": "x"}}, [("owner.tenant", UNKNOWN)]),
        ({"owner": OPERATOR, "kind": "android_access_key"}, [("kind", INVALID)]),
        ({"owner": OPERATOR, "kind": "Native"}, [("kind", INVALID)]),
        ({"owner": OPERATOR, "kind": None}, [("kind", INVALID)]),
        ({"owner": OPERATOR, "description": "x" * 201}, [("description", LONG)]),
        ({"owner": OPERATOR, "description": "a\u0085b"}, [("description", INVALID)]),
        ({"owner": OPERATOR, "description": "a\u2028b"}, [("description", INVALID)]),
        ({"owner": OPERATOR, "description": None}, [("description", TYPE)]),
        ({"owner": OPERATOR, "scopes": "keys:issue"}, [("scopes", TYPE)]),
        ({"owner": OPERATOR, "scopes": [5]}, [("scopes[0]", TYPE)]),
        ({"owner": OPERATOR, "scopes": ["a", ""]}, [("scopes[1]", INVALID)]),
        ({"owner": OPERATOR, "scopes": ["a b"]}, [("scopes[0]", INVALID)]),
        ({"owner": OPERATOR, "scopes": ["a\n"]}, [("scopes[0]", INVALID)]),
        ({"owner": OPERATOR, "scopes": ["a" * 101]}, [("scopes[0]", LONG)]),
        ({"owner": OPERATOR, "scopes": ["a"] * 51}, [("scopes", INVALID)]),
        ({"owner": OPERATOR, "expires_at": 1893456000}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "soon"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "2031-05-01T12:00:00"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "2031-02-30T12:00:00Z"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "2020-05-01T12:00:00Z"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "9999-12-31T23:59:59-01:00"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "expires_at": "0001-01-01T00:00:00+23:59"}, [("expires_at", INVALID)]),
        ({"owner": OPERATOR, "token": "kw_mine"}, [("token", UNKNOWN)]),
        (
            {"kind": 5, "x": 1, "owner": {"kind": "operator"}},
            [("owner.id", MISSING), ("kind", INVALID), ("x", UNKNOWN)],
        ),
    ],
    ids=range(35),
)
def test_a_field_at_fault_is_named_and_nothing_is_written(
    bundle: Bundle, house: World, body: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    answer = bundle.request("POST", "/v1/keys", house.bearer, json_body=body)
    fields_refused(answer, *fields)
    assert answer.calls == (GET,)


def test_an_expiry_is_refused_from_this_very_moment_backwards(bundle: Bundle, world: World) -> None:
    now = datetime.now(UTC)
    fields_refused(issue(bundle, world, expires_at=now.isoformat()), ("expires_at", INVALID))
    assert issue(bundle, world, expires_at=(now + timedelta(minutes=1)).isoformat()).status == 201


@pytest.mark.parametrize(
    ("held", "wanted", "granted"),
    [
        (["keys:issue", "keys:read"], ["keys:read"], True),
        (["keys:issue", "keys:*"], ["keys:read", "keys:anything"], True),
        (["keys:issue"], ["keys:read"], False),
        (["keys:issue", "keys:read"], ["keys:*"], False),
        (["keys:issue", "keys:read"], ["keys:read", "*"], False),
        (["*"], ["installation:tenants"], False),
        (["*"], ["installation:*"], False),
        (["*", "installation:*"], ["installation:tenants"], True),
    ],
)
def test_nobody_hands_out_more_than_they_have(
    bundle: Bundle, world: World, held: list[str], wanted: list[str], granted: bool
) -> None:
    caller = holder_of(world, *held)
    answer = bundle.request("POST", "/v1/keys", caller, json_body={"owner": operator_of(world), "scopes": wanted})
    if granted:
        assert (answer.status, answer.json()["scopes"]) == (201, wanted)
    else:
        assert answer.json() == {
            "type": "urn:keywright:problem:scope-missing",
            "title": "The credentials do not permit this.",
            "status": 403,
            "fields": [{"field": "scopes", "problem": "The credentials do not permit this."}],
        }
        assert answer.calls == (GET,)


# --- when AWS does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (SEAL, "DisabledException"),
        (SEAL, "ThrottlingException"),
        (SEAL, "KMSInternalException"),
        (COMMIT, "ThrottlingException"),
        (COMMIT, "InternalServerError"),
    ],
)
def test_what_cannot_be_done_for_the_moment_is_not_half_done(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch, operation: str, code: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    status = 500 if "Internal" in code else 400
    before = list(world.desk.store.keys_of(world.operator.ref).items)
    with monkeypatch.context() as broken:
        broken.setattr(
            stack.aws, "fault", lambda call: Fault(error(code, status)) if call.operation == operation else None
        )
        answer = issue(bundle, world)
    refused(answer, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert list(world.desk.store.keys_of(world.operator.ref).items) == before


def test_an_issued_key_is_active_and_its_state_is_told(bundle: Bundle, world: World) -> None:
    assert issue(bundle, world).json()["state"] == KeyState.ACTIVE
