from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

import boto3
import pytest

from keywright.adapters.aws import JsonService
from keywright.adapters.boto import CONFIG, BotoService
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.endpoints import Endpoint
from keywright.adapters.kms import KmsSecretVault
from keywright.adapters.lean import DYNAMODB, EVENTS, KMS, LeanService
from keywright.adapters.signing import Credentials
from keywright.ports import Desk, KeyStore, SecretVault
from local.aws import Fault
from local.iam import Call
from local.stack import Stack
from tests.engine.agreement import TABLE, Alike, three_tables
from tests.engine.process import PROGRAM
from tests.fakes import FakeKeyStore, FixedClock, OpenVault, Outbox
from tests.quick_table import QuickTable
from tests.world import World

Connect = Callable[[str], JsonService]
Faults = Callable[[Callable[[Call], Fault | None]], None]
STORES = ["boto3", "lean", "alike"] if PROGRAM else ["fake", "quick", "boto3", "lean"]
"""With the second engine: both clients on it, and all tables at once, which must agree on every request."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "answers(question): the access pattern of the table that it proves")


@pytest.fixture(scope="session")
def clients(stack: Stack) -> Mapping[str, Connect]:
    """Both clients of AWS, as the bundle configures them, with an administrator's rights."""
    region, endpoint, who = stack.template.region, Endpoint.of(stack.url), Credentials("administrator", "local")
    session = boto3.Session(who.access_key, who.secret_key, region_name=region)
    services = {service.name: service for service in (DYNAMODB, EVENTS, KMS)}

    def boto(name: str) -> JsonService:
        return BotoService(session.client(name, endpoint_url=stack.url, config=CONFIG))  # type: ignore[call-overload]

    return {"boto3": boto, "lean": lambda name: LeanService(services[name], region, endpoint, lambda: who)}


@pytest.fixture(params=["boto3", "lean"])
def connect(request: pytest.FixtureRequest, clients: Mapping[str, Connect]) -> Connect:
    """A new client. One that has met many failures tries nothing again for a while, so who provokes them takes one of
    their own."""
    return clients[request.param]


@pytest.fixture(scope="session")
def table(stack: Stack) -> str:
    return next(iter(stack.template.tables.values())).name


@pytest.fixture(scope="session")
def stores(clients: Mapping[str, Connect], table: str) -> Callable[[str], DynamoDBKeyStore]:
    return cache(lambda client: DynamoDBKeyStore(clients[client]("dynamodb"), table))


@pytest.fixture
def kms_vault(connect: Connect, stack: Stack) -> KmsSecretVault:
    return KmsSecretVault(connect("kms"), next(iter(stack.template.keys.values())).arn)


@pytest.fixture(scope="session")
def three() -> Iterator[Mapping[str, JsonService]]:
    with three_tables() as tables:
        yield tables


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, stores: Callable[[str], DynamoDBKeyStore]) -> KeyStore:
    if request.param == "alike":
        return DynamoDBKeyStore(Alike(request.getfixturevalue("three")), TABLE)
    if request.param == "quick":
        return DynamoDBKeyStore(QuickTable(), "keys")
    return FakeKeyStore() if request.param == "fake" else stores(request.param)


@pytest.fixture(params=["fake", "boto3", "lean"])
def vault(request: pytest.FixtureRequest, clients: Mapping[str, Connect], stack: Stack) -> SecretVault:
    if request.param == "fake":
        return OpenVault()
    return KmsSecretVault(clients[request.param]("kms"), next(iter(stack.template.keys.values())).arn)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def desk(store: KeyStore, clock: FixedClock) -> Desk:
    return Desk(store=store, vault=OpenVault(), mailer=Outbox(), clock=clock, stage="test")


@pytest.fixture
def world(desk: Desk) -> World:
    return World(desk)


@pytest.fixture
def another_world(desk: Desk) -> World:
    return World(desk)


@pytest.fixture
def faults(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """Hits AWS calls until the test is over; whoever waits before trying again does not wait."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    before = stack.aws.fault, stack.aws.honours_request_tokens

    def hit(fault: Callable[[Call], Fault | None]) -> None:
        stack.aws.fault = fault

    yield hit
    stack.aws.fault, stack.aws.honours_request_tokens = before
