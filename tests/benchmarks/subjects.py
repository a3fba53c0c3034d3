"""What is measured: each function here sets a subject up and returns one operation of it.

Names say the client of AWS that the operation goes through; `bare_` ones are boto3 and nothing else.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
Operation = Callable[[], object]


def requests(function: str) -> dict[str, Any]:
    """What the function asked of AWS when it was recorded."""
    folder = Path(os.environ["BENCHMARK_PLACE"])
    recorded: dict[str, dict[str, Any]] = json.loads((folder / "requests.json").read_text())
    return recorded[function]


def bare_get_item() -> Operation:
    client, request = _client("dynamodb"), requests("NativeIssueKey")["GetItem"]
    return lambda: client.get_item(**request)["Item"]


def bare_issue() -> Operation:
    """Encrypt and TransactWriteItems, of what an issue seals and writes."""
    dynamodb, kms = _client("dynamodb"), _client("kms")
    asked = requests("NativeIssueKey")
    encrypt, transact = asked["Encrypt"], asked["TransactWriteItems"]
    encrypt["Plaintext"] = base64.b64decode(encrypt["Plaintext"])
    transact["TransactItems"] = [_with_bytes(item) for item in transact["TransactItems"]]
    del transact["ClientRequestToken"]

    def issue() -> None:
        kms.encrypt(**encrypt)
        dynamodb.transact_write_items(**transact)

    return issue


def _client(service: str) -> Any:
    return importlib.import_module("boto3").client(service)


def _with_bytes(wire: Any) -> Any:
    match wire:
        case {"B": str(text)} if len(wire) == 1:
            return {"B": base64.b64decode(text)}
        case dict():
            return {name: _with_bytes(each) for name, each in wire.items()}
        case list():
            return [_with_bytes(each) for each in wire]
    return wire


def read_token() -> Operation:
    """The store's read of one token, as the setting says."""
    store = importlib.import_module("keywright.bootstrap").desk().store
    ref = importlib.import_module("keywright.ports").TokenRef(
        requests("NativeIssueKey")["GetItem"]["Key"]["pk"]["S"].removeprefix("TOKEN#")
    )
    assert store.read(ref)[ref] is not None
    return lambda: store.read(ref)[ref]


def authorize() -> Operation:
    """The authorizer of HTTP APIs. Each of its answers is looked at."""
    return _handler("AuthorizersAuthorizeHttpApi")


def authorize_cached() -> Operation:
    """The same for a key that its owner lets be believed for a minute."""
    return _handler("AuthorizersAuthorizeHttpApi+cached")


def verify() -> Operation:
    return _handler("NativeVerifyKey")


def issue() -> Operation:
    return _handler("NativeIssueKey")


class Context:
    """What handlers and Powertools read of Lambda's context object."""

    function_name = invoked_function_arn = "keywright"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 10_000


def _handler(function: str) -> Operation:
    """The handler of a function with its committed event, which is decoded anew each time, as the runtime does it."""
    events = json.loads((Path(os.environ["BENCHMARK_PLACE"]) / "events.json").read_text())
    text = json.dumps(events[function])
    handler = importlib.import_module(MODULES[function.partition("+")[0]]).handler

    def handle() -> None:
        answer = handler(json.loads(text), Context)
        if not (answer.get("statusCode") in {200, 201} or answer.get("isAuthorized")):
            raise RuntimeError(answer)

    return handle


MODULES = {
    "AuthorizersAuthorizeHttpApi": "authorizers.authorize_http_api",
    "NativeVerifyKey": "native.verify_key",
    "NativeIssueKey": "native.issue_key",
}
SUBJECTS: dict[str, Callable[[], Operation]] = {
    each.__name__: each for each in (bare_get_item, bare_issue, read_token, authorize, authorize_cached, verify, issue)
}
