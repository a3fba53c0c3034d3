"""What the environment says of mail, and what the composition root makes of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from keywright import bootstrap
from keywright.adapters.ses import SesMailer
from keywright.adapters.unconfigured import NoMailer
from keywright.mail import WARNING, WarningLetter
from keywright.model import Terms
from keywright.tokens import Token
from local.serve import TEMPLATE
from local.stack import Stack
from local.template import Template
from tests.bundle import Bundle

KEY = "6B0D549B-6F03-475A-9600-A35A099950D8"
Environment = Callable[..., None]


@pytest.fixture
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Environment]:
    """That of a function which mails, with changes."""

    def forget() -> None:
        bootstrap.forget()
        Bundle._open = None

    def changed(**changes: str) -> None:
        for name, value in {**stack.environment("SupportcenterEmailApiKey"), **changes}.items():
            monkeypatch.setenv(name, value)
        forget()

    yield changed
    forget()


def test_without_a_sender_nothing_is_mailed(environment: Environment) -> None:
    environment(KEYWRIGHT_MAIL_SENDER="", KEYWRIGHT_MAIL_TEXT="no placeholder")
    assert isinstance(bootstrap.desk().mailer, NoMailer)


def test_a_sender_a_subject_and_a_text_make_a_letter(environment: Environment) -> None:
    environment(KEYWRIGHT_MAIL_SUBJECT="Schl\u00fcssel", KEYWRIGHT_MAIL_TEXT="{owner}\\n{key}\n.")
    letter = bootstrap.settings().letter
    assert letter is not None
    assert (letter.sender, letter.subject) == ("keys@keywright.example", "Schl\u00fcssel")
    assert letter.text_for(Token(KEY), "Meera") == f"Meera\n{KEY}\n."
    assert isinstance(bootstrap.desk().mailer, SesMailer)


@pytest.mark.parametrize(
    "changes",
    [
        {"KEYWRIGHT_MAIL_SENDER": "Keywright <keys@keywright.example>"},
        {"KEYWRIGHT_MAIL_SENDER": "keys@keywright.example\r\nBcc: all@example.com"},
        {"KEYWRIGHT_MAIL_SUBJECT": "The key {key}"},
        {"KEYWRIGHT_MAIL_SUBJECT": ""},
        {"KEYWRIGHT_MAIL_TEXT": "Hello {owner}"},
        {"KEYWRIGHT_WARNING_TEXT": "Hello {owner}"},
        {"KEYWRIGHT_WARNING_TEXT": "{key_id}: {key}"},
        {"KEYWRIGHT_WARNING_SUBJECT": "{key_id}"},
    ],
)
def test_a_letter_that_could_not_be_sent_is_refused_at_the_start(
    environment: Environment, changes: dict[str, str]
) -> None:
    environment(**changes)
    with pytest.raises(ValueError, match="mail"):
        bootstrap.desk()


def test_the_configuration_set_goes_with_every_mail(environment: Environment, stack: Stack) -> None:
    environment(KEYWRIGHT_MAIL_CONFIGURATION_SET="keys", AWS_ACCESS_KEY_ID="administrator")
    before = len(stack.aws.calls)
    bootstrap.desk().mailer.send_token(Token(KEY), to="dev@example.com", owner_name="Meera")
    (call,) = stack.aws.calls[before:]
    assert call.request["ConfigurationSetName"] == "keys"


def test_what_an_installation_sets_for_all_keys_reaches_the_store_and_the_letter(environment: Environment) -> None:
    environment(
        KEYWRIGHT_WARNING_DAYS="60,5",
        KEYWRIGHT_RETENTION_DAYS="7",
        KEYWRIGHT_WARNING_SUBJECT="Bald ist Schluss",
        KEYWRIGHT_WARNING_TEXT="{key_id}\\nin {days}",
    )
    assert bootstrap.desk().terms == Terms((60, 5), 7)
    assert bootstrap.settings().warning == WarningLetter("Bald ist Schluss", "{key_id}\nin {days}")


@pytest.mark.parametrize("changes", [{"KEYWRIGHT_WARNING_DAYS": "0"}, {"KEYWRIGHT_RETENTION_DAYS": "never"}])
def test_terms_that_are_none_are_refused_at_the_start(environment: Environment, changes: dict[str, str]) -> None:
    environment(**changes)
    with pytest.raises(ValueError, match=r"days|int"):
        bootstrap.desk()


def test_the_templates_own_values_are_those_of_the_layer() -> None:
    declared = yaml_parse(TEMPLATE.read_text())["Parameters"]
    default = {name: declared[name]["Default"] for name in declared if "Default" in declared[name]}
    assert Terms.of(default["WarningDays"], str(default["RetentionDays"])) == Terms()
    assert WarningLetter(default["WarningSubject"], default["WarningText"].replace("\\n", "\n")) == WARNING
    for steps in ("", "1", "999,30", "30,14,7,1"):
        assert re.fullmatch(declared["WarningDays"]["AllowedPattern"], steps)
        Terms.of(steps, "30")
    for steps in ("0", "1000", "7,", ",", "7, 1", "-1", "1,2,3,4,5,6,7,8,9,10,11"):
        assert not re.fullmatch(declared["WarningDays"]["AllowedPattern"], steps)


SES = "arn:aws:ses:eu-west-1:123456789012"
OUR_SET = "configuration-set/keywright-mail"


@pytest.mark.parametrize(
    ("parameters", "resources"),
    [
        ({"MailSender": "keys@example.com"}, ["identity/keys@example.com", OUR_SET]),
        ({"MailSender": "keys@example.com", "MailIdentity": "example.com"}, ["identity/example.com", OUR_SET]),
        (
            {"MailSender": "keys@example.com", "MailIdentity": "example.com", "MailConfigurationSet": "keys"},
            ["identity/example.com", "configuration-set/keys"],
        ),
        ({}, ["identity/"]),
    ],
)
def test_the_permission_to_mail_is_for_the_one_address_through_the_one_set(
    parameters: dict[str, str], resources: list[str]
) -> None:
    function = Template.load(TEMPLATE, parameters).functions["SupportcenterEmailApiKey"]
    (document,) = [policy.document for policy in function.policies if policy.name == "CanMailKeys"]
    (statement,) = document["Statement"]
    assert statement["Resource"] == [f"{SES}:{resource}" for resource in resources]
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": parameters.get("MailSender", "")}}
    assert (statement["Effect"], statement["Action"]) == ("Allow", "ses:SendEmail")


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({}, ""),
        ({"MailConfigurationSet": "keys"}, "keys"),
        ({"MailSender": "keys@example.com"}, "keywright-mail"),
        ({"MailSender": "keys@example.com", "MailConfigurationSet": "keys"}, "keys"),
    ],
)
def test_mails_go_through_the_bundles_own_set_unless_another_is_named(parameters: dict[str, str], named: str) -> None:
    variables = Template.load(TEMPLATE, parameters).functions["SupportcenterEmailApiKey"].variables
    assert variables["KEYWRIGHT_MAIL_CONFIGURATION_SET"] == named


def test_what_the_template_takes_for_a_sender_makes_no_pattern_of_a_policy() -> None:
    """An asterisk, a question mark or a dollar sign would mean something else there."""
    declared = yaml_parse(TEMPLATE.read_text())["Parameters"]
    for name in ("MailSender", "MailIdentity", "MailConfigurationSet"):
        for value in ("*@example.com", "k?@example.com", "${aws:username}@example.com", "a@b,c@d", "a@b\n"):
            assert not re.fullmatch(declared[name]["AllowedPattern"], value), (name, value)
    assert re.fullmatch(declared["MailSender"]["AllowedPattern"], "first.last+keys@mail.example.com")
    assert re.fullmatch(declared["MailText"]["AllowedPattern"], declared["MailText"]["Default"])


PROBE = """
import sys
from keywright import bootstrap
from keywright.tokens import Token
desk = bootstrap.desk()
assert "boto3" not in sys.modules and "botocore.client" not in sys.modules, "loaded before there is a mail"
desk.mailer.send_token(Token("{key}"), to="dev@example.com", owner_name="Meera")
assert "boto3" in sys.modules
"""


def test_boto3_is_loaded_with_the_first_mail_and_not_before(stack: Stack) -> None:
    variables = stack.environment("SupportcenterEmailApiKey")
    path = os.pathsep.join(str(Path(part).resolve()) for part in sys.path if part)
    probe = [sys.executable, "-c", PROBE.replace("{key}", KEY)]
    subprocess.run(probe, env={**variables, "PYTHONPATH": path}, check=True, timeout=60)
