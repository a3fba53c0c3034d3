"""The endpoint that stands in for AWS: one HTTP server in front of moto, in this process.

Every call is recorded, judged if a function made it, and may be hit by a fault, here rather than in botocore's hooks:
nothing that speaks HTTP slips past. A function is known by its access key (signatures are not checked); any other key
administers the stack, as a deployment would. moto runs behind one lock, because it is not atomic under threads: what
callers see is a linearizable server.

Beyond moto, the endpoint honours DynamoDB's `ClientRequestToken` for ten minutes and answers in every region with the
data of its own, because a container signs for whichever region its host is set to.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import create_environ, run_wsgi_app

from local import queries, transactions
from local.iam import Access, Call, Decision, Judge, needs
from local.server import Request, Response, Server
from local.template import Template

SERVICES = ("dynamodb", "dynamodbstreams", "events", "kms", "sesv2", "sqs")
KEY_PREFIX = "LOCAL"
_SCOPE = re.compile(r"Credential=([^/]+)/(\d+)/[^/]+/([^/]+)/")
_TOKEN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call instead of its answer: another answer, or None, a connection that breaks. With
    `committed`, the backend has done the work before it."""

    answer: Response | None
    committed: bool = False


def error(code: str, status: int = 400, text: str = "", **members: Any) -> Response:
    """An AWS error in the shape that its JSON protocols share."""
    body = {"__type": f"com.amazonaws#{code}", "message": text or code, "Message": text or code, **members}
    headers = (("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", code))
    return Response(status, headers, json.dumps(body).encode())


@functools.cache
def _rest_operations() -> list[tuple[str, re.Pattern[str], str]]:
    """SES v2 names its operations by method and path; botocore's own model says which."""
    model = botocore.session.get_session().get_service_model("sesv2")
    operations = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(http["requestUri"]))
        operations.append((http["method"], re.compile(pattern), name))
    return operations


def _operation(request: Request) -> str:
    if target := request.header("x-amz-target"):
        return target.rpartition(".")[2]
    path = request.target.partition("?")[0]
    return next(
        (name for method, route, name in _rest_operations() if method == request.method and route.fullmatch(path)), path
    )


def _members(body: bytes) -> dict[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


class Aws:
    """`calls` and `decisions` grow until `clear`, unless `records` is off. `fault` is asked about every call, `watch`
    is told of every call that was carried out and of its answer; both may be replaced at any time. `dynamodb` may be
    set before the first call, and then answers for that service: it has a lock and a memory of tokens of its own."""

    def __init__(self, template: Template, host: str = "127.0.0.1", port: int = 0) -> None:
        self.calls: list[Call] = []
        self.decisions: list[Decision] = []
        self.fault: Callable[[Call], Fault | None] = lambda _: None
        self.watch: Callable[[Call, Response], None] = lambda *_: None
        self.honours_request_tokens = True
        self.dynamodb: Callable[[Request], Response] | None = None
        self.records = True
        transactions.install()
        queries.install()
        self._template = template
        self._judge = Judge(template)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[float, bytes, Response]] = {}
        self.server = Server(self.respond, host, port)

    def clear(self) -> None:
        self.calls.clear()
        self.decisions.clear()

    def respond(self, request: Request) -> Response | None:
        scope = _SCOPE.search(request.header("authorization"))
        if scope is None:
            return error("MissingAuthenticationToken", 403)
        name = scope[1].removeprefix(KEY_PREFIX)
        principal = name if scope[1].startswith(KEY_PREFIX) and name in self._template.functions else None
        call = Call(principal, scope[3], _operation(request), _members(request.body))
        if self.records:
            self.calls.append(call)
        if denied := self._denied(call):
            return denied
        fault = self.fault(call)
        if fault is None:
            return self._carry_out(call, request)
        if fault.committed:
            self._carry_out(call, request)
        return fault.answer

    def _carry_out(self, call: Call, request: Request) -> Response:
        answer = self._once(call, request)
        self.watch(call, answer)
        return answer

    def _denied(self, call: Call) -> Response | None:
        if call.principal is None:
            return None
        decisions = [self._decide(call.principal, access) for access in needs(call, self._template)]
        if self.records:
            self.decisions += decisions
        refused = next((each for each in decisions if each.verdict != "allowed"), None)
        if refused is None:
            return None
        why = "with an explicit deny" if refused.verdict == "explicit deny" else "because no policy allows it"
        text = (
            f"{call.principal} is not authorized to perform {refused.access.action} on {refused.access.resource} {why}"
        )
        return error("AccessDeniedException", 400, text)

    def _decide(self, principal: str, access: Access) -> Decision:
        return Decision(principal, access, self._judge.weigh(principal, access))

    def _once(self, call: Call, request: Request) -> Response:
        if call.service == "dynamodb" and self.dynamodb is not None:
            return self.dynamodb(request)
        token = call.request.get("ClientRequestToken")
        if call.operation != "TransactWriteItems" or not token or not self.honours_request_tokens:
            with self._lock:
                return self._backend(request)
        digest, now = hashlib.sha256(request.body).digest(), time.monotonic()
        with self._lock:
            while self._tokens and now - next(iter(self._tokens.values()))[0] > _TOKEN_SECONDS:
                del self._tokens[next(iter(self._tokens))]
            if token in self._tokens:
                _, known, answer = self._tokens[token]
                return answer if known == digest else error("IdempotentParameterMismatchException")
            answer = self._backend(request)
            if answer.status == 200:
                self._tokens[token] = (now, digest, answer)
            return answer

    def _backend(self, request: Request) -> Response:
        scope = rf"Credential=\1/\2/{self._template.region}/\3/"
        headers = [
            (key, _SCOPE.sub(scope, value) if key.lower() == "authorization" else value)
            for key, value in request.headers
        ]
        headers.append(("x-moto-account-id", self._template.account))
        environ = create_environ(
            request.target, self.server.url, method=request.method, headers=headers, data=request.body
        )
        body, status, answer = run_wsgi_app(self._moto, environ, buffered=True)
        skipped = {"content-length", "connection"}
        kept = tuple((key, value) for key, value in answer.items() if key.lower() not in skipped)
        return Response(int(status.split()[0]), kept, b"".join(body))

    def forget(self) -> None:
        """Drops the data, which moto keeps for the whole process."""
        for service in SERVICES:
            get_backend(service)[self._template.account].reset()  # type: ignore[call-overload]
