"""AWS as it is in the runs of which there are many: a linearizable table and a key service in dictionaries, and the
client that speaks to them, attempt by attempt, through gates and faults."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.kms import KmsSecretVault
from keywright.ports import Desk
from tests.fakes import FixedClock, Outbox
from tests.quick_table import Address, Crash, Item, QuickTable

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction that was carried out: the keys that it wrote, and whom its events are about."""

    operation: str
    keys: tuple[str, ...]
    events: tuple[tuple[str, str], ...]
    """Type and subject."""


def commit_of(request: Mapping[str, Any]) -> Commit:
    items = [deed["Put"]["Item"] for deed in request["TransactItems"] if "Put" in deed]
    # In the order of the writes, an item's own operation comes first.
    operation = next((item["operation"]["S"] for item in items if "operation" in item), "")
    return Commit(
        operation,
        tuple(item["id"]["S"] for item in items if item["pk"]["S"].startswith("KEY#")),
        tuple((item["type"]["S"], item["subject"]["S"]) for item in items if item["pk"]["S"].startswith("EVENTS#")),
    )


class Backing(Protocol):
    """A table of the runs. It honours DynamoDB's memory of request tokens while it is told to."""

    honours_request_tokens: bool
    commits: list[Commit]

    @property
    def items(self) -> Mapping[Address, Item]:
        """All there is."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """As JsonService has it."""

    def fill(self, items: Iterable[Item]) -> None:
        """Puts them there, as on the wire."""

    def snapshot(self) -> Snapshot: ...

    def restore(self, held: Snapshot) -> None:
        """As it was then, with no commit since."""


class Table(QuickTable):
    """With DynamoDB's memory of request tokens, while it `honours_request_tokens`, and a list of what was committed."""

    def __init__(self) -> None:
        super().__init__()
        self.honours_request_tokens = True
        self.commits: list[Commit] = []
        self._tokens: dict[str, str] = {}

    def _TransactWriteItems(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802  as AWS calls it
        token = request.get("ClientRequestToken") if self.honours_request_tokens else None
        if len(token or "") > 36:
            raise ServiceError("ValidationException", 400, {})
        digest = "" if token is None else hashlib.sha256(repr(request["TransactItems"]).encode()).hexdigest()
        if token in self._tokens:
            if self._tokens[token] != digest:
                raise ServiceError("IdempotentParameterMismatchException", 400, {})
            return {}
        answer = super()._TransactWriteItems(request)
        if token is not None:
            self._tokens[token] = digest
        self.commits.append(commit_of(request))
        return answer

    def fill(self, items: Iterable[Item]) -> None:
        for item in items:
            self._set((item["pk"]["S"], item["sk"]["S"]), item)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            dict(self.items),
            {pk: set(sks) for pk, sks in self._partitions.items()},
            {bucket: dict(held) for bucket, held in self._due.items()},
        )

    def restore(self, held: Snapshot) -> None:
        """As it was; items are never changed in place, so they are shared."""
        self.items = dict(held.items)
        self._partitions = {pk: set(sks) for pk, sks in held.partitions.items()}
        self._due = {bucket: dict(each) for bucket, each in held.due.items()}
        self._tokens.clear()
        self.commits.clear()


@dataclass(frozen=True, slots=True)
class Snapshot:
    items: Mapping[Address, Item]
    partitions: dict[str, set[str]]
    due: dict[str, dict[Address, int]]


class Kms:
    """Seals by remembering: a ciphertext says nothing, and opens under its own context alone. A disabled key does
    neither, as with AWS."""

    def __init__(self) -> None:
        self.enabled = True
        self._sealed: dict[bytes, tuple[bytes, str]] = {}

    def has_sealed(self, ciphertext: bytes) -> bool:
        return ciphertext in self._sealed

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if not self.enabled:
            raise ServiceError("DisabledException", 400, {})
        context = json.dumps(request["EncryptionContext"], sort_keys=True)
        if operation == "Encrypt":
            ciphertext = secrets.token_bytes(24)
            self._sealed[ciphertext] = request["Plaintext"], context
            return {"CiphertextBlob": base64.b64encode(ciphertext).decode()}
        plain, bound_to = self._sealed.get(request["CiphertextBlob"], (b"", None))
        if bound_to != context:
            raise ServiceError("InvalidCiphertextException", 400, {})
        return {"Plaintext": base64.b64encode(plain).decode()}


class Fault(StrEnum):
    """The nine things that happen to one attempt at a call."""

    BEFORE_SEND = "before send"
    LOST = "lost after commit"
    THROTTLED = "throttled"
    INTERNAL = "500"
    DENIED = "access denied"
    KMS_DISABLED = "KMS disabled"
    CONFLICT = "TransactionConflict"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"

    def can_meet(self, operation: str) -> bool:
        if self is Fault.KMS_DISABLED:
            return operation in {"Encrypt", "Decrypt"}
        return self is not Fault.CONFLICT or operation == "TransactWriteItems"


TRIED_AGAIN = frozenset({Fault.BEFORE_SEND, Fault.LOST, Fault.THROTTLED, Fault.INTERNAL})
"""After these the client tries the call again."""
_SAID = {
    Fault.THROTTLED: ("ThrottlingException", 400),
    Fault.INTERNAL: ("InternalServerError", 500),
    Fault.DENIED: ("AccessDeniedException", 400),
    Fault.KMS_DISABLED: ("DisabledException", 400),
}
Plan = Callable[[str, Mapping[str, Any]], Fault | None]
Private = Callable[[str, Mapping[str, Any]], bool]
"""Whether a call touches nothing that another client touches. Any order with others is then as good as another."""


def no_fault(_operation: str, _request: Mapping[str, Any]) -> Fault | None:
    return None


class Wire:
    """A client of one service, for one caller: up to three attempts, each through the gate unless it is private, and
    each asked of `plan`."""

    def __init__(
        self,
        service: JsonService,
        gate: Callable[[], None] = lambda: None,
        plan: Plan = no_fault,
        private: Private = lambda _operation, _request: False,
    ) -> None:
        self._service = service
        self._gate = gate
        self._plan = plan
        self._private = private

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        for attempt in range(_ATTEMPTS):
            if not self._private(operation, request):
                self._gate()
            fault = self._plan(operation, request)
            try:
                return self._attempt(operation, request, fault)
            except (ServiceError, Unreachable):
                if fault not in TRIED_AGAIN or attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError

    def _attempt(self, operation: str, request: Mapping[str, Any], fault: Fault | None) -> dict[str, Any]:
        match fault:
            case None:
                return self._service.call(operation, request)
            case Fault.BEFORE_SEND:
                raise Unreachable("no connection")
            case Fault.CRASH_BEFORE:
                raise Crash
            case Fault.LOST:
                self._service.call(operation, request)
                raise Unreachable("no answer")
            case Fault.CRASH_AFTER:
                self._service.call(operation, request)
                raise Crash
            case Fault.CONFLICT:
                reasons = [{"Code": "TransactionConflict"} for _ in request["TransactItems"]]
                raise ServiceError("TransactionCanceledException", 400, {"CancellationReasons": reasons})
        code, status = _SAID[fault]
        raise ServiceError(code, status, {})


@dataclass(slots=True)
class Cloud:
    """Table, key service and clock together; `desk` is what one caller works at."""

    table: Backing
    kms: Kms = field(default_factory=Kms)
    clock: FixedClock = field(default_factory=FixedClock)

    def desk(
        self,
        gate: Callable[[], None] = lambda: None,
        plan: Plan = no_fault,
        private: Private = lambda _operation, _request: False,
    ) -> Desk:
        return Desk(
            store=DynamoDBKeyStore(Wire(self.table, gate, plan, private), "keys"),
            vault=KmsSecretVault(Wire(self.kms, gate, plan), "arn:aws:kms:eu-west-1:111122223333:key/secrets"),
            mailer=Outbox(),
            clock=self.clock,
            stage="test",
        )
