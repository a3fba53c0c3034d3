"""A second DynamoDB, which is not ours and not moto's, in a process of its own: Dynoxide, an emulator over SQLite.

`make engine` builds it (`tests/engine/server`) and says in KEYWRIGHT_ENGINE where the program is. Then DynamoDB is
this one for whoever asks: the stack of the tests in place of moto, the proofs in place of a dictionary.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from contextlib import closing
from dataclasses import replace
from functools import cache, cached_property
from http.client import HTTPConnection
from typing import Any, Final

import boto3
from botocore.config import Config

from local.server import Request, Response
from local.stack import Stack, create_table
from local.template import Table

VARIABLE: Final = "KEYWRIGHT_ENGINE"
PROGRAM: Final = os.environ.get(VARIABLE, "")
_HOPS: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
"""Headers of one connection, not of what is said over it."""


class Engine:
    """Started as soon as it exists, with an empty database in memory; it answers between that and `close`."""

    def __init__(self, program: str) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        # It listens before it says where, so there is nothing to wait for.
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"{program} ended with {self._process.wait()} before it said where it answers")

    def close(self) -> int:
        """It ends with its input, and would do so if this process were killed."""
        self._process.communicate()
        return self._process.returncode

    def respond(self, request: Request) -> Response:
        """What it answers, as it answers it."""
        if request.header("x-amz-target").endswith(".UpdateContinuousBackups"):
            return Response(200, (("content-type", "application/x-amz-json-1.0"),), b"{}")  # it keeps no backups
        headers = {name: value for name, value in request.headers if name.lower() not in _HOPS}
        with closing(HTTPConnection(self.url.removeprefix("http://"))) as connection:
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in _HOPS)
            return Response(answer.status, kept, answer.read())

    def create_table(self, table: Table, name: str) -> None:
        """As the template has it, under another name and without its stream, which nobody follows: the engine takes
        longer for each write the more records its streams hold."""
        properties = {member: value for member, value in table.properties.items() if member != "StreamSpecification"}
        create_table(self._administrator, replace(table, properties=properties), name)

    @cached_property
    def _administrator(self) -> Any:
        session = boto3.Session("administrator", "local", region_name="eu-west-1")
        return session.client("dynamodb", endpoint_url=self.url, config=Config(proxies={}))


@cache
def running() -> Engine:
    """The one of this process, until it ends."""
    if not PROGRAM:
        raise RuntimeError(f"{VARIABLE} does not say where the engine is: make engine")
    engine = Engine(PROGRAM)
    atexit.register(engine.close)
    return engine


def answer_for(stack: Stack) -> None:
    """Lets the engine be DynamoDB in a stack that is not open yet."""
    engine = running()

    def respond(request: Request) -> Response:
        if not stack.aws.honours_request_tokens:
            body = json.loads(request.body)
            body.pop("ClientRequestToken", None)
            request = replace(request, body=json.dumps(body).encode())
        return engine.respond(request)

    stack.aws.dynamodb = respond
