"""JsonService over one kept connection a thread: signed, sent and read with no more work than the wire asks for.

Retries are those of botocore's standard mode, which is the reference (`keywright.adapters.boto`): up to three attempts
at what fails in passing, longer waits for throttling than for the rest, and a quota, so that a service in trouble is
not asked three times as often. What differs from it, on purpose:

- a time-out counts from the request to the whole answer, so that three attempts end before the function does;
- an answer that fails its checksum three times is no answer;
- where the server finds our clock wrong and says what time it is, the difference is noted and the request signed anew.

Not here, and a reason to switch back to boto3: proxies, FIPS and dual-stack addresses, credentials from elsewhere than
the environment.
"""

from __future__ import annotations

import base64
import json
import random
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from keywright.adapters.aws import ServiceError, Unreachable
from keywright.adapters.endpoints import Endpoint
from keywright.adapters.http1 import Answer, Broken, Connection, Dropped, Patience
from keywright.adapters.signing import CredentialsProvider, Signer

ATTEMPTS: Final = 3
IDLE_SECONDS: Final = 60
"""How long a connection is kept without use. A function that was frozen for longer finds its connections dead."""
STALE_SECONDS: Final = 1
"""A connection that ends later than this after its last use ended for being idle, not over the request."""
MOST_IDLE: Final = 10

_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_TRANSIENT: Final = frozenset({"RequestTimeout", "RequestTimeoutException"})
_TRANSIENT_STATUSES: Final = frozenset({500, 502, 503, 504})
_SKEWED: Final = frozenset({"InvalidSignatureException", "RequestTimeTooSkewed", "SignatureDoesNotMatch"})
_SKEW_SECONDS: Final = 240
"""A signature is good for five minutes either way. With a smaller difference it failed for another reason."""


class RetryTerms(NamedTuple):
    """What a retry takes from the quota, and the longest first wait, in seconds; the next may be twice as long."""

    price: int
    first_wait: float


_WHEN_THROTTLED: Final = RetryTerms(price=5, first_wait=1.0)


class Service(NamedTuple):
    """How a service is spoken to. `name` is that of its address and its signature; `id` is its service id in botocore,
    by which the environment names another address."""

    name: str
    id: str
    target: str
    content_type: str
    terms: RetryTerms


DYNAMODB: Final = Service(
    "dynamodb", "DynamoDB", "DynamoDB_20120810", "application/x-amz-json-1.0", RetryTerms(price=14, first_wait=0.025)
)
KMS: Final = Service("kms", "KMS", "TrentService", "application/x-amz-json-1.1", RetryTerms(price=14, first_wait=0.05))
EVENTS: Final = Service(
    "events", "EventBridge", "AWSEvents", "application/x-amz-json-1.1", RetryTerms(price=14, first_wait=0.05)
)


def _base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_base64).encode


class RetryQuota:
    """What is left for trying again: a retry takes some, a success puts back what its retry took, or a little."""

    CAPACITY: Final = 500

    def __init__(self) -> None:
        self._left = self.CAPACITY
        self._lock = threading.Lock()

    def take(self, price: int) -> bool:
        with self._lock:
            if price > self._left:
                return False
            self._left -= price
            return True

    def put_back(self, price: int) -> None:
        if self._left < self.CAPACITY:
            with self._lock:
                self._left = min(self.CAPACITY, self._left + price)


class LeanService:
    """`now` gives epoch seconds; what the server says about them is remembered here, and nowhere else."""

    def __init__(
        self,
        service: Service,
        region: str,
        endpoint: Endpoint,
        credentials: CredentialsProvider,
        trust: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
        patience: Patience = Patience(),  # noqa: B008  it is frozen
    ) -> None:
        self._service = service
        self._endpoint = endpoint
        self._credentials = credentials
        self._trust = trust
        self._now = now
        self._patience = patience
        self._skew = 0.0
        self._signer = Signer(service.name, region, endpoint.authority, service.content_type)
        self._head = (
            f"POST / HTTP/1.1\r\nHost: {endpoint.authority}\r\nContent-Type: {service.content_type}\r\n"
            "Accept-Encoding: identity\r\nUser-Agent: keywright\r\n"
        )
        self._quota = RetryQuota()
        self._idle: list[Connection] = []

    def open_early(self) -> None:
        """Connects ahead of the first call. What stands against it, the call will find out."""
        try:
            self._idle.append(self._connect())
        except Broken:
            return

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        payload, target = _encode(request).encode(), f"{self._service.target}.{operation}"
        attempt, paid = 1, 1
        while True:
            try:
                result = self._attempt(target, payload)
                self._quota.put_back(paid)
                return result
            except (ServiceError, Unreachable) as failure:
                terms = self._terms(failure)
                if terms is None or attempt == ATTEMPTS or not self._quota.take(terms.price):
                    raise
            time.sleep(random.uniform(0, terms.first_wait * 2 ** (attempt - 1)))  # noqa: S311  no secret hangs on this
            attempt, paid = attempt + 1, terms.price

    def _terms(self, failure: ServiceError | Unreachable) -> RetryTerms | None:
        """On which terms it may be tried again, None where it may not."""
        if isinstance(failure, ServiceError):
            if failure.code in _THROTTLED or failure.status == 429:
                return _WHEN_THROTTLED
            if failure.code not in _TRANSIENT and failure.status not in _TRANSIENT_STATUSES:
                return None
        return self._service.terms

    def _attempt(self, target: str, payload: bytes) -> dict[str, Any]:
        """One attempt; signed anew within it where the answer shows that our clock was wrong."""
        try:
            answer = self._send(target, payload)
            try:
                return _read(answer)
            except ServiceError as refused:
                if refused.code not in _SKEWED or not self._adjust(answer):
                    raise
            return _read(self._send(target, payload))
        except Broken as broken:
            raise Unreachable(str(broken)) from broken

    def _send(self, target: str, payload: bytes) -> Answer:
        """The answer, whatever it says. That a connection ended while it lay idle is no failure: what got no sign of an
        answer on it is sent again on another."""
        now = self._now()
        signed = self._signer.headers(self._credentials(), target, payload, now + self._skew)
        head = f"{self._head}X-Amz-Target: {target}\r\nContent-Length: {len(payload)}\r\n{signed}\r\n"
        message = head.encode() + payload
        while connection := self._kept(now):
            stale = now - connection.used_at > STALE_SECONDS
            try:
                return self._exchange(connection, message)
            except Dropped:
                if not stale:
                    raise
        return self._exchange(self._connect(), message)

    def _connect(self) -> Connection:
        return Connection(self._endpoint, self._trust, self._patience, self._now())

    def _exchange(self, connection: Connection, message: bytes) -> Answer:
        answer = connection.exchange(message)
        if connection.usable and len(self._idle) < MOST_IDLE:
            connection.used_at = self._now()
            self._idle.append(connection)
        return answer

    def _kept(self, now: float) -> Connection | None:
        """The connection that was used last, if it can be used again; taking it off the list is atomic."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if 0 <= now - connection.used_at < IDLE_SECONDS and connection.is_quiet():
                return connection
            connection.close()

    def _adjust(self, answer: Answer) -> bool:
        """Whether the server's clock explains the refusal; then its difference to ours is kept."""
        try:
            date = time.strptime(answer.headers.get(b"date", b"").decode(), "%a, %d %b %Y %H:%M:%S GMT")
        except ValueError:
            return False
        from calendar import timegm  # noqa: PLC0415  clocks are rarely wrong

        skew = timegm(date) - self._now()
        if abs(skew - self._skew) < _SKEW_SECONDS:
            return False
        self._skew = skew
        return True


def _read(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer. Raises ServiceError, and Broken for whatever is neither."""
    if (checksum := answer.headers.get(b"x-amz-crc32")) is not None and checksum != b"%d" % zlib.crc32(answer.body):
        raise Broken("not what its checksum says")
    body = _object(answer.body)
    if answer.status == 200 and body is not None:
        return body
    if answer.status < 400:
        raise Broken("neither a result nor an error")
    code = None if body is None else body.get("__type")
    named = code.partition(":")[0].rpartition("#")[2] if isinstance(code, str) else str(answer.status)
    raise ServiceError(named, answer.status, body or {})


def _object(text: bytes) -> dict[str, Any] | None:
    # What could not be read may hold a secret, and the exception carries all of it: it must not be chained.
    try:
        value = json.loads(text.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
