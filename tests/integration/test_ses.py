"""Mailer over SES: what is sent, what is refused before, and what comes of SES's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.boto import BotoService
from keywright.adapters.ses import SesMailer
from keywright.mail import Letter
from keywright.tokens import Token
from local.aws import Fault, error
from local.iam import Call
from local.server import Response
from local.stack import Stack
from tests.integration.conftest import Faults

KEY = "6B0D549B-6F03-475A-9600-A35A099950D8"
LETTER = Letter("keys@keywright.example", "Your API key", "Hello {owner},\n{key}\n")
BREAKS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]


@dataclass
class Recorder:
    """A client of SES that takes everything."""

    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "SendEmail"
        self.requests.append(request)
        return {"MessageId": "1"}


@pytest.fixture
def mailer(stack: Stack) -> SesMailer:
    return SesMailer(lambda: BotoService(stack.client("sesv2")), LETTER)


@pytest.fixture
def taken(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """What SES was asked and took."""
    found: list[dict[str, Any]] = []
    before = stack.aws.watch

    def watch(call: Call, answer: Response) -> None:
        if answer.status == 200:
            found.append(call.request)

    stack.aws.watch = watch
    yield found
    stack.aws.watch = before


def test_a_token_is_mailed_as_simple_content_to_its_one_receiver(
    mailer: SesMailer, taken: list[dict[str, Any]]
) -> None:
    mailer.send_token(Token(KEY), to="dev@example.com", owner_name="Zoë 日本")
    assert taken == [
        {
            "FromEmailAddress": "keys@keywright.example",
            "Destination": {"ToAddresses": ["dev@example.com"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Your API key", "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": f"Hello Zoë 日本,\n{KEY}\n", "Charset": "UTF-8"}},
                }
            },
        }
    ]


def test_a_configuration_set_is_named_where_there_is_one() -> None:
    recorder = Recorder()
    SesMailer(lambda: recorder, LETTER, "keys").send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    assert recorder.requests[0]["ConfigurationSetName"] == "keys"


def test_the_client_is_opened_when_there_is_something_to_send() -> None:
    opened: list[Recorder] = []

    def connect() -> JsonService:
        opened.append(Recorder())
        return opened[-1]

    mailer = SesMailer(connect, LETTER)
    with pytest.raises(errors.MailNotSent):
        mailer.send_token(Token(KEY), to="", owner_name="Meera")
    assert opened == []
    mailer.send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    assert len(opened) == 1


FIELDS: dict[str, Callable[[str], dict[str, str]]] = {
    "before the address": lambda character: {"to": f"{character}dev@example.com"},
    "in the address": lambda character: {"to": f"dev@example{character}.com"},
    "after the address": lambda character: {"to": f"dev@example.com{character}"},
    "before the name": lambda character: {"owner_name": f"{character}Meera"},
    "in the name": lambda character: {"owner_name": f"Meera{character}Nair"},
    "after the name": lambda character: {"owner_name": f"Meera{character}"},
}


@pytest.mark.parametrize("place", FIELDS)
@pytest.mark.parametrize("character", BREAKS, ids=lambda character: f"U+{ord(character):04X}")
def test_nothing_leaves_with_what_could_break_a_line(character: str, place: str) -> None:
    recorder = Recorder()
    given_fields = {"to": "dev@example.com", "owner_name": "Meera", **FIELDS[place](character)}
    with pytest.raises(errors.MailNotSent):
        SesMailer(lambda: recorder, LETTER).send_token(Token(KEY), **given_fields)
    assert recorder.requests == []


@given(to=st.text(max_size=60) | st.emails(), owner_name=st.text())
def test_whatever_is_given_there_is_one_receiver_one_subject_and_no_name_in_a_header(to: str, owner_name: str) -> None:
    recorder = Recorder()
    try:
        SesMailer(lambda: recorder, LETTER).send_token(Token(KEY), to=to, owner_name=owner_name)
    except errors.MailNotSent:
        assert recorder.requests == []
        return
    (request,) = recorder.requests
    assert request["Destination"] == {"ToAddresses": [to]}
    assert request["FromEmailAddress"] == LETTER.sender
    assert request["Content"].keys() == {"Simple"}
    assert request["Content"]["Simple"]["Subject"]["Data"] == LETTER.subject
    assert request.keys() == {"FromEmailAddress", "Destination", "Content"}


@pytest.mark.parametrize("to", ["", "a@b,c@d", "a@b;c@d", "a@b c@d", "A <a@b>", "a@b" * 5_000], ids=range(6))
def test_nothing_leaves_for_what_is_not_one_address(to: str) -> None:
    recorder = Recorder()
    with pytest.raises(errors.MailNotSent):
        SesMailer(lambda: recorder, LETTER).send_token(Token(KEY), to=to, owner_name="Meera")
    assert recorder.requests == []


def test_a_sender_that_nobody_verified_is_refused_by_ses(stack: Stack, taken: list[dict[str, Any]]) -> None:
    stranger = Letter("keys@elsewhere.example", LETTER.subject, LETTER.text)
    mailer = SesMailer(lambda: BotoService(stack.client("sesv2")), stranger)
    with pytest.raises(errors.MailNotSent) as refused:
        mailer.send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    assert isinstance(refused.value.__cause__, ServiceError)
    assert refused.value.__cause__.code == "MessageRejected"
    assert taken == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (error("MessageRejected"), ServiceError),
        (error("TooManyRequestsException", 429), ServiceError),
        (error("InternalFailure", 500), ServiceError),
        (None, Unreachable),
    ],
    ids=["rejected", "throttled", "broken", "no answer"],
)
def test_whatever_ses_says_against_it_is_one_refusal_with_its_cause_and_without_the_key(
    stack: Stack, faults: Faults, answer: Response | None, cause: type[Exception]
) -> None:
    faults(lambda call: Fault(answer) if call.service == "ses" else None)
    mailer = SesMailer(lambda: BotoService(stack.client("sesv2")), LETTER)
    with pytest.raises(errors.MailNotSent) as refused:
        mailer.send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    assert isinstance(refused.value.__cause__, cause)
    assert KEY not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_a_lost_answer_may_have_been_a_mail(stack: Stack, faults: Faults, taken: list[dict[str, Any]]) -> None:
    """SES knows no token against doubles: the second attempt is a second mail, with the same key."""
    lost = [Fault(None, committed=True)]
    faults(lambda call: lost.pop() if lost and call.service == "ses" else None)
    client = stack.client("sesv2")
    SesMailer(lambda: BotoService(client), LETTER).send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    assert len(taken) == 2
    assert taken[0] == taken[1]
