"""Where a key ends: in time, and at the border of its tenant.

P2: the clock a millisecond before an expiry, at it and after it, for a key of every kind, through all that looks at a
credential; no sweep has run. P9: every place for an id in every endpoint's request, with each id of another tenant,
answered like an id that nobody has.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any, Final

import pytest

from keywright.authorizer import Unauthorized
from keywright.bootstrap import SystemClock
from keywright.model import KeyKind, OwnerRef
from local import demo
from tests.contract.test_tenancy import (
    BEYOND_THE_TENANT,
    FUNCTIONS,
    NAMES_SOMETHING,
    ROUTER,
    Event,
    Neighbour,
    as_seen,
)
from tests.reliability.endpoints import Rig, rig
from tests.reliability.figures import NIGHTLY, Figures
from tests.world import World

SHARES: Final = 4
START_MS: Final = 1_790_000_000_000
EXPIRES_MS: Final = START_MS + 86_400_000
UNREAD: Final = frozenset({KeyKind.OAUTH_CLIENT, KeyKind.REFRESH_TOKEN})
"""They open nothing but an endpoint of ours."""


@pytest.fixture(scope="module")
def at() -> Iterator[Rig]:
    with rig("111133335555", nearby=True) as opened:
        yield opened


class Presented:
    """One credential, and all that can be asked whether it is good."""

    def __init__(self, at: Rig, world: World, kind: KeyKind) -> None:
        self._at, self._world = at, world
        owner = _owner(world, kind)
        issued = world.issue(kind, owner, expires_at_ms=EXPIRES_MS, scopes=_SCOPES.get(kind, ()))
        self._id, self.token, self._owner = issued.key.id, issued.token.reveal(), owner
        self._kind = kind

    def surfaces(self) -> Mapping[str, Callable[[], bool]]:
        found: dict[str, Callable[[], bool]] = {
            "verify": lambda: bool(self._ask("/v1/keys/verify", {"token": self.token})["valid"]),
            "verify, by its id": lambda: bool(
                self._ask("/v1/keys/verify", {"key_id": self._id, "secret": self.token})["valid"]
            ),
            "verify-batch": lambda: bool(
                self._ask("/v1/keys/verify-batch", {"keys": [{"token": self.token}]})["results"][0]["valid"]
            ),
            "introspect": self._introspect,
            "HTTP API's authorizer": lambda: self._authorizer("AuthorizersAuthorizeHttpApi"),
            "REST API's authorizer": lambda: self._authorizer("AuthorizersAuthorizeRestApi"),
        }
        if own := self._as_a_caller():
            found["as a caller"] = own
        return found

    def _ask(self, path: str, body: Any) -> Any:
        answer = self._at.bundle.request("POST", path, self._world.bearer, json_body=body)
        assert answer.status == 200, answer.text
        return answer.json()

    def _introspect(self) -> bool:
        answer = self._at.bundle.request("POST", "/v1/introspect", self._world.bearer, form={"token": self.token})
        return bool(answer.json()["active"])

    def _authorizer(self, function: str) -> bool:
        event = json.loads(json.dumps(self._at.event(function)).replace(demo.SAMPLE_KEY_TOKEN, self.token))
        event["stageVariables"] = {"keywright_tenant": self._world.tenant, "keywright_kinds": self._kind.value}
        try:
            payload = self._at.bundle.invoke(function, event).payload
        except Unauthorized:  # which API Gateway makes a 401 of
            return False
        return bool(payload.get("isAuthorized")) if "isAuthorized" in payload else '"Allow"' in json.dumps(payload)

    def _as_a_caller(self) -> Callable[[], bool] | None:
        """Where an endpoint of ours takes the credential itself: whether it got past the door."""
        tenant = self._world.tenant
        match self._kind:
            case KeyKind.NATIVE:
                return lambda: self._passes(
                    "GET", f"/v1/keys/{self._id}", {"Authorization": f"Bearer {self.token}"}, "401"
                )
            case KeyKind.ACCESS_TOKEN:
                path = f"/api/v2/{tenant}/apps/1/channels/android"
                return lambda: self._passes("GET", path, {"Authorization": f"Zoho-oauthtoken {self.token}"}, "1008")
            case KeyKind.REP_KEY:
                return lambda: self._passes("GET", f"/api/json/listApiKeys?apikey={self.token}", {}, "5102")
            case (
                KeyKind.ACCOUNT_SECRET
                | KeyKind.SERVICE_ACCOUNT_SECRET
                | KeyKind.APP_SECRET
                | KeyKind.INTEGRATION_SECRET
            ):
                pair = base64.b64encode(f"{self._id}:{self.token}".encode()).decode()
                return lambda: self._passes(
                    "GET", "/v2/apps/x/keys", {"Authorization": f"Basic {pair}"}, "unauthorized"
                )
        return None

    def _passes(self, method: str, target: str, headers: Mapping[str, str], refusal: str) -> bool:
        answer = self._at.bundle.request(method, target, headers)
        return refusal not in f"{answer.status} {answer.text}"


_SCOPES: Final = {KeyKind.NATIVE: ("keys:read",), KeyKind.ACCESS_TOKEN: ("SalesIQ.apps.ALL",)}


def _owner(world: World, kind: KeyKind) -> OwnerRef:
    match kind:
        case KeyKind.REP_KEY:
            return world.rep("priya.rao").ref
        case KeyKind.INTEGRATION_SECRET:
            return world.integration(world.app()).ref
        case KeyKind.APP_SECRET | KeyKind.APP_API_KEY:
            return world.app().ref
    return world.operator.ref


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind not in UNREAD and "access_key" not in kind])
def test_a_key_stops_in_the_millisecond_of_its_expiry(
    kind: KeyKind, at: Rig, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [START_MS]
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: now[0])
    at.begin()
    surfaces = Presented(at, World(demo.desk(at.stack)), kind).surfaces()
    for name, is_good in surfaces.items():
        said = []
        for now[0] in (EXPIRES_MS - 1, EXPIRES_MS, EXPIRES_MS + 1):
            said.append(is_good())
        assert said == [True, False, False], name
        figures.add("P2", looks=3)
    figures.add("P2", kinds=1)
    figures.note("P2", surfaces=len(surfaces), late=0)


class House:
    """The demo tenant and its neighbour, as they were before each request."""

    def __init__(self, at: Rig) -> None:
        at.begin()
        self.at, self.neighbour = at, Neighbour(at.stack)
        self.held = at.table.snapshot()

    def ask(self, event: Event, fill: Callable[[str], tuple[str, str | None]], value: str) -> Any:
        """None where no route takes such a path."""
        target, body = fill(value)
        if ROUTER.match(event.method, target.partition("?")[0]) is None:
            return None
        answer = self.at.bundle.request(event.method, target, event.headers, body)
        theirs, table = self.neighbour.world.tenant, self.at.table
        for address in self.held.items.keys() | table.items.keys():
            before, after = self.held.items.get(address), table.items.get(address)
            if before is not after and value != theirs:
                assert f'"{theirs}"' not in json.dumps([before, after]), address
        table.restore(self.held)
        self.at.stack.aws._tokens.clear()
        return as_seen(answer, value)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with ExitStack() as stack:
        yield House(stack.enter_context(rig("111133337777", nearby=True)))


@pytest.mark.parametrize("share", range(SHARES))
def test_an_id_of_another_tenant_is_answered_like_none(house: House, share: int, figures: Figures) -> None:
    """In the daily run every place, and of the ids that it is tried with every fourth."""
    for n, function in enumerate(FUNCTIONS):
        if n % SHARES != share:
            continue
        event = Event(function)
        for asked in event.requests():
            if asked.where == "form apikey" or (function, asked.where) in BEYOND_THE_TENANT:
                continue
            ids = house.neighbour.ids if NAMES_SOMETHING.search(asked.where) else {"app": house.neighbour.ids["app"]}
            for name, foreign in [*ids.items()][:: 1 if NIGHTLY else 4]:
                answer = house.ask(event, asked.fill, foreign)
                unknown = house.ask(event, asked.fill, house.neighbour.unknown(name))
                assert answer == unknown, f"{function}, {asked.where}: {name}"
                figures.add("P9", ids_of_another_tenant=1)
            figures.add("P9", places=1)
        figures.add("P9", endpoints=1)
    figures.note("P9", told_apart=0)
