"""The functions over HTTP, with faults where AWS answers: every attempt of every client passes there.

Behind the endpoint, DynamoDB is the dictionary that passes the store's contract tests (or the second engine, where that
one runs), so that each run can begin with the same table; KMS and SES are moto.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from keywright.adapters.aws import ServiceError, Unreachable
from keywright.adapters.boto import BotoService
from keywright.adapters.http1 import Answer, Broken
from keywright.adapters.kms import KmsSecretVault
from keywright.adapters.lean import LeanService
from keywright.bootstrap import SystemClock
from keywright.errors import KeywrightError
from keywright.model import EventType
from local import demo
from local.aws import Fault as Happening
from local.aws import error
from local.iam import Call
from local.server import Request, Response
from local.stack import Stack
from tests.bundle import Bundle, is_note
from tests.quick_table import Crash
from tests.reliability.invariants import Inspector
from tests.reliability.stand_ins import Fault, Kms, Snapshot
from tests.reliability.tables import new_table

ROOT: Final = Path(__file__).resolve().parents[2]
SECRETS: Final = (demo.OPERATOR_TOKEN, demo.KEY_TOKEN, demo.KEY_TOKEN_TO_REVOKE, demo.SUNSHINE_SECRET, demo.REP_KEY)
_NO_EFFECT: Final = frozenset({EventType.KEY_REVEALED, EventType.KEY_REFUSED})
_HEADERS: Final = (("content-type", "application/x-amz-json-1.0"),)


def happening(fault: Fault, call: Call) -> Happening:
    match fault:
        case Fault.BEFORE_SEND | Fault.CRASH_BEFORE:
            return Happening(None)
        case Fault.LOST | Fault.CRASH_AFTER:
            return Happening(None, committed=True)
        case Fault.THROTTLED:
            return Happening(error("ThrottlingException"))
        case Fault.INTERNAL:
            return Happening(error("InternalServerError", 500))
        case Fault.DENIED:
            return Happening(error("AccessDeniedException", text="arn:aws:iam::111122223333:role/r may not"))
        case Fault.KMS_DISABLED:
            return Happening(error("DisabledException", text="arn:aws:kms:eu-west-1:111122223333:key/k is disabled"))
    reasons = [{"Code": "TransactionConflict"} for _ in call.request["TransactItems"]]
    return Happening(error("TransactionCanceledException", CancellationReasons=reasons))


@dataclass(slots=True)
class Injector:
    """Hits the attempts with these numbers, counted from 0 since `arm`. With `stays`, the first that is hit is the
    beginning, and all that follow at the same service are hit too. Notes of a last use are neither counted nor hit."""

    plan: dict[int, Fault] = field(default_factory=dict)
    stays: bool = False
    down: Callable[[Call], Fault | None] = lambda _: None
    attempts: list[str] = field(default_factory=list)
    dead: bool = False
    hit: int = 0
    _staying: tuple[str, Fault] | None = None

    def arm(self, plan: Mapping[int, Fault] | None = None, *, stays: bool = False) -> None:
        self.plan, self.stays = dict(plan or {}), stays
        self.attempts, self.dead, self.hit, self._staying = [], False, 0, None

    def revive(self) -> None:
        """The process is another one; the count goes on."""
        self.dead, self._staying = False, None

    def __call__(self, call: Call) -> Happening | None:
        if call.principal is None:
            return None  # an administrator, who only looks
        if is_note(call):
            return Happening(None) if self.dead else None
        if self.dead:
            return Happening(None)
        if (fault := self.down(call)) is not None:
            self.hit += 1
            return happening(fault, call)
        number = len(self.attempts)
        self.attempts.append(call.operation)
        fault = self.plan.get(number)
        if fault is None and self._staying is not None and self._staying[0] == call.service:
            fault = self._staying[1]
        if fault is None or not fault.can_meet(call.operation):
            return None
        self.hit += 1
        if self.stays:
            self._staying = call.service, fault
        self.dead = fault in {Fault.CRASH_BEFORE, Fault.CRASH_AFTER}
        return happening(fault, call)


@dataclass(slots=True)
class Said:
    """What came of one call of a function; `status` is None where it gave no answer over HTTP."""

    status: int | None = None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    payload: Any = None
    crashed: bool = False
    failed: bool = False

    @property
    def refused(self) -> bool:
        """In whatever words: one dialect refuses with 200."""
        return self.crashed or self.failed or (self.status or 0) >= 400 or self.body.startswith('{"error"')


class Rig:
    """`begin` puts everything back to where it was after the seed."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.injector = Injector()
        self.bundle = Bundle(stack)
        pages = (
            stack.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=next(iter(stack.template.tables.values())).name)
        )
        self.table = new_table()
        for page in pages:
            self.table.fill(json.loads(json.dumps(page["Items"], default=_blob)))
        self.seeded: Snapshot = self.table.snapshot()
        self.inspector = Inspector(demo.desk(stack).vault)
        stack.aws.dynamodb = self._answer
        stack.aws.fault = self.injector
        stack.aws.records = False

    def _answer(self, request: Request) -> Response:
        operation = request.header("x-amz-target").rpartition(".")[2]
        try:
            return Response(200, _HEADERS, json.dumps(self.table.call(operation, json.loads(request.body))).encode())
        except ServiceError as refused:
            return error(refused.code, refused.status, **refused.body)

    def begin(self) -> None:
        self.table.restore(self.seeded)
        self.new_environment()

    def new_environment(self) -> None:
        Bundle._open = None

    def event(self, function: str) -> dict[str, Any]:
        module = self.stack.template.functions[function].handler.rpartition(".")[0].replace(".", "/")
        event: dict[str, Any] = json.loads((ROOT / "events" / f"{module}.json").read_text())
        if "headers" in event and event.get("version") == "2.0" and "routeArn" not in event:
            event["headers"]["idempotency-key"] = "one-of-the-proof"
        return event

    def call(self, function: str, **changes: object) -> Said:
        """With its committed event, and changes of that."""
        try:
            payload = self.bundle.invoke(function, {**self.event(function), **changes}).payload
        except Crash:
            self.new_environment()
            return Said(crashed=True)
        except (KeywrightError, ServiceError, Unreachable):
            self.new_environment()
            return Said(failed=True)
        if isinstance(payload, dict) and "statusCode" in payload:
            headers = {name.lower(): value for name, value in payload["headers"].items()}
            return Said(payload["statusCode"], payload["body"] or "", headers, payload)
        return Said(payload=payload)

    def effects(self) -> list[str]:
        """What was done, by its events."""
        return sorted(
            kind for commit in self.table.commits for kind, _ in commit.events if EventType(kind) not in _NO_EFFECT
        )

    def violations(self, told: Iterable[str] = ()) -> list[str]:
        """`told` are secrets besides those of the seed."""
        now_ms, secrets = SystemClock().now_ms(), (*SECRETS, *told)
        found = self.inspector.violations(self.table.items, now_ms, secrets=secrets, commits=self.table.commits)
        self.inspector.forget(self.seeded.items)
        return found


class Nearby:
    """The same without a socket and without moto's key service, for the runs that ask for a hundred thousand answers:
    each attempt of a client is still judged, and still meets its fault."""

    def __init__(self, at: Rig) -> None:
        self._aws, self._moto, self._kms = at.stack.aws, at.stack.aws._backend, Kms()
        self._opened: dict[bytes, Response] = {}
        at.stack.aws._backend = self._backend  # type: ignore[method-assign]
        at.inspector = Inspector(KmsSecretVault(self, next(iter(at.stack.template.keys.values())).arn))

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """As the key service, for whoever inspects."""
        head = (*_HEADERS, ("x-amz-target", f"TrentService.{operation}"), ("authorization", _signed("LOCAL", "kms")))
        answer = self._backend(Request("POST", "/", head, json.dumps(request, default=_blob).encode()))
        body: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            raise ServiceError(body["__type"].rpartition("#")[2], answer.status, body)
        return body

    def _backend(self, request: Request) -> Response:
        _, _, operation = request.header("x-amz-target").rpartition(".")
        if operation not in {"Encrypt", "Decrypt"}:
            return self._moto(request)
        asked = json.loads(request.body)
        if operation == "Encrypt":
            asked["Plaintext"] = base64.b64decode(asked["Plaintext"])
        else:
            asked["CiphertextBlob"] = base64.b64decode(asked["CiphertextBlob"])
            if not self._kms.has_sealed(asked["CiphertextBlob"]):  # the seed's, which moto has
                if request.body not in self._opened:
                    self._opened[request.body] = self._moto(request)
                return self._opened[request.body]
        try:
            return Response(200, _HEADERS, json.dumps(self._kms.call(operation, asked)).encode())
        except ServiceError as refused:
            return error(refused.code, refused.status, **refused.body)

    def send(self, client: LeanService, target: str, payload: bytes) -> Answer:
        signed = _signed(client._credentials().access_key, client._service.name)
        asked = Request("POST", "/", (*_HEADERS, ("x-amz-target", target), ("authorization", signed)), payload)
        answer = self._aws.respond(asked)
        if answer is None:
            raise Broken("no answer")
        return Answer(
            answer.status, {name.lower().encode(): value.encode() for name, value in answer.headers}, answer.body
        )


def _signed(key: str, service: str) -> str:
    scope = f"{key}/20260101/eu-west-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def _blob(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


@contextmanager
def rig(account: str, *, nearby: bool = False) -> Iterator[Rig]:
    with Stack.from_template(ROOT / "template.yaml", account=account) as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _: None)
        demo.seed(stack)
        made = Rig(stack)
        send, call = Nearby(made).send if nearby else LeanService._send, BotoService.call

        def dies(self: LeanService, target: str, payload: bytes) -> Any:
            try:
                return send(self, target, payload)
            except Broken:
                if made.injector.dead and threading.current_thread().name != "use-notes":
                    raise Crash from None
                raise

        def dies_too(self: BotoService, operation: str, request: Mapping[str, Any]) -> Any:
            try:
                return call(self, operation, request)
            except Unreachable:
                if made.injector.dead and threading.current_thread().name != "use-notes":
                    raise Crash from None
                raise

        patch.setattr(LeanService, "_send", dies)
        patch.setattr(BotoService, "call", dies_too)
        try:
            yield made
        finally:
            stack.aws.fault = lambda _: None
            Bundle._open = None
