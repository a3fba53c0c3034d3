"""The lean client against a server that does whatever a network and a service can do."""

from __future__ import annotations

import datetime as dt
import email.utils
import ipaddress
import json
import logging
import ssl
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keywright.adapters import http1, lean
from keywright.adapters.aws import ServiceError, Unreachable
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.endpoints import Endpoint
from keywright.adapters.http1 import Patience
from keywright.adapters.lean import DYNAMODB, KMS, LeanService, Service
from keywright.adapters.signing import Credentials
from keywright.model import Tenant
from keywright.ports import SaveTenant, TenantRef
from tests.integration.scripted import HANGS_UP, Received, Scripted, Step, answer, checked, refusal, says, scripted

WHO = Credentials("access", "the-secret-key", "the-session-token")
SOON = Patience(connect_seconds=0.5, answer_seconds=0.3)
FOUND = {"Item": {"pk": {"S": "a"}}}
REQUEST = {"TableName": "keys", "Key": {"pk": {"S": "a"}}}


@dataclass
class Time:
    """Epoch seconds that pass when a test says so."""

    seconds: float

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Time:
    return Time(time.time())


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long would have been waited before each further attempt."""
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


@pytest.fixture(autouse=True)
def _no_waiting(waits: list[float]) -> None:
    """In no test of this module."""


Client = Callable[..., LeanService]


@pytest.fixture
def client(now: Time) -> Client:
    def made(server: Scripted, service: Service = DYNAMODB, **how: Any) -> LeanService:
        settings = {"credentials": lambda: WHO, "now": now, "patience": SOON, **how}
        return LeanService(service, "eu-west-1", Endpoint.of(server.url), **settings)

    return made


def unreachable(service: LeanService, operation: str = "GetItem", request: Any = REQUEST) -> Unreachable:
    with pytest.raises(Unreachable) as raised:
        service.call(operation, request)
    return raised.value


def refused(service: LeanService, operation: str = "GetItem") -> ServiceError:
    with pytest.raises(ServiceError) as raised:
        service.call(operation, REQUEST)
    return raised.value


def connections(server: Scripted) -> list[int]:
    return [request.connection for request in server.received]


# --- what is sent --------------------------------------------------------------------------------------------------


def test_a_call_is_one_signed_post(client: Client) -> None:
    with scripted(says(answer(FOUND))) as server:
        assert client(server).call("GetItem", REQUEST) == FOUND
        (request,) = server.received
    assert request.line == "POST / HTTP/1.1"
    assert request.json() == REQUEST
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert request.headers["content-type"] == "application/x-amz-json-1.0"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["x-amz-security-token"] == "the-session-token"
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=access/")
    assert "/eu-west-1/dynamodb/aws4_request" in request.headers["authorization"]


def test_kms_is_spoken_to_in_its_own_version(client: Client) -> None:
    with scripted(says(answer({"KeyId": "a"}))) as server:
        client(server, KMS).call("Encrypt", {})
        (request,) = server.received
    assert request.headers["x-amz-target"] == "TrentService.Encrypt"
    assert request.headers["content-type"] == "application/x-amz-json-1.1"
    assert "/eu-west-1/kms/aws4_request" in request.headers["authorization"]


def test_text_goes_out_and_comes_in_whatever_its_characters(client: Client) -> None:
    text = 'ключ \x1f \U0001f511 \u2028 " \\ é'
    raw = json.dumps({"Item": text}, ensure_ascii=False).encode()
    with scripted(says(answer(raw))) as server:
        assert client(server).call("GetItem", {"a": text}) == {"Item": text}
        assert server.received[0].json() == {"a": text}


def test_new_credentials_are_used_from_the_next_request_on(client: Client) -> None:
    given = [Credentials("one", "a"), Credentials("two", "b", "token"), Credentials("three", "c")]
    with scripted(*[says(answer())] * 3) as server:
        service = client(server, credentials=lambda: given[len(server.received)])
        for _ in given:
            service.call("GetItem", REQUEST)
        assert [request.headers["authorization"].split("/")[0] for request in server.received] == [
            "AWS4-HMAC-SHA256 Credential=one",
            "AWS4-HMAC-SHA256 Credential=two",
            "AWS4-HMAC-SHA256 Credential=three",
        ]
        assert [request.headers.get("x-amz-security-token") for request in server.received] == [None, "token", None]


def test_credentials_that_changed_between_two_attempts_sign_the_second(client: Client) -> None:
    given = [Credentials("old", "a"), Credentials("new", "b")]
    with scripted(says(answer({}, 500)), says(answer())) as server:
        client(server, credentials=lambda: given[len(server.received)]).call("GetItem", REQUEST)
        assert "Credential=new/" in server.received[1].headers["authorization"]


# --- what comes back -----------------------------------------------------------------------------------------------


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SOUND = {
    "in one piece": [answer(FOUND)],
    "with its checksum": [checked(FOUND)],
    "byte by byte": [bytes([each]) for each in answer(FOUND)],
    "in chunks": [CHUNKED, b'5\r\n{"Ite\r\n', b'1b;ext=1\r\nm": {"pk": {"S": "a"}}}    \r\n', b"0\r\n\r\n"],
    "with fields of any case and space": [
        b"HTTP/1.1 200 \r\ncontent-LENGTH:  29 \t\r\nX-Empty:\r\n\r\n" + json.dumps(FOUND).encode() + b" "
    ],
    "with a field twice that decides nothing": [answer(FOUND, headers=[("Via", "a"), ("via", "b")])],
}


@pytest.mark.parametrize("pieces", SOUND.values(), ids=SOUND)
def test_an_answer_is_read_however_it_is_cut(client: Client, pieces: list[bytes]) -> None:
    with scripted(says(*pieces), says(answer({}))) as server:
        service = client(server)
        assert service.call("GetItem", REQUEST) == FOUND
        assert service.call("GetItem", REQUEST) == {}
        assert connections(server) == [0, 0]


def test_an_answer_of_a_megabyte_is_read(client: Client) -> None:
    large = {"Items": [{"pk": {"S": "x" * 1000}}] * 1000}
    with scripted(says(checked(large))) as server:
        assert client(server, patience=Patience()).call("Query", REQUEST) == large


ODD = {
    "nothing at all": HANGS_UP,
    "a reset": Step(reset=True),
    "half a head": says(answer(FOUND)[:20], ends=True),
    "half a body": says(answer(FOUND)[:-3], ends=True),
    "half a chunk": says(CHUNKED + b"30\r\n{", ends=True),
    "chunks without an end": says(CHUNKED + b"2\r\n{}\r\n", ends=True),
    "a chunk that is longer than it says": says(CHUNKED + b"2\r\n{}}}\r\n0\r\n\r\n"),
    "a chunk of no size": says(CHUNKED + b"\r\n{}\r\n0\r\n\r\n"),
    "a chunk of a negative size": says(CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n"),
    "trailer fields": says(CHUNKED + b"2\r\n{}\r\n0\r\nx: y\r\n\r\n"),
    "an endless size of a chunk": says(CHUNKED + b"1" * 70_000),
    "garbage": says(b"\x16\x03\x01\x02\x00\x01 no HTTP \r\n\r\n"),
    "an older HTTP": says(answer(FOUND).replace(b"HTTP/1.1", b"HTTP/1.0")),
    "a newer HTTP": says(answer(FOUND).replace(b"HTTP/1.1", b"HTTP/2")),
    "an interim answer": says(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(FOUND)),
    "a status of two digits": says(answer(FOUND).replace(b" 200 ", b" 20 ")),
    "an endless head": says(b"HTTP/1.1 200 OK\r\n" + b"x-filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 3000),
    "a folded field": says(answer(FOUND, headers=[("X-Folded", "a\r\n b")])),
    "a field without a name": says(answer(FOUND, headers=[("", "a")])),
    "a space before the colon": says(answer(FOUND).replace(b"Content-Length:", b"Content-Length :")),
    "a null byte in a field": says(answer(FOUND, headers=[("X", "a\0b")])),
    "bare line feeds": says(answer(FOUND).replace(b"\r\n", b"\n"), ends=True),
    "no length": says(answer(FOUND, framing=False), ends=True),
    "two lengths": says(answer(FOUND, headers=[("Content-Length", "2")])),
    "a length and chunks": says(
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + b"2\r\n{}\r\n0\r\n\r\n"
    ),
    "a length that is no number": says(b"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n{}"),
    "a length with a sign": says(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}"),
    "another coding": says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "a compressed body": says(answer(FOUND, headers=[("Content-Encoding", "gzip")])),
    "more than was announced": says(answer(FOUND) + b"{}"),
    "a second answer": says(answer(FOUND) + answer(FOUND)),
    "a length beyond all measure": says(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{}"),
    "a length of twenty digits": says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}"),
    "a chunk beyond all measure": says(CHUNKED + b"7fffffff\r\n{}"),
    "no body": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "an empty body": says(answer(b"")),
    "no JSON": says(answer(b"<html>quotes a secret</html>")),
    "cut JSON": says(answer(b'{"Item": {"pk": "quotes a secret"')),
    "a list": says(answer([FOUND])),
    "a string": says(answer('"found"')),
    "null": says(answer(b"null")),
    "other than UTF-8": says(answer(b'{"Item": "\xff quotes a secret"}')),
    "brackets without end": says(answer(b"[" * 100_000)),
    "another checksum": says(checked(FOUND, off_by=1)),
    "a checksum that is none": says(answer(FOUND, headers=[("x-amz-crc32", "quotes")])),
    "two checksums": says(answer(b"{}", headers=[("x-amz-crc32", "2745614147"), ("x-amz-crc32", "2745614147")])),
    "a redirect": says(answer(b"{}", 307, headers=[("Location", "http://169.254.169.254/")])),
    "another success": says(answer({}, 206)),
}


@pytest.mark.parametrize("step", ODD.values(), ids=ODD)
def test_what_is_no_sound_answer_is_none_after_three_attempts_and_taints_no_later_one(
    client: Client, step: Step
) -> None:
    with scripted(step, step, step, says(answer(FOUND))) as server:
        service = client(server)
        failure = unreachable(service)
        assert len(server.received) == 3
        assert service.call("GetItem", REQUEST) == FOUND
        assert connections(server) in ([0, 1, 2, 3], [0, 0, 0, 0])
    assert "secret" not in "".join(traceback.format_exception(failure))


@pytest.mark.parametrize("step", ODD.values(), ids=ODD)
def test_what_is_no_sound_answer_once_costs_one_attempt(client: Client, step: Step, waits: list[float]) -> None:
    with scripted(step, says(answer(FOUND))) as server:
        assert client(server).call("GetItem", REQUEST) == FOUND
        assert [request.body for request in server.received] == [
            json.dumps(REQUEST, separators=(",", ":")).encode()
        ] * 2
    assert len(waits) == 1
    assert 0 <= waits[0] <= 0.025


def test_a_redirect_is_not_followed(client: Client) -> None:
    with scripted(says(answer(FOUND))) as other:
        moved = says(answer(b"{}", 301, headers=[("Location", other.url)]))
        with scripted(moved, moved, moved) as server:
            unreachable(client(server))
        assert other.connections == 0


def test_a_server_that_drips_is_left_when_the_time_is_up(client: Client) -> None:
    drip = says(*(bytes([each]) for each in answer(FOUND)), pause=0.05)
    with scripted(drip, drip, drip) as server:
        service, began = client(server), time.monotonic()
        unreachable(service)
        assert 3 * SOON.answer_seconds <= time.monotonic() - began < 3 * SOON.answer_seconds + 1


def test_a_silent_server_is_asked_three_times(client: Client) -> None:
    with scripted() as server:
        failure = unreachable(client(server))
        assert connections(server) == [0, 1, 2]
    assert isinstance(failure.__cause__, http1.Broken)
    assert isinstance(failure.__cause__.__cause__, TimeoutError)


def test_nobody_there_is_unreachable(client: Client, waits: list[float]) -> None:
    with scripted() as server:
        pass
    unreachable(client(server))
    assert len(waits) == 2


def test_a_name_that_is_nobodys_is_unreachable(client: Client) -> None:
    with scripted(host="no-such-host.invalid") as server:
        unreachable(client(server))


# --- errors of the service -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (refusal("ResourceNotFoundException"), "ResourceNotFoundException"),
        (answer({"__type": "NotFoundException"}, 400), "NotFoundException"),
        (answer({"__type": "a.b#ValidationException:http://example.com/"}, 400), "ValidationException"),
        (answer({"message": "no type"}, 403), "403"),
        (answer({"__type": ["odd"]}, 400), "400"),
        (answer(b"<html>", 404), "404"),
    ],
)
def test_an_error_is_raised_at_once_with_code_status_and_body_and_says_no_more(
    client: Client, said: bytes, code: str
) -> None:
    with scripted(says(said)) as server:
        failure = refused(client(server))
        assert len(server.received) == 1
    assert failure.code == code
    assert str(failure) == f"{code} ({failure.status})"
    assert "quotes" not in repr(failure)


def test_the_reasons_of_a_cancelled_transaction_come_along(client: Client) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"operation": {"S": "a"}}}]
    with scripted(says(refusal("TransactionCanceledException", CancellationReasons=reasons))) as server:
        assert refused(client(server)).body["CancellationReasons"] == reasons


THROTTLES = [refusal(code) for code in sorted(lean._THROTTLED)] + [answer(b"", 429)]
PASSING = [
    *(refusal("InternalServerError", status) for status in (500, 502, 503, 504)),
    answer(b"<html>Bad Gateway</html>", 502),
    refusal("RequestTimeout"),
    refusal("RequestTimeoutException"),
]


@pytest.mark.parametrize(
    ("said", "longest"), [*((each, 1.0) for each in THROTTLES), *((each, 0.025) for each in PASSING)]
)
def test_what_may_pass_is_tried_three_times_with_growing_waits(
    client: Client, waits: list[float], said: bytes, longest: float
) -> None:
    with scripted(*[says(said)] * 3) as server:
        refused(client(server))
        assert connections(server) == [0, 0, 0]
    assert 0 <= waits[0] <= longest
    assert 0 <= waits[1] <= 2 * longest


def test_waits_are_drawn_anew_each_time(client: Client, waits: list[float]) -> None:
    with scripted(*[says(refusal("ThrottlingException"))] * 30) as server:
        for _ in range(10):
            refused(client(server))
    assert len(set(waits)) == 20
    assert max(waits) > 0.5


def test_a_success_after_throttling_is_a_success(client: Client) -> None:
    throttled = says(refusal("ProvisionedThroughputExceededException"))
    with scripted(throttled, throttled, says(answer(FOUND))) as server:
        assert client(server).call("GetItem", REQUEST) == FOUND


def test_a_service_in_trouble_is_not_asked_three_times_for_ever(client: Client) -> None:
    with scripted(*[says(answer({}, 500))] * 200) as server:
        service = client(server)
        for _ in range(50):
            refused(service)
        assert len(server.received) == 50 + 500 // 14


def test_the_quota_fills_up_again_with_successes(client: Client) -> None:
    quota = lean.RetryQuota()
    while quota.take(14):
        pass
    assert not quota.take(14)
    for _ in range(14):
        quota.put_back(1)
    assert quota.take(14)
    quota.put_back(1000)
    assert quota.take(500)
    assert not quota.take(1)


# --- our clock -----------------------------------------------------------------------------------------------------


def clock_says(date: str, code: str = "InvalidSignatureException") -> bytes:
    return answer({"__type": f"x#{code}"}, 400, headers=[("Date", date)])


def dated(code: str, seconds: float) -> bytes:
    return clock_says(email.utils.formatdate(seconds, usegmt=True), code)


def signed_at(request: Received) -> float:
    text = request.headers["x-amz-date"]
    return dt.datetime.strptime(text, "%Y%m%dT%H%M%S%z").timestamp()


@pytest.mark.parametrize("code", ["InvalidSignatureException", "RequestTimeTooSkewed"])
@pytest.mark.parametrize("behind", [-7200, 7200, 301])
def test_a_wrong_clock_is_put_right_by_the_servers_for_this_call_and_the_next(
    client: Client, now: Time, waits: list[float], code: str, behind: int
) -> None:
    truth = now.seconds + behind
    with scripted(says(dated(code, truth)), says(answer(FOUND)), says(answer(FOUND))) as server:
        service = client(server)
        assert service.call("GetItem", REQUEST) == FOUND
        assert service.call("GetItem", REQUEST) == FOUND
        first, *others = map(signed_at, server.received)
    assert first == pytest.approx(now.seconds, abs=1)
    assert others == pytest.approx([truth, truth], abs=1)
    assert waits == []


def test_a_clock_that_goes_right_again_is_believed_again(client: Client, now: Time) -> None:
    truth = now.seconds + 7200
    steps = [dated("RequestTimeTooSkewed", truth), answer(), dated("RequestTimeTooSkewed", truth + 5), answer()]
    with scripted(*map(says, steps)) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        now.seconds = truth + 5
        service.call("GetItem", REQUEST)
        assert signed_at(server.received[-1]) == pytest.approx(truth + 5, abs=1)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(lambda now: dated("InvalidSignatureException", now + 30), id="a clock that is right"),
        pytest.param(lambda _: refusal("InvalidSignatureException"), id="no clock"),
        pytest.param(lambda _: clock_says("yesterday"), id="no time"),
        pytest.param(lambda _: clock_says("\xe9"), id="no ASCII"),
        pytest.param(lambda now: dated("AccessDeniedException", now + 7200), id="another code"),
    ],
)
def test_a_signature_that_fails_for_another_reason_is_an_error_at_once(
    client: Client, now: Time, said: Callable[[float], bytes]
) -> None:
    with scripted(says(said(now.seconds))) as server:
        refused(client(server))
        assert len(server.received) == 1


def test_the_clock_is_put_right_once_and_not_for_ever(client: Client, now: Time) -> None:
    steps = [says(dated("RequestTimeTooSkewed", now.seconds + 7200 * (n + 1))) for n in range(5)]
    with scripted(*steps) as server:
        refused(client(server))
        assert len(server.received) == 2


# --- connections ---------------------------------------------------------------------------------------------------


def test_one_connection_serves_call_after_call(client: Client) -> None:
    with scripted(*[says(answer(FOUND))] * 20) as server:
        service = client(server)
        for _ in range(20):
            service.call("GetItem", REQUEST)
        assert server.connections == 1


def test_a_connection_that_the_server_ends_politely_is_not_used_again(client: Client, waits: list[float]) -> None:
    ended = says(answer(FOUND, headers=[("Connection", "close")]), ends=True)
    with scripted(ended, ended) as server:
        service = client(server)
        assert service.call("GetItem", REQUEST) == service.call("GetItem", REQUEST) == FOUND
        assert connections(server) == [0, 1]
    assert waits == []


def closed_by(server: Scripted, service: LeanService) -> None:
    """Waits until the end of its idle connection has come to the client."""
    deadline = time.monotonic() + 5
    while service._idle[0].is_quiet():
        assert time.monotonic() < deadline


def test_a_connection_that_the_server_closed_while_idle_is_opened_anew_without_sending_twice(
    client: Client, waits: list[float]
) -> None:
    with scripted(says(answer(FOUND), ends=True), says(answer(FOUND))) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        closed_by(server, service)
        assert service.call("GetItem", REQUEST) == FOUND
        assert connections(server) == [0, 1]
    assert waits == []


def test_bytes_that_nobody_asked_for_are_never_taken_for_an_answer(client: Client) -> None:
    timed_out = answer({"Item": {"pk": {"S": "of somebody else"}}})
    late = says(answer(FOUND), timed_out, pause=0.05)
    with scripted(late, says(answer({}))) as server:
        service = client(server)
        assert service.call("GetItem", REQUEST) == FOUND
        closed_by(server, service)
        assert service.call("GetItem", REQUEST) == {}
        assert connections(server) == [0, 1]


def test_a_connection_found_dead_after_lying_idle_costs_no_attempt(
    client: Client, now: Time, waits: list[float]
) -> None:
    """As after a freeze: that the server went away is not seen before something is sent."""
    silent = answer({}, 500)
    with scripted(says(answer(FOUND)), Step(reset=True), *[says(silent)] * 2, says(answer(FOUND))) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        now.seconds += 10
        assert service.call("GetItem", REQUEST) == FOUND
        assert connections(server) == [0, 0, 1, 1, 1]
        assert server.received[1].body == server.received[2].body
    assert len(waits) == 2


def test_a_connection_that_ends_over_a_request_costs_an_attempt(client: Client, waits: list[float]) -> None:
    with scripted(says(answer(FOUND)), HANGS_UP, HANGS_UP, HANGS_UP) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        unreachable(service)
        assert connections(server) == [0, 0, 1, 2]
    assert len(waits) == 2


def test_an_answer_that_breaks_off_on_an_idle_connection_costs_an_attempt(
    client: Client, now: Time, waits: list[float]
) -> None:
    with scripted(says(answer(FOUND)), says(b"H", ends=True), says(answer(FOUND))) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        now.seconds += 10
        assert service.call("GetItem", REQUEST) == FOUND
    assert len(waits) == 1


@pytest.mark.parametrize(("seconds", "kept"), [(59, True), (61, False), (-5, False)])
def test_a_connection_is_kept_for_a_minute(client: Client, now: Time, seconds: int, kept: bool) -> None:
    with scripted(*[says(answer(FOUND))] * 2) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        now.seconds += seconds
        service.call("GetItem", REQUEST)
        assert connections(server) == ([0, 0] if kept else [0, 1])


def test_a_connection_opened_early_is_the_first_calls(client: Client) -> None:
    with scripted(says(answer(FOUND))) as server:
        service = client(server)
        service.open_early()
        assert service.call("GetItem", REQUEST) == FOUND
        assert server.connections == 1


def test_nobody_there_to_be_opened_early_is_the_first_calls_business(client: Client) -> None:
    with scripted() as server:
        pass
    client(server).open_early()


def test_threads_have_connections_of_their_own_and_their_own_answers(client: Client) -> None:
    with scripted(otherwise=lambda request: says(answer(request.body), pause=0.001)) as server:
        service = client(server, patience=Patience())
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: service.call("Decrypt", {"n": n}), range(400)))
        assert 1 < server.connections <= 8
    assert [each["n"] for each in answers] == list(range(400))


def test_after_a_crowd_only_some_connections_are_kept(client: Client) -> None:
    crowd = lean.MOST_IDLE + 5
    with scripted(otherwise=lambda _: says(answer(), pause=0.3)) as server:
        service = client(server, patience=Patience())
        with ThreadPoolExecutor(crowd) as pool:
            list(pool.map(lambda _: service.call("Decrypt", {}), range(crowd)))
        assert server.connections == crowd
    assert len(service._idle) == lean.MOST_IDLE


# --- transactions --------------------------------------------------------------------------------------------------


def test_a_transaction_that_is_sent_again_bears_the_same_token(client: Client, now: Time) -> None:
    with scripted(says(answer()), HANGS_UP, Step(reset=True), says(answer({}, 503)), says(answer())) as server:
        service = client(server)
        store = DynamoDBKeyStore(service, "keys")
        store.commit(SaveTenant(Tenant("first", "First", 0)))
        now.seconds += 10
        store.commit(SaveTenant(Tenant("second", "Second", 0)))
        first, *again = server.received
    tokens = [request.json()["ClientRequestToken"] for request in again]
    assert len(tokens) == 4
    assert len(set(tokens)) == 1
    assert tokens[0] != first.json()["ClientRequestToken"]
    assert len({request.body for request in again}) == 1


def test_a_record_is_absent_only_where_the_service_said_so(client: Client) -> None:
    with scripted(says(checked({})), says(checked({}, off_by=1)), says(answer(b"")), says(answer([]))) as server:
        store = DynamoDBKeyStore(client(server), "keys")
        assert store.read(TenantRef("a"))[TenantRef("a")] is None
        with pytest.raises(Exception, match="again") as raised:
            store.read(TenantRef("a"))
    assert type(raised.value).__name__ == "Unavailable"


# --- TLS -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """Self-signed, for one name or address."""

    file: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Certificate]:
    folder = tmp_path_factory.mktemp("certificates")

    def made(name: str, days: int = 1) -> Certificate:
        try:
            general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            general = x509.DNSName(name)
        key, subject = (
            ec.generate_private_key(ec.SECP256R1()),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        )
        today = dt.datetime.now(dt.UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - dt.timedelta(days=2))
            .not_valid_after(today + dt.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([general]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / f"{name}.{days}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
        return Certificate(file)

    return made


@pytest.fixture
def secure(certificate: Callable[..., Certificate]) -> Certificate:
    return certificate("localhost")


def test_a_certificate_that_is_trusted_for_the_host_is_accepted(client: Client, secure: Certificate) -> None:
    with scripted(*[says(answer(FOUND))] * 2, tls=secure.server(), host="localhost") as server:
        service = client(server, trust=secure.trust())
        assert service.call("GetItem", REQUEST) == service.call("GetItem", REQUEST) == FOUND
        assert server.connections == 1


def test_a_secure_connection_opened_early_or_ended_while_idle_is_handled_like_a_plain_one(
    client: Client, secure: Certificate
) -> None:
    with scripted(says(answer(FOUND), ends=True), says(answer(FOUND)), tls=secure.server(), host="localhost") as server:
        service = client(server, trust=secure.trust())
        service.open_early()
        service.call("GetItem", REQUEST)
        assert server.connections == 1
        closed_by(server, service)
        assert service.call("GetItem", REQUEST) == FOUND
        assert connections(server) == [0, 1]


def untrusted(client: Client, server: Scripted, trust: ssl.SSLContext) -> ssl.SSLCertVerificationError:
    failure = unreachable(client(server, trust=trust))
    assert isinstance(failure.__cause__, http1.Broken)
    cause = failure.__cause__.__cause__
    assert isinstance(cause, ssl.SSLCertVerificationError)
    assert server.received == []
    return cause


def test_a_certificate_that_nobody_vouches_for_gets_no_request(client: Client, secure: Certificate) -> None:
    with scripted(tls=secure.server(), host="localhost") as server:
        untrusted(client, server, ssl.create_default_context())


def test_a_certificate_for_another_host_gets_no_request(
    client: Client, certificate: Callable[..., Certificate]
) -> None:
    other = certificate("dynamodb.example.com")
    with scripted(tls=other.server(), host="localhost") as server:
        assert "Hostname mismatch" in str(untrusted(client, server, other.trust()))


def test_a_certificate_that_ran_out_gets_no_request(client: Client, certificate: Callable[..., Certificate]) -> None:
    old = certificate("localhost", days=-1)
    with scripted(tls=old.server(), host="localhost") as server:
        assert "expired" in str(untrusted(client, server, old.trust()))


def test_a_certificate_for_an_address_is_checked_too(
    client: Client, secure: Certificate, certificate: Callable[..., Certificate]
) -> None:
    named = certificate("127.0.0.1")
    with scripted(says(answer(FOUND)), tls=named.server()) as server:
        assert client(server, trust=named.trust()).call("GetItem", REQUEST) == FOUND
    with scripted(tls=secure.server()) as server:
        assert "IP address mismatch" in str(untrusted(client, server, secure.trust()))


def test_an_endpoint_without_tls_is_never_asked_securely_nor_the_reverse(client: Client, secure: Certificate) -> None:
    with scripted(says(answer(FOUND))) as server:
        server.url = server.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        unreachable(client(server, trust=secure.trust()))
        assert server.received == []


# --- what nobody sees ----------------------------------------------------------------------------------------------


def test_nothing_of_a_request_or_of_the_credentials_is_logged_or_raised(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {"Plaintext": "the-plaintext"}
    steps = [
        says(answer(b'{"Plaintext": "the-plaintext', 200)),
        says(answer({"message": "the-plaintext"}, 500)),
        HANGS_UP,
    ]
    with scripted(*steps) as server:
        failure = unreachable(client(server, KMS), "Encrypt", secret)
    told = caplog.text + "".join(traceback.format_exception(failure))
    seen: BaseException | None = failure
    while seen is not None:
        told += repr(seen.args) + repr(vars(seen))
        seen = seen.__cause__ or seen.__context__
    for each in ("the-plaintext", "the-secret-key", "the-session-token"):
        assert each not in told


def test_a_client_that_is_dropped_closes_its_connections(client: Client) -> None:
    with scripted(says(answer(FOUND))) as server:
        service = client(server)
        service.call("GetItem", REQUEST)
        held = service._idle[0]._socket
        assert held.fileno() != -1
        del service
        assert held.fileno() == -1
