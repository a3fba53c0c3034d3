"""P3: POST /api/{json,xml}/emailApiKey."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keywright.ports import SingleKeyRef
from local import demo
from local.aws import Fault, error
from local.server import Response
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.supportcenter.administrator import (
    BREAKS,
    MESSAGES,
    UNKNOWN_KEY,
    Administrator,
    details_of,
    refused,
)
from tests.contract.supportcenter.conftest import Mails, Refuse
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = "dev@example.com"


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_in_json_is_the_documented_one_byte_for_byte(administrator: Administrator, mails: Mails) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    answer = administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.text == (
        '{"response": {"uri": "api/json/emailApiKey", "result": {"status": "Success", "statuscode": 200, '
        '"statusmessage": "API Key sent to the specified Email ID."}}}'
    )
    assert len(mails) == 1


def test_the_answer_in_xml_is_the_documented_one_byte_for_byte(administrator: Administrator, mails: Mails) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    answer = administrator.email("xml", supportRep="meera.nair", emailId=ADDRESS)

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response uri="api/xml/emailApiKey"><result><status>Success</status>'
        "<statuscode>200</statuscode><statusmessage>API Key sent to the specified Email ID.</statusmessage></result>"
        "</response>"
    )
    assert len(mails) == 1


def test_the_mail_holds_the_key_in_clear_and_goes_to_the_one_address(
    administrator: Administrator, mails: Mails
) -> None:
    issued = administrator.key_of(administrator.world.rep("meera.nair", name="Meera <Nair> {key}"))

    administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert mails == [
        {
            "FromEmailAddress": "keys@keywright.example",
            "Destination": {"ToAddresses": [ADDRESS]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Your API key", "Charset": "UTF-8"},
                    "Body": {
                        "Text": {
                            "Data": "Hello Meera <Nair> {key},\n\nthis is your API key:\n\n"
                            f"    {issued.token.reveal()}\n\n"
                            "Whoever has it can act in your name. Keep it like a password, and delete this mail.\n",
                            "Charset": "UTF-8",
                        }
                    },
                }
            },
            "ConfigurationSetName": "keywright-mail",
        }
    ]


def test_it_is_the_current_key_that_is_mailed(administrator: Administrator, mails: Mails) -> None:
    former = administrator.key_of(administrator.world.rep("meera.nair"))
    current = details_of(administrator.regenerate(supportRep="meera.nair"))["apikey"]

    administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    text = mails[0]["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert current in text
    assert former.token.reveal() not in text


def test_mailing_changes_nothing_and_may_be_done_again(administrator: Administrator, mails: Mails) -> None:
    issued = administrator.key_of(administrator.world.rep("meera.nair"))

    for address in (ADDRESS, ADDRESS, "another@example.com"):
        administrator.email(supportRep="meera.nair", emailId=address)

    assert [mail["Destination"]["ToAddresses"] for mail in mails] == [[ADDRESS], [ADDRESS], ["another@example.com"]]
    assert administrator.world.key(issued.key.id) == issued.key


def test_a_key_that_has_expired_and_that_of_a_rep_without_a_role_are_mailed(
    administrator: Administrator, mails: Mails
) -> None:
    expired = administrator.key_of(administrator.world.rep("meera.nair"))
    administrator.world.expire(expired.key)
    administrator.key_of(administrator.world.rep("tomas.vega"))
    administrator.change("tomas.vega", role=None)

    for login in ("meera.nair", "tomas.vega"):
        administrator.email(supportRep=login, emailId=ADDRESS)

    assert len(mails) == 2


def test_it_takes_two_reads_one_opening_its_record_and_one_mail(administrator: Administrator) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    answer = administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "TransactWriteItems", "SendEmail")


@pytest.mark.parametrize(
    "address",
    ["a@b", "first.last+tag@mail.example.co.uk", "o'hara@example.com", "1@1.example", "m" * 242 + "@example.com"],
)
def test_an_address_of_any_valid_form_is_taken(administrator: Administrator, mails: Mails, address: str) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    administrator.email(supportRep="meera.nair", emailId=address)

    assert [mail["Destination"]["ToAddresses"] for mail in mails] == [[address]]


# --- 5101 to 5103: the caller --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("apikey", "statuscode"), [("", 5101), ("x", 5101), (UNKNOWN_KEY, 5102)])
def test_a_stranger_is_5101_or_5102_and_nothing_is_mailed(
    administrator: Administrator, mails: Mails, apikey: str, statuscode: int
) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    assert refused(administrator.email(apikey=apikey, supportRep="meera.nair", emailId=ADDRESS), statuscode)
    assert mails == []


def test_a_rep_who_is_no_administrator_may_not_even_mail_the_own_key(
    administrator: Administrator, mails: Mails
) -> None:
    own = administrator.key_of(administrator.world.rep("meera.nair", role="SDCoordinator")).token.reveal()

    assert refused(administrator.email(apikey=own, supportRep="meera.nair", emailId=ADDRESS), 5103)
    assert mails == []


# --- 5104, 5105: the parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({}, "supportRep"),
        ({"emailId": ADDRESS}, "supportRep"),
        ({"supportRep": " ", "emailId": ADDRESS}, "supportRep"),
        ({"supportRep": "meera.nair"}, "emailId"),
        ({"supportRep": "meera.nair", "emailId": ""}, "emailId"),
        ({"supportRep": "meera.nair", "emailId": "\t"}, "emailId"),
        ({"supportRep": "meera.nair", "emailID": ADDRESS}, "emailId"),
    ],
)
def test_a_mandatory_parameter_that_is_absent_or_blank_is_5104_and_named(
    administrator: Administrator, mails: Mails, parameters: dict[str, str], missing: str
) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    answer = administrator.email(**parameters)

    assert refused(answer, 5104, f"Mandatory parameter missing: {missing}")
    assert mails == []


def test_a_body_that_is_no_form_is_5104(administrator: Administrator) -> None:
    headers = {"authtoken": administrator.apikey, "Content-Type": "application/json"}

    answer = administrator.bundle.request("POST", "/api/json/emailApiKey", headers, b'{"supportRep": "meera.nair"}')

    assert refused(answer, 5104)


NOT_ONE_ADDRESS = [
    "meera", "@example.com", "meera@", "m@e@example.com", "meera@.example.com", "meera@example..com",
    "a@example.com,b@example.com", "a@example.com, b@example.com", "a@example.com;b@example.com",
    "a@example.com b@example.com", "a@example.com\tb@example.com", "<a@example.com>", "Meera <meera@example.com>",
    '"Meera, Nair" <meera@example.com>', "a@example.com (all@example.com)", "undisclosed: a@example.com;",
    "meera@example.com\r\nBcc: all@example.com", "meera@example.com\nBcc: all@example.com",
    "meera@example.com%0d%0aBcc:all@example.com", "meera\r\n@example.com", "\r\nBcc: all@example.com",
    "m\u00fc@example.com", "meera@ex\u00e4mple.com", "meera@\uff45xample.com", "meera@[127.0.0.1]",
    "m" * 243 + "@example.com", "m" * 10_000 + "@example.com", "meera@" + "e" * 10_000, "a@" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_ONE_ADDRESS, ids=range(len(NOT_ONE_ADDRESS)))
def test_what_is_not_one_address_is_5105_and_nothing_is_mailed(
    administrator: Administrator, mails: Mails, address: str
) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    answer = administrator.email(supportRep="meera.nair", emailId=address)

    assert refused(answer, 5105, "Invalid value for parameter: emailId")
    assert answer.calls == ("GetItem", "GetItem")
    assert mails == []


@pytest.mark.parametrize("place", ["{}dev@example.com", "de{}v@example.com", "dev@exa{}mple.com", "dev@example.com{}"])
def test_no_code_point_that_could_break_a_line_gets_into_an_address(
    administrator: Administrator, mails: Mails, place: str
) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))

    for character in BREAKS:
        answer = administrator.email(supportRep="meera.nair", emailId=place.format(character))
        assert refused(answer, 5105, "Invalid value for parameter: emailId")

    assert mails == []


def test_no_code_point_that_could_break_a_line_gets_into_a_login(administrator: Administrator, mails: Mails) -> None:
    for character in BREAKS:
        answer = administrator.email(supportRep=f"meera{character}nair", emailId=ADDRESS)
        assert refused(answer, 5105, "Invalid value for parameter: supportRep")

    assert mails == []


def test_two_addresses_in_two_parameters_are_5105(administrator: Administrator, mails: Mails) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))
    fields = [("supportRep", "meera.nair"), ("emailId", ADDRESS), ("emailId", "all@example.com")]

    answer = administrator.bundle.request(
        "POST", "/api/json/emailApiKey", {"authtoken": administrator.apikey}, form=fields
    )

    assert refused(answer, 5105, "Invalid value for parameter: emailId")
    assert mails == []


# --- 5106 to 5110: the rep and the key -----------------------------------------------------------------------------


def test_an_unknown_rep_is_5106(administrator: Administrator, mails: Mails) -> None:
    assert refused(administrator.email(supportRep="nobody", emailId=ADDRESS), 5106)
    assert mails == []


@pytest.mark.parametrize("form", ["json", "xml"])
def test_another_tenants_rep_answers_byte_for_byte_like_one_that_does_not_exist(
    administrator: Administrator, another_world: World, mails: Mails, form: str
) -> None:
    Administrator(administrator.bundle, another_world, administrator.rep, administrator.issued).key_of(
        another_world.rep("tomas.vega")
    )

    foreign, unknown = (
        administrator.email(form, supportRep=login, emailId=ADDRESS) for login in ("tomas.vega", "nobody")
    )

    assert (foreign.status, foreign.headers, foreign.body) == (unknown.status, unknown.headers, unknown.body)
    assert mails == []


def test_a_rep_without_login_is_5107(administrator: Administrator, mails: Mails) -> None:
    administrator.world.rep("meera.nair", login_enabled=False)

    assert refused(administrator.email(supportRep="meera.nair", emailId=ADDRESS), 5107)
    assert mails == []


def test_a_rep_without_a_key_or_with_a_revoked_one_is_5110(administrator: Administrator, mails: Mails) -> None:
    administrator.world.rep("meera.nair")
    administrator.revoke(administrator.key_of(administrator.world.rep("tomas.vega")).key)

    for login in ("meera.nair", "tomas.vega"):
        assert refused(administrator.email(supportRep=login, emailId=ADDRESS), 5110)
    assert mails == []


# --- 5111, 5199: the mail and the vault ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        error("MessageRejected", text="Email address is not verified."),
        error("BadRequestException"),
        error("AccountSuspendedException"),
        error("SendingPausedException"),
        error("MailFromDomainNotVerifiedException"),
        error("AccessDeniedException", 403),
        error("LimitExceededException"),
        error("TooManyRequestsException", 429),
        error("InternalFailure", 500),
        Response(503, (), b"<html>"),
        None,
    ],
    ids=lambda answer: "no answer" if answer is None else f"{answer.status} {answer.body[:40]!r}",
)
def test_scp_7_whatever_ses_says_against_it_is_5111_and_the_key_stands(
    administrator: Administrator, mails: Mails, ses_answers: Refuse, answer: Response | None
) -> None:
    issued = administrator.key_of(administrator.world.rep("meera.nair"))
    ses_answers(answer)

    said = administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert refused(said, 5111)
    assert mails == []
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_what_ses_said_is_logged_by_its_code_without_address_name_or_key(
    administrator: Administrator, ses_answers: Refuse, caplog: pytest.LogCaptureFixture
) -> None:
    issued = administrator.key_of(administrator.world.rep("meera.nair", name="Meera Nair"))
    ses_answers(error("MessageRejected", text=f"{ADDRESS} is not verified"))

    administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    (fault,) = [vars(record) for record in caplog.records if record.message == "fault"]
    assert [(each["error"], each["code"]) for each in fault["chain"]][:2] == [
        ("MailRefused", None),
        ("ServiceError", "MessageRejected"),
    ]
    logged = str([vars(record) for record in caplog.records])
    for private in (ADDRESS, "Meera", issued.token.reveal()):
        assert private not in logged


def test_ses_is_asked_twice_at_most(administrator: Administrator, ses_answers: Refuse) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))
    ses_answers(error("TooManyRequestsException", 429))

    answer = administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert answer.calls.count("SendEmail") == 2


def test_while_the_vault_does_not_answer_it_is_5199_and_nothing_is_mailed(
    administrator: Administrator, mails: Mails, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))
    down = Fault(error("KMSInvalidStateException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.service == "kms" else None)

    answer = administrator.email(supportRep="meera.nair", emailId=ADDRESS)

    assert refused(answer, 5199)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert mails == []


@pytest.fixture(scope="module")
def without_mail() -> Iterator[Administrator]:
    """An installation that names no sender."""
    with Stack.from_template(ROOT / "template.yaml", {"Stage": "local"}, account="555566667777") as stack:
        world = World(demo.desk(stack))
        rep = world.rep("priya.rao")
        issued = Administrator(Bundle(stack), world, rep, None).key_of(rep)  # type: ignore[arg-type]
        yield Administrator(Bundle(stack), world, rep, issued)


ASKED: dict[str, Callable[[Administrator], Answer]] = {
    "generate": lambda administrator: administrator.generate(supportRep="meera.nair", emailId=ADDRESS),
    "email": lambda administrator: administrator.email(supportRep="meera.nair", emailId=ADDRESS),
    "regenerate": lambda administrator: administrator.regenerate(supportRep="meera.nair", emailId=ADDRESS),
}


def test_scp_7_where_no_sender_is_configured_it_is_5111_and_the_key_stands(without_mail: Administrator) -> None:
    rep = without_mail.world.rep("meera.nair")
    keys = []
    for ask in ASKED.values():
        answer = ask(without_mail)
        assert answer.json()["response"]["result"] == {
            "status": "Failure",
            "statuscode": 5111,
            "statusmessage": MESSAGES[5111],
        }
        assert "SendEmail" not in answer.calls
        ref = SingleKeyRef(rep.ref)
        key = without_mail.world.desk.store.read(ref)[ref]
        assert key is not None
        keys.append(key.last_version)
    assert keys == [1, 1, 2]
    assert len(without_mail.listed(supportRep="meera.nair")) == 1


# --- order ---------------------------------------------------------------------------------------------------------


def test_scp_3_what_is_wrong_first_in_the_documented_order_is_what_is_told(
    administrator: Administrator, ses_answers: Refuse
) -> None:
    """Each request is wrong in all the ways that follow; each time what was told is put right."""
    world = administrator.world
    coordinator = administrator.key_of(world.rep("tomas.vega", role="SDCoordinator")).token.reveal()
    bare = world.rep("lea.brun", login_enabled=False)
    ses_answers(error("MessageRejected"))

    assert refused(administrator.post("emailApikey", apikey=""), 5112)
    assert refused(administrator.email(apikey=""), 5101)
    assert refused(administrator.email(apikey=UNKNOWN_KEY), 5102)
    assert refused(administrator.email(apikey=coordinator), 5103)
    assert refused(administrator.email(emailId="x"), 5104)
    assert refused(administrator.email(supportRep="nobody", emailId="x"), 5105, "Invalid value for parameter: emailId")
    assert refused(administrator.email(supportRep="nobody", emailId=ADDRESS), 5106)
    assert refused(administrator.email(supportRep="lea.brun", emailId=ADDRESS), 5107)
    administrator.change("lea.brun", login_enabled=True)
    assert refused(administrator.email(supportRep="lea.brun", emailId=ADDRESS), 5110)
    administrator.key_of(bare)
    assert refused(administrator.email(supportRep="lea.brun", emailId=ADDRESS), 5111)
