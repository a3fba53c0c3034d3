"""POST /oauth/v2/token: grants refresh_token and client_credentials of RFC 6749"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import pytest

from keywright import errors, lifecycle, registry
from keywright.dialects.salesiq import refusals
from keywright.issuing import Issued
from keywright.model import KeyKind, Operator
from keywright.ports import Desk, TokenRef
from keywright.tokens import Token
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.salesiq.portal import READS, Portal
from tests.world import World

TOKEN = "/oauth/v2/token"
HOUR_MS = 3_600_000


@dataclass
class Client:
    """An OAuth client of a portal and a refresh token that `operator` gave it. `register` and `grant` go through the
    native API."""

    portal: Portal
    scopes: tuple[str, ...] = ("SalesIQ.apps.ALL",)
    id: str = field(init=False)
    secret: str = field(init=False)
    refresh_token: str = field(init=False)
    refresh_key_id: str = field(init=False)

    def __post_init__(self) -> None:
        registered = self.native(kind="oauth_client", scopes=[*self.scopes])
        self.id, self.secret = registered["id"], registered["token"]
        granted = self.native(kind="refresh_token", scopes=[*self.scopes], client_id=self.id)
        self.refresh_key_id, self.refresh_token = granted["id"], granted["token"]

    def native(self, owner: Operator | None = None, **order: Any) -> dict[str, Any]:
        address = {"kind": "operator", "id": (owner or self.portal.operator).id}
        body = {"owner": address, **order}
        answer = self.portal.bundle.request("POST", "/v1/keys", self.portal.world.bearer, json_body=body)
        assert answer.status == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    @property
    def basic(self) -> dict[str, str]:
        return basic(self.id, self.secret)

    @property
    def credentials(self) -> dict[str, str]:
        return {"client_id": self.id, "client_secret": self.secret}

    @property
    def refresh_form(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token, **self.credentials}

    def refresh(self, **changes: str) -> Answer:
        return self.post({**self.refresh_form, **changes})

    def post(
        self, form: Mapping[str, str] | Iterable[tuple[str, str]], headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.portal.bundle.request("POST", TOKEN, headers or {}, form=form)


def basic(client_id: str, secret: str) -> dict[str, str]:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


@pytest.fixture
def client(portal: Portal) -> Client:
    return Client(portal)


@pytest.fixture(scope="module")
def known(bundle: Bundle, admin: Desk) -> Client:
    """One client for all tests in which every request is refused, and so changes nothing."""
    return Client(Portal(bundle, World(admin)))


def granted(answer: Answer) -> str:
    """The access token of an answer that is as RFC 6749 5.1 has it."""
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    return str(body["access_token"])


def refused(answer: Answer, word: str, status: int = 400) -> None:
    """As RFC 6749 5.2 has it; and nothing but reads, and the audit's note that a dead secret was used."""
    assert (answer.status, answer.json()) == (status, {"error": word})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers.get("www-authenticate") == (
        'Basic realm="keywright", charset="UTF-8"' if status == 401 else None
    )
    assert set(answer.calls) <= READS | {"TransactWriteItems"}


# --- success -------------------------------------------------------------------------------------------------------


def test_a_refresh_token_gives_an_access_token_for_an_hour(client: Client) -> None:
    answer = client.refresh()
    token = granted(answer)
    assert list(answer.json()) == ["access_token", "token_type", "expires_in"]
    assert answer.calls == ("BatchGetItem", "GetItem", "Encrypt", "TransactWriteItems")
    client.portal.token = token
    created = client.portal.create_channel().json()["data"]
    assert created["creator"] == {"name": "Patricia", "id": client.portal.operator.id}
    verdict = client.portal.verify(token=token)
    assert (verdict["valid"], verdict["kind"], verdict["scopes"]) == (True, "access_token", ["SalesIQ.apps.ALL"])


def test_an_access_token_is_forgotten_by_the_table_some_time_after_it_ended(client: Client) -> None:
    """They come by the hour, and must not pile up for ever."""
    token = granted(client.refresh())
    key = client.portal.world.key(client.portal.verify(token=token)["key_id"])
    assert key.expires_at_ms is not None
    assert 0 <= key.created_at_ms + HOUR_MS - key.expires_at_ms < 5_000
    assert key.transient
    assert key.purge_at_ms is not None
    assert key.purge_at_ms > key.expires_at_ms
    assert key.creator.name == "Patricia"
    assert key.description == f"minted for {client.refresh_key_id}"


@pytest.mark.parametrize(("ranges", "status"), [(["127.0.0.0/8"], 200), (["203.0.113.0/24"], 400)])
def test_a_refresh_token_is_good_from_its_own_addresses_only_and_so_is_what_it_gives(
    client: Client, ranges: list[str], status: int
) -> None:
    world = client.portal.world
    key = world.overwrite(world.key(client.refresh_key_id), allowed_cidrs=tuple(ranges))
    answer = client.refresh()
    assert answer.status == status, answer.text
    if status == 200:
        ref = TokenRef(Token(granted(answer)).digest)
        grant = world.desk.store.read(ref)[ref]
        assert grant is not None
        assert grant.allowed_cidrs == key.allowed_cidrs


def test_a_refresh_token_can_be_used_again_and_again(client: Client) -> None:
    tokens = {granted(client.refresh()) for _ in range(2)}
    assert len(tokens) == 2
    assert all(client.portal.verifies(token) for token in tokens)


def test_a_client_may_authenticate_by_basic(client: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": client.refresh_token}
    granted(client.post(form, client.basic))
    granted(client.post({**form, "client_id": client.id}, client.basic))
    encoded = client.id.replace("_", "%5F")
    header = base64.b64encode(f"{encoded}:{client.secret}".encode()).decode()
    granted(client.post(form, {"Authorization": f"bAsIc {header}"}))


@pytest.mark.parametrize("by_header", [True, False])
def test_client_credentials_give_an_access_token_of_the_clients_own_operator(client: Client, by_header: bool) -> None:
    form = {"grant_type": "client_credentials", **({} if by_header else client.credentials)}
    answer = client.post(form, client.basic if by_header else {})
    token = granted(answer)
    assert answer.json()["scope"] == "SalesIQ.apps.ALL"
    assert answer.calls == ("GetItem", "GetItem", "Encrypt", "TransactWriteItems")
    assert client.portal.verify(token=token)["owner"] == {"kind": "operator", "id": client.portal.operator.id}


@pytest.mark.parametrize(
    ("scope", "held"),
    [
        ("SalesIQ.apps.READ", ["SalesIQ.apps.READ"]),
        ("SalesIQ.apps.READ SalesIQ.apps.CREATE", ["SalesIQ.apps.READ", "SalesIQ.apps.CREATE"]),
        ("SalesIQ.apps.READ,SalesIQ.apps.CREATE", ["SalesIQ.apps.READ", "SalesIQ.apps.CREATE"]),
        ("salesiq.APPS.read  salesiq.APPS.read", ["salesiq.APPS.read"]),
        ("SalesIQ.apps.all", ["SalesIQ.apps.all"]),
        ("", ["SalesIQ.apps.ALL"]),
    ],
)
@pytest.mark.parametrize("grant_type", ["refresh_token", "client_credentials"])
def test_a_client_may_ask_for_less_than_was_granted(
    client: Client, grant_type: str, scope: str, held: list[str]
) -> None:
    answer = client.refresh(grant_type=grant_type, scope=scope)
    assert client.portal.verify(token=granted(answer))["scopes"] == held
    assert ("scope" in answer.json()) is (grant_type == "client_credentials" and not scope)


def test_a_narrow_token_may_do_no_more(client: Client) -> None:
    client.portal.token = granted(client.refresh(scope="SalesIQ.apps.READ"))
    assert client.portal.create_channel().json()["error"]["code"] == 1009


def test_unknown_parameters_are_ignored_and_so_are_empty_ones(client: Client) -> None:
    granted(client.refresh(redirect_uri="https://example.com", state=""))


def test_a_token_never_outlives_what_it_was_minted_for(client: Client) -> None:
    world = client.portal.world
    now_ms = world.desk.clock.now_ms()
    world.overwrite(world.key(client.refresh_key_id), expires_at_ms=now_ms + 600_000)
    short = client.refresh().json()
    assert 590 <= short["expires_in"] <= 600
    world.overwrite(world.key(client.id), expires_at_ms=now_ms + 300_000)
    shorter = client.refresh().json()
    assert 290 <= shorter["expires_in"] <= 300


def test_a_refresh_token_acts_for_whoever_granted_it(client: Client) -> None:
    """The client is one operator's, the refresh token another's."""
    ama = client.portal.world.add_operator("Ama")
    theirs = client.native(ama, kind="refresh_token", scopes=["SalesIQ.apps.ALL"], client_id=client.id)["token"]
    client.portal.token = granted(client.refresh(refresh_token=theirs))
    assert client.portal.create_channel().json()["data"]["creator"] == {"name": "Ama", "id": ama.id}


# --- the client ----------------------------------------------------------------------------------------------------


def test_a_client_that_is_not_known_is_told_so_with_400_in_the_form_and_401_by_header(known: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": known.refresh_token}
    wrong = [
        (known.id, "0" * 86),
        (known.id, "guessed"),
        (known.id, known.refresh_token),
        ("client_" + "0" * 24, known.secret),
        (known.refresh_key_id, known.secret),
        ("ä", known.secret),
        ("x" * 5000, "y" * 5000),
    ]
    for client_id, secret in wrong:
        refused(known.post({**form, "client_id": client_id, "client_secret": secret}), "invalid_client")
        refused(known.post(form, basic(client_id, secret)), "invalid_client", 401)


@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"client_id": "{id}"},
        {"client_secret": "{secret}"},
        {"client_id": "", "client_secret": "{secret}"},
        {"client_id": "{id}", "client_secret": ""},
    ],
    ids=str,
)
def test_a_client_that_does_not_authenticate_is_refused(known: Client, credentials: dict[str, str]) -> None:
    sent = {name: text.format(id=known.id, secret=known.secret) for name, text in credentials.items()}
    form = {"grant_type": "refresh_token", "refresh_token": known.refresh_token, **sent}
    answer = known.post(form)
    refused(answer, "invalid_client")
    assert answer.calls == ()


@pytest.mark.parametrize(
    "header",
    ["Bearer {token}", "Zoho-oauthtoken {token}", "Basic", "Basic ", "Basic !!!", "Basic YQ==", "Basic /w==", ""],
)
def test_a_header_that_is_no_basic_pair_is_refused_with_401(known: Client, header: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": known.id}
    answer = known.post(form, {"Authorization": header.format(token=known.portal.token)})
    refused(answer, "invalid_client", 401)
    assert answer.calls == ()


def test_two_ways_to_authenticate_at_once_are_an_invalid_request(known: Client) -> None:
    """RFC 6749 2.3"""
    refused(known.post(known.refresh_form, known.basic), "invalid_request")
    another = {"grant_type": "client_credentials", "client_id": "client_" + "0" * 24}
    refused(known.post(another, known.basic), "invalid_request")


@pytest.mark.parametrize("deed", ["disable", "revoke"])
def test_a_client_that_is_ended_gets_nothing_by_either_grant(client: Client, deed: str) -> None:
    path = f"/v1/keys/{client.id}/{deed}"
    assert client.portal.bundle.request("POST", path, client.portal.world.bearer, json_body={}).status == 200
    refused(client.refresh(), "invalid_client")
    refused(client.refresh(grant_type="client_credentials"), "invalid_client")


def test_a_client_that_expired_gets_nothing(client: Client) -> None:
    client.portal.world.expire(client.portal.world.key(client.id))
    refused(client.refresh(), "invalid_client")


@pytest.mark.parametrize("kind", [KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET])
def test_another_secret_of_an_operator_is_no_client(client: Client, kind: KeyKind) -> None:
    issued = client.portal.world.issue(kind, client.portal.operator.ref, scopes=("SalesIQ.apps.ALL",))
    form = {"client_id": issued.key.id, "client_secret": issued.token.reveal()}
    refused(client.refresh(**form, grant_type="client_credentials"), "invalid_client")


# --- the grant -----------------------------------------------------------------------------------------------------


def test_a_refresh_token_that_is_not_known_is_an_invalid_grant(known: Client) -> None:
    world = known.portal.world
    access_token = world.access_token("SalesIQ.apps.ALL", operator=known.portal.operator)
    unknown = [access_token, "guessed", known.refresh_token.upper(), f"1000.{'0' * 32}.{'0' * 32}", known.secret, "ä"]
    for token in unknown:
        refused(known.refresh(refresh_token=token), "invalid_grant")


@pytest.mark.parametrize("end", ["disable", "revoke", "expire"])
def test_a_refresh_token_that_is_ended_is_an_invalid_grant(client: Client, end: str) -> None:
    world = client.portal.world
    minted = granted(client.refresh())
    key = world.key(client.refresh_key_id)
    match end:
        case "disable":
            lifecycle.disable(world.desk, world.principal, key)
        case "revoke":
            lifecycle.revoke(world.desk, world.principal, key)
        case _:
            world.expire(key)
    refused(client.refresh(), "invalid_grant")
    assert client.portal.verifies(minted), "what was minted before lives on for its hour"


def test_another_clients_refresh_token_is_an_invalid_grant(client: Client) -> None:
    other = Client(client.portal)
    refused(client.refresh(refresh_token=other.refresh_token), "invalid_grant")


def test_another_tenants_refresh_token_answers_like_an_unknown_one(client: Client, another_portal: Portal) -> None:
    other = Client(another_portal)
    theirs = client.refresh(refresh_token=other.refresh_token)
    unknown = client.refresh(refresh_token=f"1000.{'0' * 32}.{'0' * 32}")
    refused(theirs, "invalid_grant")
    assert (theirs.status, theirs.headers, theirs.body) == (unknown.status, unknown.headers, unknown.body)
    assert theirs.calls == unknown.calls == ("BatchGetItem",)


@pytest.mark.parametrize("grant_type", ["refresh_token", "client_credentials"])
def test_an_operator_who_is_switched_off_gets_nothing(client: Client, grant_type: str) -> None:
    minted = granted(client.refresh())
    client.portal.change("operator", client.portal.operator.id, enabled=False)
    refused(client.refresh(grant_type=grant_type), "invalid_grant")
    assert client.portal.verify(token=minted)["reason"] == "owner_not_eligible"


def test_a_client_whose_own_operator_is_switched_off_gets_nothing_for_another(client: Client) -> None:
    ama = client.portal.world.add_operator("Ama")
    theirs = client.native(ama, kind="refresh_token", scopes=["SalesIQ.apps.ALL"], client_id=client.id)["token"]
    client.portal.change("operator", client.portal.operator.id, enabled=False)
    refused(client.refresh(refresh_token=theirs), "invalid_client")


def test_an_operator_who_is_switched_off_meanwhile_gets_nothing(client: Client, faulty_stack: Stack) -> None:
    pending = [client.portal.operator.ref]
    world = client.portal.world

    def switch_off(call: Call) -> Fault | None:
        if pending and call.principal == "SalesiqRefreshAccessToken" and call.operation == "TransactWriteItems":
            registry.change(
                world.desk, world.principal, registry.owner_at(world.desk, pending.pop()), {"enabled": False}
            )
        return None

    faulty_stack.aws.fault = switch_off
    answer = client.refresh()
    assert not pending
    assert (answer.status, answer.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize(
    "scope",
    [
        "SalesIQ.conversations.READ",
        "SalesIQ.apps.READ SalesIQ.conversations.READ",
        "SalesIQ.apps",
        "SalesIQ.apps.",
        "SalesIQ.apps.*",
        "SalesIQ.apps.a.b",
        "SalesIQ.apps.\u00e4",
        "*",
        "installation:tenants",
        "SalesIQ.apps.READ" + "x" * 100,
        " ".join(f"SalesIQ.apps.{'a' * n}" for n in range(1, 52)),
    ],
    ids=lambda scope: ascii(scope[:50]),
)
@pytest.mark.parametrize("grant_type", ["refresh_token", "client_credentials"])
def test_a_client_may_not_ask_for_more_than_was_granted(known: Client, grant_type: str, scope: str) -> None:
    refused(known.refresh(grant_type=grant_type, scope=scope), "invalid_scope")


# --- the request ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant_type", ["password", "authorization_code", "Refresh_Token", "refresh_token ", "x" * 999])
def test_another_grant_is_not_supported(known: Client, grant_type: str) -> None:
    refused(known.refresh(grant_type=grant_type), "unsupported_grant_type")


@pytest.mark.parametrize("missing", ["grant_type", "refresh_token"])
def test_what_is_missing_makes_an_invalid_request(known: Client, missing: str) -> None:
    refused(known.refresh(**{missing: ""}), "invalid_request")
    refused(known.post({name: each for name, each in known.refresh_form.items() if name != missing}), "invalid_request")


@pytest.mark.parametrize("name", ["grant_type", "client_id", "client_secret", "refresh_token", "scope", "state"])
def test_a_parameter_that_is_sent_twice_makes_an_invalid_request(known: Client, name: str) -> None:
    """RFC 6749 3.2"""
    form = {"scope": "SalesIQ.apps.READ", "state": "1", **known.refresh_form}
    answer = known.post([*form.items(), (name, form[name])])
    refused(answer, "invalid_request")
    assert answer.calls == ()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", '{"grant_type": "client_credentials"}'),
        ("text/plain", "grant_type=client_credentials"),
        ("application/x-www-form-urlencoded", b"grant_type=%ff"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", "x" * 64_001),
        ("application/x-www-form-urlencoded", "a=1&" * 101),
    ],
    ids=range(6),
)
def test_what_is_no_form_makes_an_invalid_request(known: Client, content_type: str, body: str | bytes) -> None:
    headers = {**known.basic, "Content-Type": content_type}
    answer = known.portal.bundle.request("POST", TOKEN, headers, body)
    refused(answer, "invalid_request")
    assert answer.calls == ()


def test_credentials_in_the_address_are_not_looked_at(known: Client) -> None:
    """RFC 6749 2.3.1: an address ends up in logs."""
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in known.refresh_form.items())
    answer = known.portal.bundle.request("POST", f"{TOKEN}?{query}", form={"grant_type": "refresh_token"})
    refused(answer, "invalid_client")


def test_the_client_is_looked_at_before_the_grant(known: Client) -> None:
    refused(known.refresh(client_secret="guessed", grant_type="password"), "invalid_client")


# --- ourselves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["BatchGetItem", "GetItem", "Encrypt", "TransactWriteItems"])
def test_when_aws_does_not_answer_the_client_is_told_to_come_back(
    client: Client, faulty_stack: Stack, operation: str
) -> None:
    faulty_stack.aws.fault = lambda call: (
        Fault(error("ThrottlingException"))
        if (call.principal, call.operation) == ("SalesiqRefreshAccessToken", operation)
        else None
    )
    answer = client.refresh()
    assert (answer.status, answer.json()) == (503, {"error": "temporarily_unavailable"})
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("refusal", "status", "word"),
    [
        (errors.Fault(), 500, "server_error"),
        (errors.TooManyRequests(retry_after_seconds=3), 429, "temporarily_unavailable"),
        (errors.Conflict(), 503, "temporarily_unavailable"),
    ],
)
def test_what_is_not_the_clients_doing_has_a_status_of_its_own(
    refusal: errors.KeywrightError, status: int, word: str
) -> None:
    answer = refusals.token_error([refusal], by_header=True)
    assert (answer.status_code, json.loads(answer.body or "")) == (status, {"error": word})
    assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert "WWW-Authenticate" not in answer.headers


# --- the keys behind -----------------------------------------------------------------------------------------------


def test_neither_a_clients_secret_nor_a_refresh_token_opens_anything_else(client: Client) -> None:
    """A service behind that is shown one is told that it is unknown, and no endpoint takes it for a token."""
    portal = client.portal
    for credential in (
        {"token": client.refresh_token},
        {"token": client.secret},
        {"key_id": client.id, "secret": client.secret},
        {"app_key": client.secret, "access_key": client.refresh_token},
    ):
        assert portal.verify(**credential) == portal.verify(token="no token at all")
    portal.token = client.refresh_token
    assert portal.create_channel().json()["error"]["code"] == 1008


@pytest.mark.parametrize(
    ("order", "problem", "named"),
    [
        ({"kind": "refresh_token"}, "field-missing", "client_id"),
        ({"kind": "refresh_token", "client_id": "client_1"}, "field-invalid", "client_id"),
        ({"kind": "refresh_token", "client_id": "client_" + "0" * 24}, "field-invalid", "client_id"),
        ({"kind": "refresh_token", "client_id": "\ud800"}, "field-invalid", "client_id"),
        ({"kind": "access_token", "client_id": "{id}"}, "field-unknown", "client_id"),
        ({"kind": "oauth_client", "client_id": "{id}"}, "field-unknown", "client_id"),
    ],
    ids=range(6),
)
def test_a_refresh_token_is_for_a_client_and_nothing_else_is(
    known: Client, order: dict[str, str], problem: str, named: str
) -> None:
    order = {name: text.replace("{id}", known.id) for name, text in order.items()}
    body = {"owner": {"kind": "operator", "id": known.portal.operator.id}, **order}
    answer = known.portal.bundle.request("POST", "/v1/keys", known.portal.world.bearer, json_body=body)
    assert answer.status == 422
    assert answer.json()["type"] == f"urn:keywright:problem:{problem}"
    assert [each["field"] for each in answer.json()["fields"]] == [named]
    assert set(answer.calls) <= READS


def test_a_client_that_is_revoked_or_another_tenants_or_no_client_is_as_unknown(
    client: Client, another_portal: Portal
) -> None:
    world = client.portal.world
    revoked: Issued = world.issue(KeyKind.OAUTH_CLIENT, client.portal.operator.ref)
    lifecycle.revoke(world.desk, world.principal, revoked.key)
    foreign = another_portal.world.issue(KeyKind.OAUTH_CLIENT, another_portal.operator.ref).key.id
    owner = {"kind": "operator", "id": client.portal.operator.id}
    answers = [
        client.portal.bundle.request(
            "POST", "/v1/keys", world.bearer, json_body={"owner": owner, "kind": "refresh_token", "client_id": named}
        )
        for named in (foreign, revoked.key.id, "client_" + "0" * 24)
    ]
    assert len({(answer.status, answer.body, answer.calls) for answer in answers}) == 1
    assert answers[0].status == 422


def test_a_client_counts_to_its_operators_limit(portal: Portal) -> None:
    for _ in range(10):
        portal.world.issue(KeyKind.OAUTH_CLIENT, portal.operator.ref)
    with pytest.raises(errors.LimitReached):
        portal.world.issue(KeyKind.OAUTH_CLIENT, portal.operator.ref)
