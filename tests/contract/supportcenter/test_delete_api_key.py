"""P5: POST /api/{json,xml}/deleteApiKey."""

from __future__ import annotations

import pytest

from keywright import issuing, lifecycle
from keywright.issuing import Issued
from keywright.model import SupportRep
from local.aws import Fault, error
from local.stack import Stack
from tests.contract.supportcenter.administrator import (
    BREAKS,
    UNKNOWN_KEY,
    Administrator,
    details_of,
    refused,
)
from tests.contract.supportcenter.conftest import Meanwhile
from tests.world import World


@pytest.fixture
def meera(administrator: Administrator) -> SupportRep:
    return administrator.world.rep("meera.nair", name="Meera Nair")


@pytest.fixture
def issued(administrator: Administrator, meera: SupportRep) -> Issued:
    """Meera's key, which never expires."""
    return administrator.key_of(meera)


# --- success -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("issued")
def test_the_answer_in_json_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    answer = administrator.delete(supportRep="meera.nair")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.text == (
        '{"response": {"uri": "api/json/deleteApiKey", "result": {"status": "Success", "statuscode": 200, '
        '"statusmessage": "API Key deleted successfully."}}}'
    )


@pytest.mark.usefixtures("issued")
def test_the_answer_in_xml_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    answer = administrator.delete("xml", supportRep="meera.nair")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response uri="api/xml/deleteApiKey"><result><status>Success</status>'
        "<statuscode>200</statuscode><statusmessage>API Key deleted successfully.</statusmessage></result></response>"
    )


def test_the_key_is_dead_when_the_answer_comes_and_gone_from_the_list(
    administrator: Administrator, issued: Issued
) -> None:
    assert administrator.verify(issued.token.reveal())["valid"] is True

    administrator.delete(supportRep="meera.nair")

    assert administrator.verify(issued.token.reveal()) == administrator.verify(UNKNOWN_KEY)
    assert administrator.listed(supportRep="meera.nair") == []


@pytest.mark.usefixtures("issued")
def test_scp_5_a_second_time_it_is_5110(administrator: Administrator) -> None:
    administrator.delete(supportRep="meera.nair")

    assert refused(administrator.delete(supportRep="meera.nair"), 5110)


def test_afterwards_another_key_can_be_generated_and_the_former_stays_dead(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.delete(supportRep="meera.nair")

    new = details_of(administrator.generate(supportRep="meera.nair"))["apikey"]

    verdict = administrator.verify(new)
    assert (verdict["valid"], verdict["version"]) == (True, 1)
    assert verdict["key_id"] != issued.key.id
    assert administrator.verify(issued.token.reveal())["valid"] is False


def test_the_record_stays_with_its_time(administrator: Administrator, issued: Issued) -> None:
    """So that the native API can undo it."""
    administrator.delete(supportRep="meera.nair")

    key = administrator.world.key(issued.key.id)
    assert key.deleted_at_ms is not None
    assert key.versions == issued.key.versions


def test_a_key_that_has_expired_was_disabled_or_lacks_the_reps_role_can_be_deleted(
    administrator: Administrator,
) -> None:
    world = administrator.world
    world.expire(administrator.key_of(world.rep("a")).key)
    lifecycle.disable(world.desk, world.principal, administrator.key_of(world.rep("b")).key)
    administrator.key_of(world.rep("c"))
    administrator.change("c", role=None)

    for login in ("a", "b", "c"):
        assert administrator.delete(supportRep=login).json()["response"]["result"]["status"] == "Success"
    assert [row["supportRep"] for row in administrator.listed()] == ["priya.rao"]


def test_an_administrator_who_deletes_the_own_key_is_a_stranger_afterwards(administrator: Administrator) -> None:
    assert administrator.delete(supportRep="priya.rao").json()["response"]["result"]["status"] == "Success"

    assert refused(administrator.ask_for_list(), 5102)


@pytest.mark.usefixtures("issued")
def test_it_takes_two_reads_and_one_transaction(administrator: Administrator) -> None:
    assert administrator.delete(supportRep="meera.nair").calls == ("GetItem", "BatchGetItem", "TransactWriteItems")


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("apikey", "statuscode"), [("", 5101), ("x", 5101), (UNKNOWN_KEY, 5102)])
def test_a_stranger_is_5101_or_5102_and_the_key_stands(
    administrator: Administrator, issued: Issued, apikey: str, statuscode: int
) -> None:
    assert refused(administrator.delete(apikey=apikey, supportRep="meera.nair"), statuscode)
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_a_rep_who_is_no_administrator_may_not_even_delete_the_own_key(administrator: Administrator) -> None:
    own = administrator.key_of(administrator.world.rep("tomas.vega", role="SDCoordinator")).token.reveal()

    assert refused(administrator.delete(apikey=own, supportRep="tomas.vega"), 5103)
    assert administrator.verify(own)["valid"] is True


@pytest.mark.parametrize("parameters", [{}, {"supportRep": ""}, {"supportRep": " \t"}, {"supportrep": "meera.nair"}])
def test_a_mandatory_parameter_that_is_absent_or_blank_is_5104(
    administrator: Administrator, issued: Issued, parameters: dict[str, str]
) -> None:
    assert refused(administrator.delete(**parameters), 5104)
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_a_login_too_long_with_a_control_character_or_given_twice_is_5105(
    administrator: Administrator, issued: Issued
) -> None:
    fields = [("supportRep", "meera.nair"), ("supportRep", "tomas.vega")]
    twice = administrator.bundle.request(
        "POST", "/api/json/deleteApiKey", {"authtoken": administrator.apikey}, form=fields
    )
    answers = [twice, administrator.delete(supportRep="a" * 251)]
    answers += [administrator.delete(supportRep=f"meera.nair{character}") for character in BREAKS]

    for answer in answers:
        assert refused(answer, 5105, "Invalid value for parameter: supportRep")
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_an_unknown_rep_is_5106(administrator: Administrator) -> None:
    assert refused(administrator.delete(supportRep="nobody"), 5106)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_another_tenants_rep_answers_byte_for_byte_like_one_that_does_not_exist(
    administrator: Administrator, another_world: World, form: str
) -> None:
    abroad = Administrator(administrator.bundle, another_world, administrator.rep, administrator.issued)
    theirs = abroad.key_of(another_world.rep("tomas.vega"))

    foreign, unknown = (administrator.delete(form, supportRep=login) for login in ("tomas.vega", "nobody"))

    assert (foreign.status, foreign.headers, foreign.body) == (unknown.status, unknown.headers, unknown.body)
    assert another_world.key(theirs.key.id) == theirs.key


def test_a_login_that_two_tenants_have_is_the_callers_own(
    administrator: Administrator, another_world: World, issued: Issued
) -> None:
    abroad = Administrator(administrator.bundle, another_world, administrator.rep, administrator.issued)
    theirs = abroad.key_of(another_world.rep("meera.nair"))

    administrator.delete(supportRep="meera.nair")

    assert administrator.verify(issued.token.reveal())["valid"] is False
    assert another_world.key(theirs.key.id) == theirs.key


def test_a_rep_without_a_key_or_with_a_revoked_one_is_5110(administrator: Administrator, issued: Issued) -> None:
    administrator.world.rep("tomas.vega", login_enabled=False, role=None)
    administrator.revoke(issued.key)

    for login in ("tomas.vega", "meera.nair"):
        assert refused(administrator.delete(supportRep=login), 5110)


def test_scp_3_what_is_wrong_first_in_the_documented_order_is_what_is_told(administrator: Administrator) -> None:
    """Each request is wrong in all the ways that follow; each time what was told is put right."""
    world = administrator.world
    coordinator = administrator.key_of(world.rep("tomas.vega", role="SDCoordinator")).token.reveal()
    world.rep("lea.brun")
    long = "a" * 251

    assert refused(administrator.post("deleteApikey", apikey=""), 5112)
    assert refused(administrator.delete(apikey=""), 5101)
    assert refused(administrator.delete(apikey=UNKNOWN_KEY), 5102)
    assert refused(administrator.delete(apikey=coordinator), 5103)
    assert refused(administrator.delete(), 5104)
    assert refused(administrator.delete(supportRep=long), 5105, "Invalid value for parameter: supportRep")
    assert refused(administrator.delete(supportRep="nobody"), 5106)
    assert refused(administrator.delete(supportRep="lea.brun"), 5110)


# --- at the same time ----------------------------------------------------------------------------------------------


def test_a_key_regenerated_meanwhile_is_deleted_as_it_is_then(
    administrator: Administrator, issued: Issued, meanwhile: Meanwhile
) -> None:
    shown: list[str] = []
    world = administrator.world

    def regenerate() -> None:
        made = issuing.issue_version(world.desk, world.principal, issued.key, creator=issued.key.creator)
        shown.append(made.token.reveal())

    meanwhile(regenerate)
    answer = administrator.delete(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["status"] == "Success"
    assert administrator.verify(shown[0])["valid"] is False


def test_a_key_deleted_meanwhile_is_5110(administrator: Administrator, issued: Issued, meanwhile: Meanwhile) -> None:
    world = administrator.world
    meanwhile(lambda: lifecycle.delete(world.desk, world.principal, issued.key))

    answer = administrator.delete(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["statuscode"] == 5110


@pytest.mark.usefixtures("issued")
def test_a_key_can_be_deleted_while_the_vault_does_not_answer(
    administrator: Administrator, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = Fault(error("DisabledException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.service == "kms" else None)

    assert administrator.delete(supportRep="meera.nair").json()["response"]["result"]["status"] == "Success"
