"""The three tables that there are, and whether they answer alike: the dictionary of the proofs, moto as the local stack
has it, and the second engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.endpoints import Endpoint
from keywright.adapters.lean import DYNAMODB, LeanService
from keywright.adapters.signing import Credentials
from local.stack import Stack
from tests.reliability.figures import ROOT
from tests.reliability.stand_ins import Table
from tests.reliability.tables import EngineTable

DICTIONARY: Final = "dictionary"
MOTO: Final = "moto"
ENGINE: Final = "engine"
TABLE: Final = "keys"
"""The name that the requests give it."""
_SAID: Final = ("Item", "Items", "Attributes", "LastEvaluatedKey", "Responses")


@contextmanager
def three_tables() -> Iterator[Mapping[str, JsonService]]:
    with Stack.from_template(ROOT / "template.yaml", account="444455556666") as stack:
        who = Credentials("administrator", "local")
        lean = LeanService(DYNAMODB, stack.template.region, Endpoint.of(stack.url), lambda: who)
        moto = _Named(lean, next(iter(stack.template.tables.values())).name)
        yield {DICTIONARY: Table(), MOTO: moto, ENGINE: EngineTable()}


@dataclass(frozen=True, slots=True)
class _Named:
    """A table under the name that it has there."""

    service: JsonService
    name: str

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.service.call(operation, _renamed(request, TABLE, self.name))
        renamed: dict[str, Any] = _renamed(answer, self.name, TABLE)
        return renamed


def _renamed(value: Any, before: str, after: str) -> Any:
    match value:
        case {"TableName": _}:
            return {**value, "TableName": after}
        case dict():
            return {after if name == before else name: _renamed(each, before, after) for name, each in value.items()}
        case list():
            return [_renamed(each, before, after) for each in value]
    return value


def said(call: Callable[[], Mapping[str, Any]]) -> Any:
    """What an answer says, or an error: its code and what it shows of the rows, but not its words."""
    try:
        answer = call()
    except Unreachable:
        return "no answer"
    except ServiceError as refused:
        reasons = [[reason["Code"], reason.get("Item")] for reason in refused.body.get("CancellationReasons", ())]
        return _in_order([refused.code, refused.body.get("Item"), reasons])
    if "Responses" in answer:
        answer = {
            "Responses": {name: sorted(items, key=repr) for name, items in _in_order(answer["Responses"]).items()}
        }
    return _in_order({name: answer[name] for name in _SAID if name in answer})


def _in_order(value: Any) -> Any:
    """Neither members nor the elements of a set have an order."""
    match value:
        case {"SS": texts}:
            return {"SS": sorted(texts)}
        case dict():
            return {name: _in_order(value[name]) for name in sorted(value)}
        case list():
            return [_in_order(each) for each in value]
    return value


class Alike:
    """All three as one service, which must agree on each request."""

    def __init__(self, tables: Mapping[str, JsonService]) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self.requests = 0

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        outcomes: dict[str, dict[str, Any] | ServiceError] = {}
        with self._lock:
            self.requests += 1
            for name, table in self._tables.items():
                try:
                    outcomes[name] = table.call(operation, request)
                except ServiceError as refused:
                    outcomes[name] = refused
        heard = {name: said(lambda outcome=outcome: _given(outcome)) for name, outcome in outcomes.items()}  # type: ignore[misc]
        if "LastEvaluatedKey" not in heard[MOTO]:
            # Where a full page is the last one, moto says so. DynamoDB may leave it open.
            for each in heard.values():
                if isinstance(each, dict) and len(each.get("Items", ())) == request.get("Limit"):
                    each.pop("LastEvaluatedKey", None)
        assert heard[DICTIONARY] == heard[ENGINE], json.dumps([operation, request], default=repr)
        assert heard[MOTO] == heard[ENGINE], json.dumps([operation, request], default=repr)
        return _given(outcomes[ENGINE])


def _given(outcome: dict[str, Any] | ServiceError) -> dict[str, Any]:
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome
