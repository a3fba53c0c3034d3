"""P4: POST /api/{json,xml}/regenerateApiKey."""

from __future__ import annotations

import re

import pytest

from keywright import issuing, lifecycle
from keywright.issuing import Issued
from keywright.model import SupportRep
from local.aws import Fault, error
from local.stack import Stack
from tests.contract.supportcenter.administrator import (
    BREAKS,
    MESSAGES,
    UNKNOWN_KEY,
    WRITES,
    Administrator,
    details_of,
    refused,
)
from tests.contract.supportcenter.conftest import Mails, Meanwhile, Refuse
from tests.world import World

GUID = r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
DAY_MS = 86_400_000


@pytest.fixture
def meera(administrator: Administrator) -> SupportRep:
    return administrator.world.rep("meera.nair", name="Meera Nair")


@pytest.fixture
def issued(administrator: Administrator, meera: SupportRep) -> Issued:
    """Meera's key, which never expires."""
    return administrator.key_of(meera)


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_in_json_is_the_documented_one_byte_for_byte(administrator: Administrator, issued: Issued) -> None:
    answer = administrator.regenerate(supportRep="meera.nair")

    details = details_of(answer)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert re.fullmatch(GUID, details["apikey"])
    assert details["apikey"] != issued.token.reveal()
    assert answer.text == (
        '{"response": {"uri": "api/json/regenerateApiKey", '
        '"result": {"status": "Success", "statuscode": 200, "statusmessage": "API Key regenerated successfully."}, '
        f'"details": {{"supportRep": "meera.nair", "apikey": "{details["apikey"]}", '
        f'"createdTime": "{details["createdTime"]}", "expiresOn": "-1"}}}}}}'
    )


@pytest.mark.usefixtures("issued")
def test_the_answer_in_xml_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    answer = administrator.regenerate("xml", supportRep="meera.nair")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert re.fullmatch(
        r'<\?xml version="1\.0" encoding="UTF-8"\?>\n'
        r'<response uri="api/xml/regenerateApiKey"><result><status>Success</status><statuscode>200</statuscode>'
        r"<statusmessage>API Key regenerated successfully\.</statusmessage></result>"
        rf"<details><supportRep>meera\.nair</supportRep><apikey>{GUID}</apikey>"
        r"<createdTime>[0-9]{13}</createdTime><expiresOn>-1</expiresOn></details></response>",
        answer.text,
    )


def test_com_7_the_old_key_is_dead_and_the_new_one_good_when_the_answer_comes(
    administrator: Administrator, issued: Issued
) -> None:
    assert administrator.verify(issued.token.reveal())["valid"] is True

    new = details_of(administrator.regenerate(supportRep="meera.nair"))["apikey"]

    assert administrator.verify(issued.token.reveal()) == administrator.verify(UNKNOWN_KEY)
    verdict = administrator.verify(new)
    assert (verdict["valid"], verdict["key_id"], verdict["version"]) == (True, issued.key.id, 2)


def test_of_many_keys_in_a_row_only_the_last_is_good(administrator: Administrator, issued: Issued) -> None:
    shown = [issued.token.reveal()]
    shown += [details_of(administrator.regenerate(supportRep="meera.nair"))["apikey"] for _ in range(4)]

    assert [administrator.verify(each)["valid"] for each in shown] == [False] * 4 + [True]
    assert administrator.verify(shown[-1])["version"] == 5


def test_the_list_shows_the_new_key_and_its_time_alone(administrator: Administrator, issued: Issued) -> None:
    details = details_of(administrator.regenerate(supportRep="meera.nair"))

    (row,) = administrator.listed(supportRep="meera.nair")
    assert {name: row[name] for name in details} == details
    assert int(details["createdTime"]) >= issued.key.created_at_ms


def test_an_administrator_may_regenerate_the_own_key_and_calls_with_the_new_one(administrator: Administrator) -> None:
    new = details_of(administrator.regenerate(supportRep="priya.rao"))["apikey"]

    assert refused(administrator.ask_for_list(), 5102)
    assert administrator.ask_for_list(apikey=new).json()["response"]["result"]["status"] == "Success"


def test_the_version_is_recorded_under_the_administrator_who_made_it(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.regenerate(supportRep="meera.nair")

    key = administrator.world.key(issued.key.id)
    assert (key.newest.creator.id, key.newest.creator.name) == ("priya.rao", "Priya Rao")
    assert key.creator == issued.key.creator


@pytest.mark.usefixtures("issued")
def test_it_takes_one_read_of_the_caller_one_of_the_rest_one_seal_and_one_transaction(
    administrator: Administrator,
) -> None:
    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems")


# --- expiry --------------------------------------------------------------------------------------------------------


def test_scp_6_without_a_date_a_future_expiry_is_kept(administrator: Administrator) -> None:
    day = int(administrator.in_ms(DAY_MS))
    administrator.key_of(administrator.world.rep("meera.nair"), expires_at_ms=day)

    details = details_of(administrator.regenerate(supportRep="meera.nair"))

    assert details["expiresOn"] == str(day)
    assert administrator.world.key(administrator.verify(details["apikey"])["key_id"]).expires_at_ms == day


def test_scp_6_another_date_takes_the_place_of_the_former(administrator: Administrator) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"), expires_at_ms=int(administrator.in_ms(DAY_MS)))
    later = administrator.in_ms(2 * DAY_MS)

    assert details_of(administrator.regenerate(supportRep="meera.nair", expiresOn=later))["expiresOn"] == later
    assert details_of(administrator.regenerate(supportRep="meera.nair", expiresOn="-1"))["expiresOn"] == "-1"
    assert details_of(administrator.regenerate(supportRep="meera.nair", expiresOn=later))["expiresOn"] == later


def test_scp_6_a_key_that_has_expired_needs_a_date_and_lives_again_with_it(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.world.expire(issued.key)

    refusal = administrator.regenerate(supportRep="meera.nair")
    assert refused(refusal, 5104, "Mandatory parameter missing: expiresOn")
    assert administrator.verify(issued.token.reveal())["reason"] == "expired"

    for expires_on in ("-1", administrator.in_ms(DAY_MS)):
        details = details_of(administrator.regenerate(supportRep="meera.nair", expiresOn=expires_on))
        assert details["expiresOn"] == expires_on
        assert administrator.verify(details["apikey"])["valid"] is True
        key = administrator.world.key(issued.key.id)
        assert key.expiry_marked_at_ms is None
        administrator.world.expire(key)


def test_an_expiry_that_was_marked_is_due_again_under_its_new_date(
    administrator: Administrator, issued: Issued
) -> None:
    now_ms = administrator.world.desk.clock.now_ms()
    administrator.world.overwrite(issued.key, expires_at_ms=now_ms - 2, expiry_marked_at_ms=now_ms - 1)

    administrator.regenerate(supportRep="meera.nair", expiresOn=administrator.in_ms(DAY_MS))

    assert administrator.world.key(issued.key.id).expiry_marked_at_ms is None


@pytest.mark.parametrize("expires_on", ["", "0", "-2", "never", "1751362200000", "2999-01-01", "9" * 15, "9" * 40])
def test_an_expiry_that_is_no_date_in_the_future_is_5105_and_the_key_stands(
    administrator: Administrator, issued: Issued, expires_on: str
) -> None:
    answer = administrator.regenerate(supportRep="meera.nair", expiresOn=expires_on)

    assert refused(answer, 5105, "Invalid value for parameter: expiresOn")
    assert administrator.verify(issued.token.reveal())["valid"] is True


# --- the mail ------------------------------------------------------------------------------------------------------


def test_with_an_address_the_new_key_is_mailed_there_at_once(
    administrator: Administrator, issued: Issued, mails: Mails
) -> None:
    answer = administrator.regenerate(supportRep="meera.nair", emailId="dev@example.com")

    (mail,) = mails
    text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert mail["Destination"] == {"ToAddresses": ["dev@example.com"]}
    assert details_of(answer)["apikey"] in text
    assert issued.token.reveal() not in text
    assert answer.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems", "SendEmail")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_mail_that_ses_refuses_is_5111_and_the_new_key_stands(
    administrator: Administrator, issued: Issued, ses_answers: Refuse, form: str
) -> None:
    ses_answers(error("MessageRejected"))

    answer = administrator.regenerate(form, supportRep="meera.nair", emailId="dev@example.com")

    assert answer.status == 200
    assert "5111" in answer.text
    assert MESSAGES[5111] in answer.text
    (row,) = administrator.listed(supportRep="meera.nair")
    assert row["apikey"] not in answer.text
    assert administrator.verify(row["apikey"])["valid"] is True
    assert administrator.verify(issued.token.reveal())["valid"] is False


@pytest.mark.usefixtures("issued")
def test_no_mail_leaves_for_a_key_that_was_not_made(
    administrator: Administrator, mails: Mails, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    refusal = Fault(error("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}] * 6))
    monkeypatch.setattr(stack.aws, "fault", lambda call: refusal if call.operation == "TransactWriteItems" else None)

    answer = administrator.regenerate(supportRep="meera.nair", emailId="dev@example.com")

    assert answer.status == 503
    assert mails == []


def test_no_code_point_that_could_break_a_line_gets_into_an_address(
    administrator: Administrator, issued: Issued, mails: Mails
) -> None:
    for character in BREAKS:
        answer = administrator.regenerate(supportRep="meera.nair", emailId=f"dev@example.com{character}Bcc: a@b.c")
        assert refused(answer, 5105, "Invalid value for parameter: emailId")

    assert mails == []
    assert administrator.verify(issued.token.reveal())["valid"] is True


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("apikey", "statuscode"), [("", 5101), ("x", 5101), (UNKNOWN_KEY, 5102)])
def test_a_stranger_is_5101_or_5102_and_the_key_stands(
    administrator: Administrator, issued: Issued, apikey: str, statuscode: int
) -> None:
    assert refused(administrator.regenerate(apikey=apikey, supportRep="meera.nair"), statuscode)
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_a_rep_who_is_no_administrator_may_not_even_regenerate_the_own_key(administrator: Administrator) -> None:
    own = administrator.key_of(administrator.world.rep("tomas.vega", role="SDCoordinator")).token.reveal()

    assert refused(administrator.regenerate(apikey=own, supportRep="tomas.vega"), 5103)
    assert administrator.verify(own)["valid"] is True


@pytest.mark.usefixtures("issued")
def test_a_parameter_missing_wrong_or_given_twice_is_5104_or_5105(administrator: Administrator) -> None:
    fields = [("supportRep", "meera.nair"), ("supportRep", "tomas.vega")]
    twice = administrator.bundle.request(
        "POST", "/api/json/regenerateApiKey", {"authtoken": administrator.apikey}, form=fields
    )

    assert refused(administrator.regenerate(), 5104)
    assert refused(administrator.regenerate(supportRep=" "), 5104)
    assert refused(administrator.regenerate(supportRep="a" * 251), 5105, "Invalid value for parameter: supportRep")
    assert refused(twice, 5105, "Invalid value for parameter: supportRep")


def test_an_unknown_rep_is_5106(administrator: Administrator) -> None:
    assert refused(administrator.regenerate(supportRep="nobody"), 5106)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_another_tenants_rep_answers_byte_for_byte_like_one_that_does_not_exist(
    administrator: Administrator, another_world: World, form: str
) -> None:
    abroad = Administrator(administrator.bundle, another_world, administrator.rep, administrator.issued)
    theirs = abroad.key_of(another_world.rep("tomas.vega"))

    foreign, unknown = (administrator.regenerate(form, supportRep=login) for login in ("tomas.vega", "nobody"))

    assert (foreign.status, foreign.headers, foreign.body) == (unknown.status, unknown.headers, unknown.body)
    assert another_world.key(theirs.key.id) == theirs.key


def test_a_rep_without_login_is_5107_and_one_without_a_role_5108(administrator: Administrator, issued: Issued) -> None:
    administrator.world.rep("tomas.vega", login_enabled=False)
    administrator.change("meera.nair", role=None)

    assert refused(administrator.regenerate(supportRep="tomas.vega"), 5107)
    assert refused(administrator.regenerate(supportRep="meera.nair"), 5108)
    assert administrator.world.key(issued.key.id) == issued.key


def test_a_rep_without_a_key_or_with_a_revoked_one_is_5110(administrator: Administrator, issued: Issued) -> None:
    administrator.world.rep("tomas.vega")
    administrator.revoke(issued.key)

    for login in ("tomas.vega", "meera.nair"):
        assert refused(administrator.regenerate(supportRep=login), 5110)


def test_a_key_that_the_native_api_disabled_stays_so(administrator: Administrator, issued: Issued) -> None:
    lifecycle.disable(administrator.world.desk, administrator.world.principal, issued.key)

    new = details_of(administrator.regenerate(supportRep="meera.nair"))["apikey"]

    assert administrator.verify(new)["reason"] == "disabled"
    assert administrator.verify(issued.token.reveal())["reason"] == "unknown"


def test_scp_3_what_is_wrong_first_in_the_documented_order_is_what_is_told(
    administrator: Administrator, ses_answers: Refuse
) -> None:
    """Each request is wrong in all the ways that follow; each time what was told is put right."""
    world = administrator.world
    coordinator = administrator.key_of(world.rep("tomas.vega", role="SDCoordinator")).token.reveal()
    bare = world.rep("lea.brun", login_enabled=False, role=None)
    ses_answers(error("MessageRejected"))

    def told(**parameters: str) -> str:
        return administrator.regenerate(emailId="a@example.com", **parameters).text

    assert refused(administrator.post("regenerateApikey", apikey="", expiresOn="x"), 5112)
    assert refused(administrator.regenerate(apikey="", expiresOn="x"), 5101)
    assert refused(administrator.regenerate(apikey=UNKNOWN_KEY, expiresOn="x"), 5102)
    assert refused(administrator.regenerate(apikey=coordinator, expiresOn="x"), 5103)
    assert refused(administrator.regenerate(expiresOn="x"), 5104)
    assert '"statuscode": 5105' in told(supportRep="nobody", expiresOn="x")
    assert '"statuscode": 5106' in told(supportRep="nobody")
    assert '"statuscode": 5107' in told(supportRep="lea.brun")
    administrator.change("lea.brun", login_enabled=True)
    assert '"statuscode": 5108' in told(supportRep="lea.brun")
    administrator.change("lea.brun", role="SDCoordinator")
    assert '"statuscode": 5110' in told(supportRep="lea.brun")
    expired = world.expire(administrator.key_of(bare).key)
    administrator.change("lea.brun", role=None)
    assert '"Mandatory parameter missing: expiresOn"' in told(supportRep="lea.brun")
    administrator.change("lea.brun", role="SDCoordinator")
    assert '"statuscode": 5111' in told(supportRep="lea.brun", expiresOn="-1")
    assert world.key(expired.id).last_version == 2


# --- at the same time ----------------------------------------------------------------------------------------------


def test_two_regenerations_at_the_same_time_leave_one_good_key_and_no_gap(
    administrator: Administrator, issued: Issued, meanwhile: Meanwhile
) -> None:
    world, others = administrator.world, []

    def another() -> None:
        made = issuing.issue_version(world.desk, world.principal, issued.key, creator=issued.key.creator)
        others.append(made.token.reveal())

    meanwhile(another)
    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.calls.count("BatchGetItem") == 2
    verdict = administrator.verify(details_of(answer)["apikey"])
    assert (verdict["valid"], verdict["version"]) == (True, 3)
    assert [administrator.verify(token)["valid"] for token in (issued.token.reveal(), *others)] == [False, False]


@pytest.mark.usefixtures("issued")
def test_a_login_withdrawn_meanwhile_is_5107_and_no_key_is_left(
    administrator: Administrator, meera: SupportRep, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: administrator.world.change(meera, login_enabled=False))

    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["statuscode"] == 5107
    assert administrator.listed(supportRep="meera.nair") == []


def test_a_role_withdrawn_meanwhile_is_5108_and_the_key_is_the_former(
    administrator: Administrator, meera: SupportRep, issued: Issued, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: administrator.world.change(meera, role=None))

    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["statuscode"] == 5108
    assert administrator.world.key(issued.key.id) == issued.key


def test_a_key_deleted_meanwhile_is_5110(administrator: Administrator, issued: Issued, meanwhile: Meanwhile) -> None:
    world = administrator.world
    meanwhile(lambda: lifecycle.delete(world.desk, world.principal, issued.key))

    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["statuscode"] == 5110


def test_while_the_vault_does_not_answer_it_is_5199_and_the_key_stands(
    administrator: Administrator, issued: Issued, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = Fault(error("KMSInvalidStateException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.service == "kms" else None)

    answer = administrator.regenerate(supportRep="meera.nair")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["response"]["result"]["statuscode"] == 5199
    assert not (WRITES - {"Encrypt"}) & set(answer.calls)
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_a_success_whose_answer_was_lost_is_a_success(
    administrator: Administrator, issued: Issued, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    faults = [Fault(None, committed=True)]
    monkeypatch.setattr(
        stack.aws, "fault", lambda call: faults.pop() if faults and call.operation == "TransactWriteItems" else None
    )

    answer = administrator.regenerate(supportRep="meera.nair")

    assert administrator.verify(details_of(answer)["apikey"])["version"] == 2
    assert administrator.world.key(issued.key.id).last_version == 2
