"""The composition root: the only reader of the environment, and the only opener of AWS clients.

Two things are opened here: a `Gate` for the functions that verify and do no more, and a `Desk` for all others. What
only a desk needs is loaded with it, so that no verification waits for that.
"""

from __future__ import annotations

import gc
import logging
import os
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from keywright.adapters.aws import JsonService
from keywright.adapters.endpoints import Endpoint, regional
from keywright.adapters.grants import DynamoDBGrantStore
from keywright.adapters.lean import DYNAMODB, EVENTS, KMS, LeanService, Service
from keywright.adapters.signing import Credentials
from keywright.gate import Gate
from keywright.usage import UseNotes

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from keywright.mail import Letter, WarningLetter
    from keywright.model import Event, Terms
    from keywright.ports import Desk, EventBus, Mailer

# At DEBUG botocore logs requests and answers as they are, secrets included. Whoever sets the root logger to DEBUG must
# not bring them out with it.
logging.getLogger("botocore").setLevel(logging.INFO)

_SPELLINGS = {"true": True, "false": False}


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Settings(NamedTuple):
    """What template.yaml gives every function, beside what a gate needs. `stage` marks native tokens; `time_zone` is
    what dialects print that print a zone; `voltmx_app_keys` is whether Volt MX takes an App API key for a credential of
    its caller."""

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

    @classmethod
    def from_environment(cls) -> Settings:
        """Raises KeyError or ValueError, at the start of a function whose usual work needs a desk; what needs but a
        `gate` is not held up by settings of mails."""
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        from keywright.mail import WarningLetter  # noqa: PLC0415
        from keywright.model import Terms  # noqa: PLC0415

        return cls(
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
        )


def _letter(sender: str) -> Letter | None:
    if not sender:
        return None
    from keywright.mail import Letter  # noqa: PLC0415

    return Letter(sender, os.environ["KEYWRIGHT_MAIL_SUBJECT"], _text("KEYWRIGHT_MAIL_TEXT"))


def _text(name: str) -> str:
    """A parameter of a stack is one line as a rule, so a line feed may be spelled."""
    return os.environ[name].replace("\\n", "\n")


@cache
def settings() -> Settings:
    return Settings.from_environment()


@cache
def _service(service: Service) -> JsonService:
    return _CLIENTS[os.environ["KEYWRIGHT_AWS_CLIENT"]](service)


@cache
def gate() -> Gate:
    """What a verification works at, over AWS, opened once per environment."""
    store = DynamoDBGrantStore(_service(DYNAMODB), os.environ["KEYWRIGHT_TABLE"])
    interval_ms = int(os.environ["KEYWRIGHT_LAST_USED_INTERVAL"]) * 1000
    return Gate(store=store, clock=SystemClock(), notes=UseNotes(store, interval_ms))


@cache
def desk() -> Desk:
    """All ports over AWS, opened once per environment. It shares what a gate has."""
    from keywright.adapters.dynamodb import DynamoDBKeyStore  # noqa: PLC0415
    from keywright.adapters.kms import KmsSecretVault  # noqa: PLC0415
    from keywright.ports import Desk  # noqa: PLC0415

    configured, shared = settings(), gate()
    return Desk(
        store=DynamoDBKeyStore(_service(DYNAMODB), os.environ["KEYWRIGHT_TABLE"], configured.terms),
        vault=KmsSecretVault(_service(KMS), configured.secrets_key),
        mailer=_mailer(configured),
        clock=shared.clock,
        stage=configured.stage,
        terms=configured.terms,
        notes=shared.notes,
        cache=shared.cache,
    )


@cache
def event_bus() -> EventBus:
    from keywright.adapters.eventbridge import EventBridgeBus  # noqa: PLC0415  one function has a bus

    return EventBridgeBus(_service(EVENTS), settings().event_bus)


def metrics_namespace() -> str:
    """Under which CloudWatch files the functions' metrics: a stack's own, so that no stack's heartbeat passes for that
    of another one."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or "Keywright"


def event_of(image: Mapping[str, Any]) -> Event:
    """A committed event, as the table's stream shows it. Raises KeyError, TypeError or ValueError for anything else."""
    from keywright.adapters import dynamodb  # noqa: PLC0415

    return dynamodb.event_of(image)


def _mailer(configured: Settings) -> Mailer:
    if configured.letter is None:
        from keywright.adapters.unconfigured import NoMailer  # noqa: PLC0415

        return NoMailer()
    from keywright.adapters.ses import SesMailer  # noqa: PLC0415

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


def open_early(opened: Callable[[], object] = desk) -> None:
    """Opens a desk, or a gate, while Lambda still initialises, when it gives a full processor. Elsewhere they wait for
    use."""
    if _in_lambda():
        opened()
        # What is loaded by now stays: the first full collection, which falls into a request, need not look through it.
        gc.freeze()


def forget() -> None:
    """What was opened or read so far is opened or read anew when it is asked for: for who changes the environment."""
    for opened in (settings, _service, gate, desk, event_bus, _trust):
        opened.cache_clear()


def _in_lambda() -> bool:
    return "AWS_LAMBDA_RUNTIME_API" in os.environ
