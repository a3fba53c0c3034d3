"""What the tests of Volt MX share: how callers present themselves, and what the dialect says."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from keywright import registry
from keywright.model import Key, KeyKind, Operator, Owner, OwnerRef
from keywright.ports import OwnerAt
from tests.bundle import Answer, Bundle
from tests.world import World

PATH = "/api/v1/applications/key"
LOGIN = "/authService/accounts/login"

WRONG_APP = "The appId entered is incorrect"
NOT_PUBLISHED = "Invalid VoltMX AppId or Application is not published with given AppId"
WRONG_NEVER = "The neverExpires value is invalid"
WRONG_DATE = "The expiresOn date is invalid"
WRONG_DESCRIPTION = "The description exceeds 100 characters"
MISSING = "Required data is missing"
LIMIT = "App API key limit reached for the application"
UNAUTHORIZED = "Unauthorized request"
WRONG_APP_KEY = "Invalid X-VoltMX-App-API-Key"
WRONG_LOGIN = "Authentication fail, Invalid credentials"
FAILURE = "Server failure to process request"
READS = {"GetItem", "BatchGetItem"}
NOTED = {"TransactWriteItems"}
"""That somebody used a key which had expired or was revoked is written down."""

Form = Mapping[str, str] | Sequence[tuple[str, str]]
Headers = Mapping[str, str]


def claims(token: str) -> dict[str, str]:
    return {"X-VoltMX-Authorization": token}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def app_key(token: str) -> dict[str, str]:
    return {"X-VoltMX-App-API-Key": token}


def get_all(bundle: Bundle, headers: Headers, app_id: str) -> Answer:
    return bundle.request("GET", f"{PATH}?appId={app_id}", headers)


def get_one(bundle: Bundle, headers: Headers, token: str) -> Answer:
    return bundle.request("GET", f"{PATH}/{token}", headers)


def modify(bundle: Bundle, headers: Headers, token: str, form: Form) -> Answer:
    return bundle.request("POST", f"{PATH}/{token}", headers, form=form)


def delete(bundle: Bundle, headers: Headers, token: str) -> Answer:
    return bundle.request("DELETE", f"{PATH}/{token}", headers)


def body_of(answer: Answer) -> Any:
    """The JSON of any answer of the dialect."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and message of a refusal by an operation that answers with a message."""
    body = body_of(answer)
    assert body == {"id": "", "message": body["message"]}
    return answer.status, body["message"]


def get_refusal(answer: Answer) -> tuple[int, str]:
    """Status and message of a refusal by one of the two GETs."""
    body = body_of(answer)
    assert list(body.items()) == [("status", answer.status), ("result", body["result"]), ("message", body["result"])]
    return answer.status, body["message"]


def verify(bundle: Bundle, world: World, token: str) -> Any:
    answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token})
    assert answer.status == 200
    return answer.json()


def keys(world: World, owner: Owner) -> Sequence[Key]:
    return world.desk.store.keys_of(owner.ref, KeyKind.APP_API_KEY).items


def key_of(world: World, app: Owner, **order: Any) -> tuple[Key, str]:
    """A new App API key, and its token."""
    issued = world.issue(KeyKind.APP_API_KEY, app.ref, **order)
    return issued.key, issued.token.reveal()


def change(world: World, owner: Owner, **attributes: Any) -> Owner:
    ref = OwnerAt(owner.ref)
    current = world.desk.store.read(ref)[ref]
    assert current is not None
    return registry.change(world.desk, world.principal, current, attributes)


def operators_token(world: World, operator: Operator | OwnerRef, *scopes: str, **order: Any) -> str:
    owner = operator if isinstance(operator, OwnerRef) else operator.ref
    return world.issue(KeyKind.NATIVE, owner, scopes=scopes, **order).token.reveal()
