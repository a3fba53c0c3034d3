"""The bundle in this process.

Requests go through the gateway's own routing and events to the handlers, and every AWS call they make is judged by
exactly the policies that template.yaml grants the function.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import mock
from urllib.parse import urlencode

from keywright import bootstrap
from keywright.usage import UseNotes
from local.gateway import Router, http_event, http_response, split_target
from local.iam import Call
from local.runtime import Context, Result
from local.server import Request
from local.stack import Stack
from local.template import Route

GENERATED = re.compile(
    r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"  # UUIDs
    r"|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"  # times: RFC 3339
    r"|\b\d{2}/\d{2}/\d{4} [\d:]+"  # and as Volt MX prints them
    r"|\b\d{13}\b|\b\d{10}\b"  # and as milliseconds and seconds
    r"|\b([a-z]{3,6}_)?([0-9a-f]{24}|\d{14,24})\b"  # ids
    r"|\bevt_[0-9A-Z]{26}\b"
    r"|[\w%.-]{40,}"  # tokens, secrets, keys, codes
)
"""What an answer has that is made anew each time."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    calls: tuple[str, ...]
    """The AWS operations that were called for it, in order."""
    notes: int = 0
    """How often the last use of a key was noted, which no answer waits for."""

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def is_note(call: Call) -> bool:
    key = call.request.get("Key")
    return call.operation == "UpdateItem" and isinstance(key, dict) and key["pk"]["S"].startswith("USE#")


class Bundle:
    _open: ClassVar[tuple[Bundle, str] | None] = None
    """Whose clients, of which function, `bootstrap` holds: it is one for the whole process."""
    watchers: ClassVar[Sequence[Callable[[str, Route, Answer], None]]] = ()
    """Told of the method, the route and the answer of every request."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._router = Router(stack.template.routes)

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str | None = None,
        *,
        json_body: Any = None,
        form: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    ) -> Answer:
        """One HTTP request. `json_body` and `form` bring their content type along."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if json_body is not None:
            body = json.dumps(json_body)
            pairs.append(("Content-Type", "application/json"))
        if form is not None:
            body = urlencode(list(form.items() if isinstance(form, Mapping) else form))
            pairs.append(("Content-Type", "application/x-www-form-urlencoded"))
        raw = body.encode() if isinstance(body, str) else body or b""
        request = Request(method, target, (("Host", "keywright.test"), *pairs), raw)
        path, query = split_target(target)
        match = self._router.match(method, path)
        assert match is not None, f"no route for {method} {path}"
        before = len(self.stack.aws.calls)
        result = self.invoke(match.route.function, http_event(request, match, path, query))
        response = http_response(result)
        made = self.stack.aws.calls[before:]
        answer = Answer(
            response.status,
            {name.lower(): value for name, value in response.headers},
            response.body,
            tuple(call.operation for call in made if not is_note(call)),
            sum(map(is_note, made)),
        )
        for watch in self.watchers:
            watch(method, match.route, answer)
        return answer

    def invoke(self, function: str, event: Mapping[str, Any]) -> Result:
        """The handler of one function, as Lambda would call it."""
        declared = self.stack.template.functions[function]
        module, _, name = declared.handler.rpartition(".")
        with self.environment(function):
            handler = getattr(importlib.import_module(module), name)
            result = Result(json.loads(json.dumps(handler(dict(event), Context(declared, "request-1", 2**62)))))
            if bootstrap.gate.cache_info().currsize and isinstance(notes := bootstrap.gate().notes, UseNotes):
                notes.settle()
            return result

    @contextmanager
    def environment(self, function: str) -> Iterator[None]:
        if Bundle._open != (self, function):
            bootstrap.forget()
            Bundle._open = (self, function)
        with mock.patch.dict(os.environ, self.stack.environment(function)):
            yield

    def calls(self) -> list[Call]:
        return list(self.stack.aws.calls)
