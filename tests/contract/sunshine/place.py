"""A custom integration of an app, callers of every kind, and the requests that this folder is about."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import jwt

from keywright.issuing import Issued
from keywright.model import App, Integration, Key, KeyKind, Operator
from local.aws import Fault
from local.iam import Call
from tests.bundle import Answer, Bundle
from tests.world import World

READS: Final = ("GetItem", "BatchGetItem")
"""What a refusal may cost at most: the credential, then the rest in one read."""
UNKNOWN: Final = "0123456789abcdef01234567"
SCOPES: Final = {"act": "account", "svc": "account", "app": "app", "int": "integration"}


class Place:
    def __init__(self, bundle: Bundle, world: World, *, app: str | None = None, integration: str | None = None) -> None:
        self.bundle, self.world = bundle, world
        self.app: App = world.app(id=app)
        self.integration: Integration = world.integration(self.app, id=integration)
        self.person: Operator = world.add_operator()
        self.app_key = world.issue(KeyKind.APP_SECRET, self.app.ref)
        self.account_key = world.issue(KeyKind.ACCOUNT_SECRET, self.person.ref)

    def service_key(self, *scopes: str) -> Issued:
        return self.world.issue(KeyKind.SERVICE_ACCOUNT_SECRET, self.person.ref, scopes=scopes)

    def integration_key(self) -> Issued:
        return self.world.issue(KeyKind.INTEGRATION_SECRET, self.integration.ref)

    def create(
        self,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        app: str | None = None,
        integration: str | None = None,
        prefix: str = "",
    ) -> Answer:
        """`body` is JSON, or, as bytes or text, sent as it is, with whatever content type `headers` have."""
        headers = basic(self.app_key) if headers is None else headers
        target = f"{prefix}/v2/apps/{app or self.app.id}/integrations/{integration or id_of(self.integration)}/keys"
        if isinstance(body, bytes | str):
            return self.bundle.request("POST", target, headers, body)
        body = {"displayName": "Billing bot"} if body is None else body
        return self.bundle.request("POST", target, headers, json_body=body)


class Keys:
    """The keys of one owner, an integration (K1 to K4) or an app (K5 to K8), as an account manages them."""

    def __init__(self, place: Place, owner: Integration | App) -> None:
        self.place, self.owner = place, owner
        of_app = isinstance(owner, App)
        self.kind = KeyKind.APP_SECRET if of_app else KeyKind.INTEGRATION_SECRET
        self.prefix = "app_" if of_app else "int_"
        self.unknown = f"{self.prefix}{UNKNOWN}"

    def issue(self, name: str = "Billing bot", **order: Any) -> Issued:
        return self.place.world.issue(self.kind, self.owner.ref, description=name, **order)

    def path(self, key: Key | str = "", *, app: str | None = None, integration: str | None = None) -> str:
        """Another `integration` is no part of the path to an app's keys."""
        below = f"/{key.id if isinstance(key, Key) else key}" if key else ""
        if isinstance(self.owner, App):
            return f"/v2/apps/{app or self.owner.id}/keys{below}"
        return f"/v2/apps/{app or self.owner.app_id}/integrations/{integration or id_of(self.owner)}/keys{below}"

    def ask(
        self,
        method: str,
        key: Key | str = "",
        headers: Mapping[str, str] | None = None,
        *,
        app: str | None = None,
        integration: str | None = None,
        prefix: str = "",
        **body: Any,
    ) -> Answer:
        """`body` as `Bundle.request` takes it."""
        caller = basic(self.place.account_key) if headers is None else headers
        target = f"{prefix}{self.path(key, app=app, integration=integration)}"
        return self.place.bundle.request(method, target, caller, **body)

    def list(self, headers: Mapping[str, str] | None = None, **path: Any) -> Answer:
        return self.ask("GET", "", headers, **path)

    def get(self, key: Key | str, headers: Mapping[str, str] | None = None, **path: Any) -> Answer:
        return self.ask("GET", key, headers, **path)

    def delete(self, key: Key | str, headers: Mapping[str, str] | None = None, **path: Any) -> Answer:
        return self.ask("DELETE", key, headers, **path)

    def create(self, headers: Mapping[str, str] | None = None, body: Any = None, **path: Any) -> Answer:
        """`body` is JSON, or, as bytes, sent as it is, with whatever content type `headers` have."""
        if isinstance(body, bytes):
            return self.ask("POST", "", headers, **path, body=body)
        return self.ask("POST", "", headers, **path, json_body={"displayName": "Billing bot"} if body is None else body)

    def listed(self) -> set[str]:
        """Their ids."""
        return {each["id"] for each in self.list().json()["keys"]}


@contextmanager
def faults(bundle: Bundle, fault: Callable[[Call], Fault | None]) -> Iterator[None]:
    bundle.stack.aws.fault = fault
    try:
        yield
    finally:
        bundle.stack.aws.fault = lambda _: None


def shown(issued: Issued) -> dict[str, str]:
    """A key with its secret, as it is shown."""
    return {"id": issued.key.id, "displayName": issued.key.description, "secret": issued.token.reveal()}


def id_of(integration: Integration) -> str:
    """The integration's id as this dialect has it, without the app's."""
    return integration.id.removeprefix(f"{integration.app_id}:")


def basic(issued: Issued) -> dict[str, str]:
    return basic_of(issued.key.id, issued.token.reveal())


def basic_of(key_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{key_id}:{secret}'.encode()).decode()}"}


def bearer(issued: Issued, **claims: Any) -> dict[str, str]:
    """A token as a customer's library makes it: PyJWT, with the key's own scope unless `claims` have another."""
    claims = {"scope": SCOPES[issued.key.id[:3]], **claims}
    token = jwt.encode(claims, issued.token.reveal(), algorithm="HS256", headers={"kid": issued.key.id})
    return {"Authorization": f"Bearer {token}"}


def refusal(code: str, *titles: str) -> bytes:
    """The body of a refusal, byte for byte."""
    entries = ",".join(f'{{"code":"{code}","title":"{title}"}}' for title in titles)
    return f'{{"errors":[{entries}]}}'.encode()


UNAUTHORIZED: Final = refusal("unauthorized", "Authorization is required")
FORBIDDEN: Final = refusal("forbidden", "Forbidden")
NOT_FOUND: Final = refusal("not_found", "Resource not found")
APP_NOT_FOUND: Final = refusal("app_not_found", "App not found")
INTEGRATION_NOT_FOUND: Final = refusal("integration_not_found", "Integration not found")
BAD_REQUEST: Final = refusal("bad_request", "Bad request")
NOT_CUSTOM: Final = refusal("bad_request", "API keys are available only for custom integrations")
UNAVAILABLE: Final = refusal("service_unavailable", "Service unavailable")
