"""The table of a run: a dictionary, or one in the second engine where that one runs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from keywright.adapters.endpoints import Endpoint
from keywright.adapters.http1 import Patience
from keywright.adapters.lean import DYNAMODB, LeanService
from keywright.adapters.signing import Credentials
from local.template import Template
from tests.engine.process import PROGRAM, running
from tests.quick_table import Address, Item
from tests.reliability.figures import ROOT
from tests.reliability.stand_ins import Backing, Commit, Snapshot, Table, commit_of

_AT_ONCE: Final = 25
"""As many as BatchWriteItem takes."""


def new_table() -> Backing:
    return EngineTable() if PROGRAM else Table()


@cache
def _template() -> Template:
    return Template.load(ROOT / "template.yaml", {})


class EngineTable:
    """A table of its own, laid out as the template's. What it holds is asked of the engine each time; an item that is
    as it was is the same object as before."""

    def __init__(self) -> None:
        self.honours_request_tokens = True
        self.commits: list[Commit] = []
        self._name = f"keys-{secrets.token_hex(8)}"
        self._known: Mapping[Address, Item] = {}
        self._carried_out: set[str] = set()
        engine, template = running(), _template()
        engine.create_table(next(iter(template.tables.values())), self._name)
        who, endpoint = Credentials("engine", "local"), Endpoint.of(engine.url)
        # Whoever loses patience tries again, which no run has planned.
        self._service = LeanService(DYNAMODB, template.region, endpoint, lambda: who, patience=Patience(30, 30))

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        answer = self._service.call(operation, self._here(request))
        if operation == "TransactWriteItems":
            self._note(request)
        if "Responses" in answer:
            answer["Responses"] = {next(iter(request["RequestItems"])): answer["Responses"][self._name]}
        return answer

    def _here(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request with this table's name in place of the one that it was made for."""
        here = dict(request)
        if not self.honours_request_tokens:
            here.pop("ClientRequestToken", None)
        match request:
            case {"TransactItems": deeds}:
                here["TransactItems"] = [
                    {verb: {**body, "TableName": self._name}} for deed in deeds for verb, body in deed.items()
                ]
            case {"RequestItems": asked}:
                here["RequestItems"] = {self._name: next(iter(asked.values()))}
            case _:
                here["TableName"] = self._name
        return here

    def _note(self, request: Mapping[str, Any]) -> None:
        token = request.get("ClientRequestToken", "") if self.honours_request_tokens else ""
        if token not in self._carried_out:
            self.commits.append(commit_of(request))
        if token:
            self._carried_out.add(token)

    @property
    def items(self) -> dict[Address, Item]:
        found: dict[Address, Item] = {}
        for item in self._pages():
            address = item["pk"]["S"], item["sk"]["S"]
            known = self._known.get(address)
            found[address] = known if known is not None and known == item else item
        self._known = found
        return found

    def _pages(self) -> Iterator[Item]:
        start: Mapping[str, Any] = {}
        while True:
            page = self._service.call("Scan", {"TableName": self._name, "ConsistentRead": True, **start})
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def fill(self, items: Iterable[Item]) -> None:
        self._write([{"PutRequest": {"Item": item}} for item in items])

    def snapshot(self) -> Snapshot:
        items, due = self.items, dict[str, dict[Address, int]]()
        for address, item in items.items():
            if "due_bucket" in item:
                due.setdefault(item["due_bucket"]["S"], {})[address] = int(item["due_at_ms"]["N"])
        return Snapshot(items, {}, due)

    def restore(self, held: Snapshot) -> None:
        now = self.items
        gone = [{"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in now.keys() - held.items]
        changed = [{"PutRequest": {"Item": item}} for at, item in held.items.items() if now.get(at) is not item]
        self._write([*gone, *changed])
        self._known = held.items
        self.commits.clear()

    def _write(self, deeds: Sequence[Mapping[str, Any]]) -> None:
        for n in range(0, len(deeds), _AT_ONCE):
            answer = self._service.call("BatchWriteItem", {"RequestItems": {self._name: deeds[n : n + _AT_ONCE]}})
            assert not answer.get("UnprocessedItems")
