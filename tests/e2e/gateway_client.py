"""A client of the running gateway, over HTTP and nothing else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.e2e.conftest import Running


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """The native API, with the demo operator's token unless told otherwise; `send` is for any dialect."""

    def __init__(self, running: Running, token: str | None = None) -> None:
        self._url = running.url
        self._token = token or running.values["KEYWRIGHT_OPERATOR_TOKEN"]

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        request = urllib.request.Request(self._url + path, body, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, answer.headers["content-type"], answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers["content-type"], refusal.read())

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        return self.send(method, path, headers, None if body is None else json.dumps(body).encode())

    def verify(self, **credential: str) -> Any:
        answer = self.ask("POST", "/v1/keys/verify", credential)
        assert answer.status == 200, answer
        return answer.json()
