"""A portal with one app, seen through this dialect and, for verifying, through the native API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keywright import registry
from keywright.model import App, Channel, Creator, EventType, Key, OwnerKind, OwnerRef, Platform
from keywright.ports import SingleKeyRef
from local.iam import Call
from tests.bundle import Answer, Bundle
from tests.world import World

MESSAGES = {
    1001: "Unknown authentication error. Contact SalesIQ Team!",
    1002: "Invalid authorization header.",
    1004: "Invalid Request Type.",
    1005: "Invalid portal or wrong screen name.",
    1006: "Invalid URL",
    1007: "Invalid datatypes found in params",
    1008: "Invalid OAuthToken.",
    1009: "Invalid OAuthScope.",
    1014: "Resource already exists",
    1015: "Either the input stream is invalid or absent",
    1016: "Operator doesn't have permission to perform the operation",
    1019: "Invalid Resource",
    1023: "Too many requests, lease try after sometime",
    1054: "Invalid header value",
}
"""To the letter of the vendor's page rest-api-v2.html."""

READS = {"GetItem", "BatchGetItem"}
WRITES = {"Encrypt", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
PLATFORMS = ("android", "ios")


@dataclass(frozen=True)
class Operation:
    """An endpoint under one of its addresses, with a request that succeeds where the channel has version 1.

    `row` is its number in docs/dialects/salesiq.md.
    """

    row: str
    method: str
    tail: str
    scope: str
    body: Any = None

    @property
    def takes_a_body(self) -> bool:
        return self.body is not None


OPERATIONS = {
    "create_access_key": Operation("Z1", "POST", "/channels/{kind}/accesskeys", "CREATE"),
    "list_access_keys": Operation("Z2", "GET", "/channels/{kind}/accesskeys", "READ"),
    "list_access_keys, swapped": Operation("Z2 swapped", "GET", "/{kind}/channels/accesskeys", "READ"),
    "update_access_key": Operation("Z3", "PUT", "/channels/{kind}/accesskeys/{version}", "UPDATE", {"enabled": "true"}),
    "update_access_key, shortened": Operation(
        "Z3 shortened", "PUT", "/{kind}/accesskeys/{version}", "UPDATE", {"is_enabled": "true"}
    ),
    "delete_access_key": Operation("Z4", "DELETE", "/channels/{kind}/accesskeys/{version}", "DELETE"),
    "create_channel": Operation("Z5", "POST", "/channels/{kind}", "CREATE", {"bundle_name": "com.mobile.zylker"}),
    "get_channel": Operation("Z6", "GET", "/channels/{kind}", "READ"),
    "update_channel": Operation("Z7", "PUT", "/channels/{kind}", "UPDATE", {"enabled": True}),
}


class Portal:
    """`operator` calls, with a token for everything about apps."""

    def __init__(self, bundle: Bundle, world: World) -> None:
        self.bundle = bundle
        self.world = world
        self.operator = world.add_operator("Patricia")
        self.token = world.access_token("SalesIQ.apps.ALL", operator=self.operator)
        self.app = world.app("Eleven")

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {self.token}"}

    def path(self, kind: str = "android", *, keys: bool = False, app: str | None = None, portal: str = "") -> str:
        suffix = "/accesskeys" if keys else ""
        return f"/api/v2/{portal or self.world.tenant}/apps/{app or self.app.id}/channels/{kind}{suffix}"

    def ask(
        self,
        name: str,
        kind: str = "android",
        *,
        version: str = "1",
        app: str | None = None,
        of: str = "",
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """One of the operations, with its usual body unless another is given as `Bundle.request` takes it."""
        operation = OPERATIONS[name]
        tail = operation.tail.format(kind=kind, version=version)
        path = f"/api/v2/{of or self.world.tenant}/apps/{app or self.app.id}{tail}"
        if not body and operation.takes_a_body:
            body = {"json_body": operation.body}
        return self.bundle.request(operation.method, path, self.authorization if headers is None else headers, **body)

    def open_channel(self, platform: Platform = Platform.ANDROID) -> None:
        """Lays a channel out, by the core."""
        app = registry.owner_at(self.world.desk, self.app.ref)
        assert isinstance(app, App)
        registry.add_channel(
            self.world.desk,
            self.world.principal,
            app,
            platform=platform,
            bundle_name="com.mobile.zylker",
            creator=Creator(self.operator.id, self.operator.name),
        )

    def create_access_key(self, kind: str = "android") -> Answer:
        return self.bundle.request("POST", self.path(kind, keys=True), self.authorization)

    def create_channel(self, kind: str = "android", bundle_name: str = "com.mobile.zylker") -> Answer:
        body = {"bundle_name": bundle_name}
        return self.bundle.request("POST", self.path(kind), self.authorization, json_body=body)

    def verify(self, **credential: str) -> dict[str, Any]:
        answer = self.bundle.request("POST", "/v1/keys/verify", self.world.bearer, json_body=credential)
        assert answer.status == 200
        verdict: dict[str, Any] = answer.json()
        return verdict

    def verifies(self, token: str) -> bool:
        return bool(self.verify(token=token)["valid"])

    def change(self, kind: str, id: str, **attributes: Any) -> None:
        """Through the native API, as an administrator would."""
        path = f"/v1/owners/{kind}/{id}"
        assert self.bundle.request("PATCH", path, self.world.bearer, json_body=attributes).status == 200

    def key(self, platform: Platform = Platform.ANDROID) -> Key:
        """The channel's one key, as it stands in the table now."""
        ref = SingleKeyRef(OwnerRef(self.world.tenant, OwnerKind.CHANNEL, Channel.id_of(self.app.id, platform)))
        found = self.world.desk.store.read(ref)[ref]
        assert found is not None
        return found


def assert_refused(answer: Answer, code: int, **culprit: str) -> None:
    """HTTP 200, the code with its literal message, beside them the culprit at most; and nothing but reads, and the
    audit's note that a dead token was used."""
    assert answer.status == 200
    assert answer.json() == {"error": {"message": MESSAGES[code], "code": code, **culprit}}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.calls) <= READS | ({"TransactWriteItems"} if code == 1008 else set())


def recorded(calls: Iterable[Call]) -> list[str]:
    """The types of the events that were written, but for those of reveals, of which there is one at least."""
    items = [item for call in calls for item in call.request.get("TransactItems", [])]
    puts = [item["Put"]["Item"] for item in items if "Put" in item]
    types = [put["type"]["S"] for put in puts if put.get("type", {}).get("S") in set(EventType)]
    assert EventType.KEY_REVEALED in types
    return [each for each in types if each != EventType.KEY_REVEALED]


def shape(value: Any) -> Any:
    """Member names and types at every level; of a list, the shapes that its elements have."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        shapes: list[Any] = []
        for element in map(shape, value):
            if element not in shapes:
                shapes.append(element)
        return shapes
    return type(value)
