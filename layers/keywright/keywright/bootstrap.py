"""The composition root: the only reader of the environment, and the only opener of AWS clients."""

from __future__ import annotations

import gc
import logging
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from keywright.adapters import dynamodb
from keywright.adapters.aws import JsonService
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.adapters.endpoints import Endpoint, regional
from keywright.adapters.eventbridge import EventBridgeBus
from keywright.adapters.kms import KmsSecretVault
from keywright.adapters.lean import DYNAMODB, EVENTS, KMS, LeanService, Service
from keywright.adapters.ses import SesMailer
from keywright.adapters.signing import Credentials
from keywright.adapters.unconfigured import NoMailer
from keywright.mail import Letter, WarningLetter
from keywright.model import Event, Terms
from keywright.ports import Desk, EventBus, Mailer
from keywright.usage import UseNotes

# At DEBUG botocore logs requests and answers as they are, secrets included. Whoever sets the root logger to DEBUG must
# not bring them out with it.
logging.getLogger("botocore").setLevel(logging.INFO)

_SPELLINGS = {"true": True, "false": False}


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What template.yaml gives every function. `aws_client` is who speaks to AWS, lean or boto3; `stage` marks native
    tokens; `time_zone` is what dialects print that print a zone; `voltmx_app_keys` is whether Volt MX takes an App API
    key for a credential of its caller."""

    aws_client: str
    table: str
    secrets_key: str
    event_bus: str
    stage: str
    time_zone: ZoneInfo
    voltmx_app_keys: bool
    letter: Letter | None
    """None where no sender is named: then nothing is mailed."""
    mail_configuration_set: str
    warning: WarningLetter
    public_url: str
    """Where the installation is reached, without a slash at the end; empty, where a request says that it came to."""
    terms: Terms
    last_used_interval_ms: int

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises KeyError or ValueError at the start of the function, not in the middle of a request."""
        return cls(
            aws_client=os.environ["KEYWRIGHT_AWS_CLIENT"],
            table=os.environ["KEYWRIGHT_TABLE"],
            secrets_key=os.environ["KEYWRIGHT_SECRETS_KEY"],
            event_bus=os.environ["KEYWRIGHT_EVENT_BUS"],
            stage=os.environ["KEYWRIGHT_STAGE"],
            time_zone=ZoneInfo(os.environ["KEYWRIGHT_TIME_ZONE"]),
            voltmx_app_keys=_SPELLINGS[os.environ["KEYWRIGHT_VOLTMX_APP_KEYS"]],
            letter=_letter(os.environ["KEYWRIGHT_MAIL_SENDER"]),
            mail_configuration_set=os.environ["KEYWRIGHT_MAIL_CONFIGURATION_SET"],
            warning=WarningLetter(os.environ["KEYWRIGHT_WARNING_SUBJECT"], _text("KEYWRIGHT_WARNING_TEXT")),
            public_url=os.environ["KEYWRIGHT_PUBLIC_URL"],
            terms=Terms.of(os.environ["KEYWRIGHT_WARNING_DAYS"], os.environ["KEYWRIGHT_RETENTION_DAYS"]),
            last_used_interval_ms=int(os.environ["KEYWRIGHT_LAST_USED_INTERVAL"]) * 1000,
        )


def _letter(sender: str) -> Letter | None:
    if not sender:
        return None
    return Letter(sender, os.environ["KEYWRIGHT_MAIL_SUBJECT"], _text("KEYWRIGHT_MAIL_TEXT"))


def _text(name: str) -> str:
    """A parameter of a stack is one line as a rule, so a line feed may be spelled."""
    return os.environ[name].replace("\\n", "\n")


@cache
def settings() -> Settings:
    return Settings.from_environment()


@cache
def desk() -> Desk:
    """The ports over AWS, opened once per environment."""
    configured = settings()
    service = _CLIENTS[configured.aws_client]
    store = DynamoDBKeyStore(service(DYNAMODB), configured.table, configured.terms)
    return Desk(
        store=store,
        vault=KmsSecretVault(service(KMS), configured.secrets_key),
        mailer=_mailer(configured),
        clock=SystemClock(),
        stage=configured.stage,
        terms=configured.terms,
        notes=UseNotes(store, configured.last_used_interval_ms),
    )


@cache
def event_bus() -> EventBus:
    configured = settings()
    return EventBridgeBus(_CLIENTS[configured.aws_client](EVENTS), configured.event_bus)


def metrics_namespace() -> str:
    """Under which CloudWatch files the functions' metrics: a stack's own, so that no stack's heartbeat passes for that
    of another one."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "Keywright"


def event_of(image: Mapping[str, Any]) -> Event:
    """A committed event, as the table's stream shows it. Raises KeyError, TypeError or ValueError for anything else."""
    return dynamodb.event_of(image)


def _mailer(configured: Settings) -> Mailer:
    if configured.letter is None:
        return NoMailer()
    return SesMailer(cache(_ses), configured.letter, configured.mail_configuration_set, configured.warning)


def _lean(service: Service) -> JsonService:
    """Region, endpoint and credentials as botocore takes them from the environment. Raises KeyError where there are
    none, ValueError for what only botocore can make an address of."""
    _credentials()
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ["AWS_REGION"]
    url = os.environ.get(f"AWS_ENDPOINT_URL_{service.id.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    if not url and "true" in (os.environ.get(name, "").lower() for name in _OTHER_ADDRESSES):
        raise ValueError(f"{' and '.join(_OTHER_ADDRESSES)} need KEYWRIGHT_AWS_CLIENT=boto3")
    endpoint = Endpoint.of(url or regional(service.name, region))
    client = LeanService(service, region, endpoint, _credentials, _trust() if endpoint.secure else None)
    if service is DYNAMODB and _in_lambda():
        client.open_early()  # every function that opens a desk reads the table, and not every one needs KMS
    return client


def _boto(service: Service) -> JsonService:
    # Loaded here, because that takes longer than everything else before an environment's first answer.
    import boto3  # noqa: PLC0415

    from keywright.adapters.boto import CONFIG, BotoService  # noqa: PLC0415

    return BotoService(boto3.Session().client(service.name, config=CONFIG))  # type: ignore[call-overload]


def _ses() -> JsonService:
    """The one service here whose wire the lean client does not speak. Two attempts, since what was sent once too often
    cannot be taken back."""
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    from keywright.adapters.boto import CONFIG, BotoService  # noqa: PLC0415

    config = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
    return BotoService(boto3.Session().client("sesv2", config=config))


_OTHER_ADDRESSES = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT")
_CLIENTS = {"lean": _lean, "boto3": _boto}


def _credentials() -> Credentials:
    """As they are now."""
    environment = os.environ
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN") or None,
    )


@cache
def _trust() -> ssl.SSLContext:
    """Certificates and host names are checked, by AWS_CA_BUNDLE where one is named, else by what the system trusts."""
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)


def open_early() -> None:
    """Opens the clients while Lambda still initialises, when it gives a full processor. Elsewhere they wait for use."""
    if _in_lambda():
        desk()
        # What is loaded by now stays: the first full collection, which falls into a request, need not look through it.
        gc.freeze()


def _in_lambda() -> bool:
    return "AWS_LAMBDA_RUNTIME_API" in os.environ
