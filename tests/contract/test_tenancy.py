"""Tenancy comes from the credential alone: every endpoint, with every id of another tenant, in every place for an id.

Each request is asked twice, with the other tenant's id and with one that nobody has; but for the id itself the answers
are the same bytes, and nothing of the other tenant's has changed. The requests are the committed events, so a new
endpoint is in here with its event; what an event leaves out stands in `ALSO`.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, urlencode

import pytest

from keywright import tokens
from keywright.model import RULES, KeyKind, Platform
from keywright.registry import TENANT_SCOPES
from local import demo
from local.gateway import Router
from local.iam import Call
from local.stack import Stack
from local.template import Template
from tests.bundle import GENERATED, Answer, Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Template.load(ROOT / "template.yaml")
ROUTER = Router(TEMPLATE.routes)
FUNCTIONS = sorted({route.function for route in TEMPLATE.routes})
JSON, FORM = "application/json", "application/x-www-form-urlencoded"

ALSO: Final[Mapping[str, tuple[dict[str, Any], ...]]] = {
    "NativeCreateOwner": (
        {"body": {"kind": "app", "id": "?", "name": "Kiosks"}},
        {"body": {"kind": "channel", "app_id": "?", "platform": "ios", "bundle_name": "com.example.orchard"}},
        {"body": {"kind": "integration", "id": "?", "app_id": demo.SUNSHINE_APP, "name": "Bot"}},
        {"body": {"kind": "integration", "app_id": "?", "name": "Bot"}},
        {"body": {"kind": "support_rep", "id": "?", "name": "Meera"}},
        {"body": {"kind": "operator", "id": "?", "name": "Ama"}},
    ),
    "NativeIssueKey": (
        {"body": {"owner": {"kind": "operator", "id": "?"}}},
        {"body": {"owner": {"kind": "integration", "id": "?"}, "kind": "integration_secret"}},
        {"body": {"owner": {"kind": "support_rep", "id": "?"}, "kind": "rep_key"}},
        {"body": {"owner": {"kind": "operator", "id": demo.OPERATOR}, "kind": "refresh_token", "client_id": "?"}},
    ),
    "NativeListKeys": tuple(
        {"query": f"owner_kind={kind}&owner_id=?"} for kind in ("operator", "app", "channel", "integration")
    ),
    "NativeVerifyKey": (
        {"body": {"key_id": "?", "secret": demo.SUNSHINE_SECRET}},
        {"body": {"token": "?"}},
        {"body": {"app_key": "?", "access_key": "?"}},
    ),
}
"""Further requests: a query or a JSON body in place of the event's, with ``?`` wherever an id goes."""


class Neighbour:
    """Another tenant with one of everything, by the ids that a caller could know."""

    def __init__(self, stack: Stack) -> None:
        self.world = world = World(demo.desk(stack))
        app, operator = world.app(), world.operator.ref
        channel, bot, rep = world.channel(app), world.integration(app), world.rep("nora.neighbour")
        native = world.issue(KeyKind.NATIVE, app.ref)
        client = world.issue(KeyKind.OAUTH_CLIENT, operator)
        account = world.issue(KeyKind.ACCOUNT_SECRET, operator)
        app_secret, bots = world.issue(KeyKind.APP_SECRET, app.ref), world.issue(KeyKind.INTEGRATION_SECRET, bot.ref)
        tills, reps = world.issue(KeyKind.APP_API_KEY, app.ref), world.issue(KeyKind.REP_KEY, rep.ref)
        self.ids = {
            "tenant": world.tenant,
            "operator": operator.id,
            "app": app.id,
            "channel": f"{app.id}:{Platform.ANDROID}",
            "channel's access key": channel.token.reveal(),
            "channel's app key": channel.pairing.reveal(),
            "channel's key": channel.key.id,
            "integration": bot.id,
            "integration, in its app": bot.id.rpartition(":")[2],
            "support rep": rep.id,
            **{
                f"{issued.key.kind} id": issued.key.id
                for issued in (native, client, account, app_secret, bots, tills, reps)
            },
            **{f"{issued.key.kind} token": issued.token.reveal() for issued in (native, tills, bots)},
        }

    def unknown(self, name: str) -> str:
        """What looks the same, and nobody has."""
        if name.endswith(" token"):
            return tokens.generate(RULES[KeyKind(name.removesuffix(" token"))].format, stage="local").reveal()
        if name == "channel's access key":
            return tokens.generate(RULES[KeyKind.ANDROID_ACCESS_KEY].format, stage="local").reveal()
        return re.sub(r"\d", lambda _: secrets.choice("0123456789"), self.ids[name]).replace("neighbour", "nobody")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in which one place is open for an id."""

    where: str
    fill: Callable[[str], tuple[str, str | None]]
    """The target and the body, with that id."""


class Event:
    """A committed event, as the request that it stands for."""

    def __init__(self, function: str) -> None:
        module = TEMPLATE.functions[function].handler.rpartition(".")[0].replace(".", "/")
        event = json.loads((ROOT / "events" / f"{module}.json").read_text())
        self.function = function
        self.method: str = event["requestContext"]["http"]["method"]
        self.headers = {name: value for name, value in event["headers"].items() if name != "content-length"}
        self._route: str = event["routeKey"].partition(" ")[2]
        self._path: str = event["rawPath"]
        self._query: str = event.get("rawQueryString", "")
        body: str | None = event.get("body")
        self._body = base64.b64decode(body or "").decode() if event.get("isBase64Encoded") else body

    def requests(self) -> Iterator[Asked]:
        yield from self._in_path()
        yield from self._in_pairs("query", self._query, lambda text: (self._target(text), self._body))
        media_type = self.headers.get("content-type", "")
        if self._body and media_type == FORM:
            yield from self._in_pairs("form", self._body, lambda text: (self._target(self._query), text))
        if self._body and media_type == JSON:
            yield from self._in_json(json.loads(self._body))
        for also in ALSO.get(self.function, ()):
            yield Asked(f"also {json.dumps(also)}", partial(self._filled, also))

    def _target(self, query: str) -> str:
        return f"{self._path}?{query}" if query else self._path

    def _in_path(self) -> Iterator[Asked]:
        segments = self._path.split("/")
        for n, part in enumerate(self._route.split("/")):
            if part.startswith("{"):
                before, after = "/".join(segments[:n]), "/".join(["", *segments[n + 1 :]])
                query = self._target(self._query).removeprefix(self._path)
                yield Asked(f"path {part}", partial(_joined, self._body, f"{before}/", f"{after}{query}"))

    def _in_pairs(self, where: str, text: str, fill: Callable[[str], tuple[str, str | None]]) -> Iterator[Asked]:
        pairs = parse_qsl(text)
        for n, (name, _) in enumerate(pairs):
            rest = partial(_replaced, pairs, n)
            yield Asked(f"{where} {name}", lambda value, rest=rest: fill(rest(value)))  # type: ignore[misc]

    def _in_json(self, document: Any) -> Iterator[Asked]:
        for place in places(document):
            where = f"body {'.'.join(map(str, place))}"
            yield Asked(where, partial(_with_value, self._target(self._query), document, place))

    def _filled(self, also: Mapping[str, Any], value: str) -> tuple[str, str | None]:
        query = also["query"].replace("?", quote(value)) if "query" in also else self._query
        body = json.dumps(also["body"]).replace('"?"', json.dumps(value)) if "body" in also else self._body
        return self._target(query), body


def _joined(body: str | None, before: str, after: str, value: str) -> tuple[str, str | None]:
    return f"{before}{quote(value, safe=':')}{after}", body


def _replaced(pairs: list[tuple[str, str]], n: int, value: str) -> str:
    return urlencode([*pairs[:n], (pairs[n][0], value), *pairs[n + 1 :]])


def _with_value(target: str, document: Any, place: tuple[str | int, ...], value: str) -> tuple[str, str | None]:
    changed = copy.deepcopy(document)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return target, json.dumps(changed)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the strings of a JSON body stand."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in members:
        if isinstance(each, str):
            yield (*at, name)
        yield from places(each, (*at, name))


def as_seen(answer: Answer, value: str) -> tuple[int, dict[str, str], str]:
    """The answer, but for the id that the caller gave and for what is made anew each time."""
    text = answer.text
    for spelling in sorted(spellings(value), key=len, reverse=True):
        text = text.replace(spelling, "<id>")
    headers = {name: each for name, each in answer.headers.items() if name != "content-length"}
    return answer.status, headers, GENERATED.sub("~", text)


def spellings(value: str) -> set[str]:
    plain = {value, value.lower(), value.upper(), value.replace("&", "&amp;")}
    return plain | {quote(each, safe="") for each in plain} | {quote(each) for each in plain} | {quote_plus(value)}


class Rows:
    """All that is stored, which can be had back after a request has changed it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._client = stack.client("dynamodb")
        self._table = next(iter(stack.template.tables.values())).name
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        self._before = {(row["pk"]["S"], row["sk"]["S"]): row for page in pages for row in page["Items"]}
        stack.aws.clear()

    def undo(self) -> list[dict[str, Any]]:
        """What was put, replaced or deleted since the last time, as it is and as it was."""
        rows = []
        for pk, sk in {each for call in self._stack.aws.calls for each in _written(call)}:
            key = {"pk": {"S": pk}, "sk": {"S": sk}}
            rows.append(self._client.get_item(TableName=self._table, Key=key).get("Item", key))
            if before := self._before.get((pk, sk)):
                self._client.put_item(TableName=self._table, Item=before)
                rows.append(before)
            else:
                self._client.delete_item(TableName=self._table, Key=key)
        self._stack.aws.clear()
        return rows


def _written(call: Call) -> Iterator[tuple[str, str]]:
    actions = [each for item in call.request.get("TransactItems", ()) for each in item.values()]
    if call.operation in {"UpdateItem", "PutItem", "DeleteItem"}:
        actions.append(call.request)
    for action in actions:
        key = action.get("Key") or action["Item"]
        yield key["pk"]["S"], key["sk"]["S"]


class House:
    """The demo tenant and its neighbour; after every request it is as it was."""

    def __init__(self, stack: Stack) -> None:
        demo.seed(stack)
        self.neighbour, self._bundle = Neighbour(stack), Bundle(stack)
        self._rows, self._theirs = Rows(stack), self.neighbour.world.tenant

    def ask(self, event: Event, asked: Asked, value: str) -> tuple[int, dict[str, str], str] | None:
        """None where no route takes such a path."""
        target, body = asked.fill(value)
        if ROUTER.match(event.method, target.partition("?")[0]) is None:
            return None
        answer = self._bundle.request(event.method, target, event.headers, body)
        for row in self._rows.undo():
            assert row.get("tenant") != {"S": self._theirs}, asked.where
            assert f"#{self._theirs}#" not in row["pk"]["S"] or value == self._theirs, asked.where
        return as_seen(answer, value)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with Stack.from_template(ROOT / "template.yaml", account="555566667777") as stack:
        yield House(stack)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_id_of_another_tenant_is_answered_like_one_that_nobody_has(house: House, function: str) -> None:
    event = Event(function)
    for asked in event.requests():
        if asked.where == "form apikey" or (function, asked.where) in BEYOND_THE_TENANT:
            continue  # the first is the caller's credential, and says of which tenant the caller is
        ids = house.neighbour.ids if NAMES_SOMETHING.search(asked.where) else {"app": house.neighbour.ids["app"]}
        for name, foreign in ids.items():
            answer = house.ask(event, asked, foreign)
            assert answer == house.ask(event, asked, house.neighbour.unknown(name)), f"{asked.where}: {name}"
            assert answer is None or answer[0] < 500, f"{asked.where}: {name}"


NAMES_SOMETHING: Final = re.compile(r"^path |^also |id$|key|owner|rep|token|app|client|screen", re.IGNORECASE)
"""Where every id is tried; anywhere else, in a description say, one will do."""

BEYOND_THE_TENANT: Final = {
    # The short name of a tenant is one for the whole installation, and only the installation's operator may ask for it.
    ("NativeCreateTenant", "body id"),
    # Whoever has a token may end its key, whosesoever it is.
    ("NativeRevokeSelf", "body token"),
    ("NativeRevokeSelf", "form token"),
}


def test_the_neighbour_may_do_everything_itself() -> None:
    """Else every answer would be the same refusal, whatever the id."""
    with Stack.from_template(ROOT / "template.yaml", account="555566668888") as stack:
        neighbour, bundle = Neighbour(stack), Bundle(stack)
        assert neighbour.world.principal.scopes == TENANT_SCOPES
        for name in ("native id", "app_api_key id"):
            answer = bundle.request("GET", f"/v1/keys/{neighbour.ids[name]}", neighbour.world.bearer)
            assert answer.status == 200, answer.text


def test_every_function_with_a_route_has_a_place_for_an_id_or_none_to_give() -> None:
    assert {function for function in FUNCTIONS if not [*Event(function).requests()]} == WITHOUT_A_PLACE


WITHOUT_A_PLACE: Final = {"NativeGetOpenapi", "SupportcenterConsole"}
"""What takes nothing from its caller but the credential."""
