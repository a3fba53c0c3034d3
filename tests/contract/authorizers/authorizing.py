"""What the tests of both authorizers ask with."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from keywright import bootstrap
from local.runtime import Result
from tests.bundle import Bundle

ROOT = Path(__file__).resolve().parents[3]
HTTP, REST = "AuthorizersAuthorizeHttpApi", "AuthorizersAuthorizeRestApi"
EVENTS = {HTTP: "authorizers/authorize_http_api", REST: "authorizers/authorize_rest_api"}
ADDRESS = "203.0.113.24"
"""Whom the committed events come from."""


def committed(function: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "events" / f"{EVENTS[function]}.json").read_text())
    return loaded


def event(
    function: str,
    tenant: str,
    *headers: tuple[str, str],
    route: str = "GET /orders/{id}",
    path: str = "/orders/4711",
    **variables: str,
) -> dict[str, Any]:
    """The committed event with other headers, another route, and only these of an API's variables."""
    made = copy.deepcopy(committed(function))
    made["stageVariables"] = {"keywright_tenant": tenant, **{f"keywright_{n}": v for n, v in variables.items()}}
    method, _, declared = route.rpartition(" ")
    if function == HTTP:
        kept = {name: value for name, value in made["headers"].items() if name != "authorization"}
        for name, value in headers:
            kept[name.lower()] = f"{kept[name.lower()]},{value}" if name.lower() in kept else value
        made |= {"headers": kept, "routeKey": route, "rawPath": path}
        made["requestContext"]["routeKey"] = route
        made["requestContext"]["http"] |= {"method": method if method not in {"", "ANY"} else "GET", "path": path}
        made["routeArn"] = f"{made['routeArn'].partition('/GET/')[0]}/{method}{path}"
    else:
        several = {name: values for name, values in made["multiValueHeaders"].items() if name != "Authorization"}
        for name, value in headers:
            several.setdefault(name, []).append(value)
        made |= {"multiValueHeaders": several, "headers": {name: values[-1] for name, values in several.items()}}
        made |= {"resource": declared, "httpMethod": method, "path": path}
        made["methodArn"] = f"{made['methodArn'].partition('/GET/')[0]}/{method}{path}"
    return made


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


class Asked:
    """One call of an authorizer: its answer, what it asked of AWS before it answered, and the one line it wrote."""

    def __init__(self, bundle: Bundle, function: str, event: Mapping[str, Any]) -> None:
        printed, stack = io.StringIO(), bundle.stack
        before = len(stack.aws.calls)
        self.fault: Exception | None = None
        with redirect_stdout(printed):
            try:
                self.result: Result | None = bundle.invoke(function, event)
            except Exception as fault:  # noqa: BLE001  what it raises is what the gateway is told
                self.result, self.fault = None, fault
        with bundle.environment(function):
            settle = getattr(bootstrap.gate().notes, "settle", None)
        if settle is not None:
            settle()
        self.calls = [
            call.operation
            for call in stack.aws.calls[before:]
            if "USE#" not in json.dumps(call.request)  # a note of the last use, which nobody waits for
        ]
        self.printed = printed.getvalue()
        self.line: dict[str, Any] = json.loads(self.printed)

    @property
    def payload(self) -> Any:
        assert self.result is not None, self.fault
        return self.result.payload

    @property
    def allowed(self) -> bool:
        if isinstance(self.fault, Exception):
            return False
        if "isAuthorized" in self.payload:
            assert self.payload["isAuthorized"] in {True, False}
            return bool(self.payload["isAuthorized"])
        (statement,) = self.payload["policyDocument"]["Statement"]
        assert statement["Action"] == "execute-api:Invoke"
        return bool(statement["Effect"] == "Allow")

    @property
    def context(self) -> dict[str, str]:
        context: dict[str, str] = self.payload["context"]
        return context
