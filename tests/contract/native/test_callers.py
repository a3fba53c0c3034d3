"""Who is let in, by every endpoint of the native API alike, and before anything else is looked at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keywright import lifecycle
from keywright.model import Key, KeyKind
from keywright.ports import KeyRef
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.native.desk import COMMIT, OPEN, OPERATIONS, REVEAL, SEAL, holder_of, refused
from tests.world import World

EVERY = pytest.mark.parametrize("name", OPERATIONS)
SCOPES = sorted({operation.scope for operation in OPERATIONS.values()})
DEEDS = [name for name, operation in OPERATIONS.items() if "{key_id}" in operation.target]
ABOUT_A_KEY = pytest.mark.parametrize("deed", DEEDS)
WITH_BODY = [name for name, operation in OPERATIONS.items() if operation.takes_a_body]


def test_every_native_route_is_here(stack: Stack) -> None:
    routes = {
        stack.template.functions[route.function].handler.split(".")[1]
        for route in stack.template.routes
        if route.path.startswith("/v1") and route.method != "ANY"
    }
    assert routes == OPERATIONS.keys() | OPEN


@EVERY
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic b3BlcmF0b3I6c2VjcmV0",
        "kw_local_token",
        "Bearer one two",
        "Bearer a,Bearer b",
    ],
)
def test_who_presents_no_bearer_token_is_refused_and_aws_not_asked(
    bundle: Bundle, house: World, name: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = OPERATIONS[name].ask(bundle, house, headers)
    refused(answer, "credentials-missing")
    assert answer.calls == ()


@EVERY
@pytest.mark.parametrize("token", ["x", "%FF", "kw_local_" + "A" * 49, "x" * 5000, "1000.x.y", "a,b"])
def test_a_token_of_no_format_is_refused_and_aws_not_asked(bundle: Bundle, house: World, name: str, token: str) -> None:
    answer = OPERATIONS[name].ask(bundle, house, {"Authorization": f"Bearer {token}"})
    refused(answer, "credentials-refused")
    assert answer.calls == ()


@EVERY
def test_every_bad_credential_is_refused_with_the_same_bytes(bundle: Bundle, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    bad = {
        "never issued": {"Authorization": "Bearer 00000000-0000-4000-8000-000000000000"},
        "of an app": holder_of(world, "*", owner=world.app().ref),
        "of another kind": {"Authorization": f"Bearer {world.access_token('*')}"},
    }
    ends: dict[str, Callable[[Key], object]] = {
        "disabled": lambda key: lifecycle.disable(world.desk, world.principal, key),
        "revoked": lambda key: lifecycle.revoke(world.desk, world.principal, key),
        "expired": world.expire,
    }
    for why, end in ends.items():
        issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
        end(issued.key)
        bad[why] = {"Authorization": f"Bearer {issued.token.reveal()}"}
    for why, headers in bad.items():
        answer = operation.ask(bundle, world, headers)
        refused(answer, "credentials-refused")
        # What is known and dead is noted, for the audit; the answer does not tell.
        assert answer.calls[1:] == ((COMMIT,) if why in {"revoked", "expired"} else ()), why


@EVERY
@pytest.mark.parametrize("spelling", ["bearer {}", "BEARER {}"])
def test_the_scheme_is_written_in_any_case(bundle: Bundle, world: World, name: str, spelling: str) -> None:
    caller = holder_of(world, OPERATIONS[name].scope)["Authorization"].removeprefix("Bearer ")
    answer = OPERATIONS[name].ask(bundle, world, {"authorization": spelling.format(caller)})
    assert answer.status == OPERATIONS[name].status, answer.text


@EVERY
def test_the_scope_of_the_endpoint_is_enough_and_all_the_others_are_not(
    bundle: Bundle, world: World, name: str
) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, world, holder_of(world, operation.scope))
    assert answer.status == operation.status, answer.text
    answer = operation.ask(bundle, world, holder_of(world, *(scope for scope in SCOPES if scope != operation.scope)))
    refused(answer, "scope-missing")
    assert len(answer.calls) == 1
    refused(operation.ask(bundle, world, holder_of(world)), "scope-missing")


@EVERY
def test_a_star_is_every_scope_of_the_tenant_and_none_beyond_it(bundle: Bundle, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, world, world.bearer)
    if operation.scope.startswith("installation:"):
        refused(answer, "scope-missing")
    else:
        assert answer.status == operation.status, answer.text


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"unknown": 1}', b"x" * 64_001, b"\xff"], ids=range(6))
def test_credentials_and_scopes_are_checked_before_the_body(
    bundle: Bundle, house: World, name: str, body: bytes
) -> None:
    operation = OPERATIONS[name]
    for content_type in ("application/json", "text/plain"):
        headers = {"Content-Type": content_type}
        answer = operation.ask(bundle, house, headers, body=body)
        refused(answer, "credentials-missing")
        assert answer.calls == ()
        refused(operation.ask(bundle, house, {**headers, **holder_of(house)}, body=body), "scope-missing")


@ABOUT_A_KEY
def test_another_tenants_key_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World, deed: str
) -> None:
    operation = OPERATIONS[deed]
    theirs = another_world.issue(KeyKind.NATIVE, another_world.operator.ref).key
    unknown = "key_000000000000000000000000"
    answers = [
        bundle.request(operation.method, operation.target.format(key_id=key_id), world.bearer)
        for key_id in (theirs.id, unknown, "x", theirs.id.upper(), "k" * 3000, "%20" + theirs.id)
    ]
    for answer in answers:
        refused(answer, "key-not-found")
        assert answer.calls == answers[0].calls
        assert answer.headers.keys() == answers[0].headers.keys()
    assert another_world.key(theirs.id) == theirs


@pytest.mark.parametrize("deed", [name for name in DEEDS if name != "undelete_key"])
def test_a_deleted_key_is_an_unknown_one(bundle: Bundle, world: World, deed: str) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    lifecycle.delete(world.desk, world.principal, key)
    operation = OPERATIONS[deed]
    refused(bundle.request(operation.method, operation.target.format(key_id=key.id), world.bearer), "key-not-found")


@ABOUT_A_KEY
def test_a_key_id_is_decoded_once(bundle: Bundle, world: World, deed: str) -> None:
    operation = OPERATIONS[deed]
    key = operation.key(world)
    body = {} if operation.body is None else {"json_body": operation.body_in(world)}
    target = operation.target.format(key_id=key.id.replace("_", "%5F"))
    assert bundle.request(operation.method, target, world.bearer, **body).status == operation.status
    twice = operation.target.format(key_id=key.id.replace("_", "%255F"))
    refused(bundle.request(operation.method, twice, world.bearer), "key-not-found")


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if "{" in each.target.partition("?")[0]])
@pytest.mark.parametrize("spoiled", ["%0A", "%00", "%1f", "%7F", "%C2%85"])
def test_an_address_with_a_control_character_is_nobodys(bundle: Bundle, house: World, name: str, spoiled: str) -> None:
    operation = OPERATIONS[name]
    key = house.issue(KeyKind.NATIVE, house.operator.ref).key
    ids = {"key_id": key.id, "app_id": "1", "operator_id": house.operator.id}
    target = operation.target.format(**{name: each + spoiled for name, each in ids.items()})
    for headers in ({}, house.bearer):
        answer = bundle.request(operation.method, target, headers)
        refused(answer, "path-unknown")
        assert answer.calls == ()


@EVERY
@pytest.mark.parametrize(
    ("code", "slug"),
    [("ProvisionedThroughputExceededException", "unavailable"), ("AccessDeniedException", "fault")],
)
def test_when_the_table_does_not_answer_nobody_is_let_in_and_nothing_is_told(
    bundle: Bundle, stack: Stack, house: World, monkeypatch: pytest.MonkeyPatch, name: str, code: str, slug: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    operation = OPERATIONS[name]
    caller = holder_of(house, operation.scope)
    operation.ask(bundle, house, {})
    monkeypatch.setattr(
        stack.aws, "fault", lambda call: Fault(error(code, 400, "kw_secret")) if call.principal else None
    )
    answer = operation.ask(bundle, house, caller)
    refused(answer, slug)
    assert answer.headers.get("retry-after") == ("1" if slug == "unavailable" else None)
    assert not {SEAL, REVEAL, COMMIT} & set(answer.calls)


def test_the_key_of_a_refused_caller_is_untouched(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    bundle.request("POST", f"/v1/keys/{issued.key.id}/revoke", holder_of(world, "keys:read"))
    ref = KeyRef(issued.key.id)
    assert world.desk.store.read(ref)[ref] == issued.key
