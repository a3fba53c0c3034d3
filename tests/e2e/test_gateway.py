"""`make run`: what it prints, writes and serves, and how it starts and stops."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.gateway import Router, http_event
from local.serve import TEMPLATE
from local.server import Request
from local.template import Template
from tests.e2e.conftest import ROOT, Running

ROUTES = Template.load(TEMPLATE).routes
DEMO = {
    "KEYWRIGHT_URL",
    "KEYWRIGHT_OPERATOR_TOKEN",
    "SAMPLE_KEY",
    "SAMPLE_URL",
    "SALESIQ_SCREENNAME",
    "SALESIQ_APP_ID",
    "SALESIQ_AUTHORIZATION",
    "SALESIQ_CLIENT_ID",
    "SALESIQ_CLIENT_SECRET",
    "SALESIQ_REFRESH_TOKEN",
    "SUNSHINE_APP_ID",
    "SUNSHINE_INTEGRATION_ID",
    "SUNSHINE_KEY_ID",
    "SUNSHINE_KEY_SECRET",
    "SUNSHINE_ACCOUNT_KEY_ID",
    "SUNSHINE_ACCOUNT_KEY_SECRET",
    "VOLTMX_APP_ID",
    "VOLTMX_UNPUBLISHED_APP_ID",
    "VOLTMX_AUTHORIZATION",
    "VOLTMX_APP_API_KEY",
    "VOLTMX_USERID",
    "VOLTMX_PASSWORD",
    "SUPPORTCENTER_REP",
    "SUPPORTCENTER_REP_WITHOUT_LOGIN",
    "SUPPORTCENTER_APIKEY",
}


def call(running: Running, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    request = urllib.request.Request(running.url + path, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {token or running.values['KEYWRIGHT_OPERATOR_TOKEN']}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_says_where_it_is_and_how_to_begin(running: Running) -> None:
    assert f"Keywright is ready on {running.url}\n" in running.printed
    assert running.values["KEYWRIGHT_OPERATOR_TOKEN"] in running.printed
    assert running.printed.count("curl -s") == 5
    assert "lives as long as this process" in running.printed


def test_the_demo_file_can_be_sourced_and_is_complete(running: Running) -> None:
    assert running.values.keys() - {"PWD", "OLDPWD", "SHLVL", "_"} == DEMO
    assert all(running.values[name] for name in DEMO)


def test_a_key_that_was_issued_verifies(running: Running) -> None:
    status, key = call(running, "/v1/keys", {"owner": {"kind": "operator", "id": "21000000000017"}})
    assert status == 201
    status, verdict = call(running, "/v1/keys/verify", {"token": key["token"]})
    assert (status, verdict["valid"], verdict["key_id"]) == (200, True, key["id"])


def test_what_is_no_route_is_the_gateways_own_404(running: Running) -> None:
    assert call(running, "/nowhere") == (404, {"message": "Not Found"})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_odd_bytes_never_make_a_5xx(running: Running, route: Any) -> None:
    """Raw, on every route: bytes that are no UTF-8 in path, query, headers and body, and a body that is none."""
    method = "POST" if route.method == "ANY" else route.method
    host, port = running.url.removeprefix("http://").split(":")
    odd = re.sub(r"{[^}]+}", "%00%ff\xff%2F%0a", route.path).encode("latin-1")
    for path in (odd, re.sub(r"{[^}]+}", "x", route.path).encode()):
        for kind in (b"application/json", b"application/x-www-form-urlencoded", b"\xff"):
            head = b"%s %s?\xff=%%ff&%%&apikey=\xfe HTTP/1.1\r\nHost: h\r\nX-Odd: \xff\x01\r\n" % (
                method.encode(),
                path,
            )
            head += b"Authorization: Bearer \xff\r\nConnection: close\r\nContent-Length: 7\r\nContent-Type: "
            with socket.create_connection((host, int(port)), timeout=20) as line:
                line.sendall(head + kind + b'\r\n\r\n\xff{"\x00\n]%')
                status = line.makefile("rb").readline()
            assert status.startswith(b"HTTP/1.1 "), (path, kind)
            assert status[9:10] in {b"2", b"4"}, (path, kind, status)


def test_the_stand_in_for_aws_answers_with_what_the_sam_file_names(running: Running) -> None:
    values = json.loads((ROOT / "local/sam-env.json").read_text())["Parameters"]
    found = re.search(r"AWS is played on (\S+)\.", running.printed)
    assert found
    # Of another region, as containers sign for the one that their host is set to.
    session = boto3.Session(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    config = Config(proxies={})
    dynamodb = session.client("dynamodb", endpoint_url=found[1], config=config)
    assert dynamodb.describe_table(TableName=values["KEYWRIGHT_TABLE"])["Table"]["ItemCount"] > 0
    kms = session.client("kms", endpoint_url=found[1], config=config)
    assert kms.describe_key(KeyId=values["KEYWRIGHT_SECRETS_KEY"])["KeyMetadata"]["Enabled"]


@contextmanager
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield str(holder.getsockname()[1])


def test_a_busy_port_gets_one_line_that_names_the_next() -> None:
    with taken_port() as port:
        refused = Running(PORT=port)
        assert refused.wait_until_over() == 1
    assert refused.printed == f"Port {port}: Address already in use. Another one: PORT={int(port) + 1} make run\n"


def children(process: int) -> set[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    parents = {int(pid): int(parent) for pid, parent in map(str.split, table.splitlines())}
    found, fresh = set[int](), {process}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh}
        found |= fresh
    return found


def is_alive(process: int) -> bool:
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], check=False, capture_output=True, text=True
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_and_a_busy_aws_port_does_not_stop_it(how: signal.Signals) -> None:
    with taken_port() as port:
        running = Running(AWS_PORT=port)
        running.wait_until_ready()
    assert f"Port {port}: Address already in use. AWS is played on " in running.printed
    assert call(running, "/v1/keys/verify", {"token": "x"})[0] == 200
    family = children(running.process.pid)
    assert len(family) >= 2  # the fork server and a function at least
    # Ctrl-C reaches everything that the terminal has in front, SIGTERM only the process that it names.
    (os.killpg if how == signal.SIGINT else os.kill)(running.process.pid, how)
    assert running.wait_until_over() == 0
    assert running.printed.endswith("Stopped.\n")
    assert "Traceback" not in running.printed
    end = time.monotonic() + 5
    while any(map(is_alive, family)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(is_alive, family))


def shape(value: Any) -> Any:
    return {name: shape(item) for name, item in value.items()} if isinstance(value, dict) else type(value).__name__


@pytest.mark.skipif(shutil.which("sam") is None, reason="the SAM CLI is not on the PATH; `make e2e` puts it there")
def test_events_have_the_shape_that_sam_generates() -> None:
    """All that the gateway makes, sam's sample has, of the same type; what only the sample has, is named here."""
    command = ["sam", "local", "generate-event", "apigateway", "http-api-proxy"]
    sample = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    match = Router(ROUTES).match("GET", "/v1/keys/k1")
    assert match
    headers = (("Cookie", "a=1"), ("Content-Type", "text/plain"))
    event = http_event(Request("GET", "/v1/keys/k1?a=b", headers, b"hello"), match, "/v1/keys/k1", "a=b")
    ours, theirs = shape(event), shape(sample)
    for shapes in (ours, theirs):
        for free in ("headers", "pathParameters", "queryStringParameters"):  # names of the request's choosing
            shapes[free] = set(shapes[free].values())
    context, sampled = ours.pop("requestContext"), theirs.pop("requestContext")
    assert {name: theirs[name] for name in ours} == ours
    assert theirs.keys() - ours.keys() == {"stageVariables"}
    assert {name: sampled[name] for name in context} == context
    assert sampled.keys() - context.keys() == {"authentication", "authorizer"}
