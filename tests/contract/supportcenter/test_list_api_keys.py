"""P2: GET or POST /api/{json,xml}/listApiKeys."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from keywright.issuing import Issued
from tests.bundle import Bundle
from tests.contract.supportcenter.administrator import UNKNOWN_KEY, Administrator, refused
from tests.world import World


@pytest.fixture
def issued(administrator: Administrator) -> dict[str, Issued]:
    """Three more reps with keys, made in no order of their names; the administrator's own makes four."""
    world = administrator.world
    day = world.desk.clock.now_ms() + 86_400_000
    return {
        "tomas.vega": administrator.key_of(
            world.rep("tomas.vega", name="Tomas Vega", business_unit="Trade"), expires_at_ms=day
        ),
        "meera.nair": administrator.key_of(world.rep("meera.nair", name="Meera Nair", business_unit="Retail")),
        "anouk.berg": administrator.key_of(world.rep("anouk.berg", name="Anouk <Berg> & Co", business_unit="")),
    }


def logins(administrator: Administrator, **parameters: str) -> list[str]:
    return [row["supportRep"] for row in administrator.listed(**parameters)]


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_in_json_is_the_documented_one_byte_for_byte(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    answer = administrator.ask_for_list(businessUnit="Retail")

    meera, priya = issued["meera.nair"], administrator.issued
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == (
        '{"response": {"uri": "api/json/listApiKeys", '
        '"result": {"status": "Success", "statuscode": 200, "statusmessage": "API Keys listed successfully."}, '
        '"details": [{"supportRep": "meera.nair", "supportRepName": "Meera Nair", "businessUnit": "Retail", '
        f'"apikey": "{meera.token.reveal()}", "createdTime": "{meera.key.created_at_ms}", "expiresOn": "-1"}}, '
        '{"supportRep": "priya.rao", "supportRepName": "Priya Rao", "businessUnit": "Retail", '
        f'"apikey": "{priya.token.reveal()}", "createdTime": "{priya.key.created_at_ms}", "expiresOn": "-1"}}], '
        '"hasMoreRows": "false"}}'
    )


def test_the_answer_in_xml_repeats_an_element_for_each_key(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    answer = administrator.ask_for_list("xml", rowCount="1")

    anouk = issued["anouk.berg"]
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<response uri="api/xml/listApiKeys"><result><status>Success</status><statuscode>200</statuscode>'
        "<statusmessage>API Keys listed successfully.</statusmessage></result>"
        "<details><apiKey><supportRep>anouk.berg</supportRep>"
        "<supportRepName>Anouk &lt;Berg&gt; &amp; Co</supportRepName><businessUnit></businessUnit>"
        f"<apikey>{anouk.token.reveal()}</apikey><createdTime>{anouk.key.created_at_ms}</createdTime>"
        "<expiresOn>-1</expiresOn></apiKey></details><hasMoreRows>true</hasMoreRows></response>"
    )


def test_both_forms_hold_the_same_rows_by_login_with_their_keys_in_clear(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    rows = administrator.listed()
    elements = ET.fromstring(administrator.ask_for_list("xml").body).findall("details/apiKey")  # noqa: S314  our own answer

    assert [row["supportRep"] for row in rows] == ["anouk.berg", "meera.nair", "priya.rao", "tomas.vega"]
    assert [{each.tag: each.text or "" for each in element} for element in elements] == rows
    shown = {row["supportRep"]: row["apikey"] for row in rows}
    assert shown == {login: each.token.reveal() for login, each in issued.items()} | {"priya.rao": administrator.apikey}
    assert rows[3]["expiresOn"] == str(issued["tomas.vega"].key.expires_at_ms)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_get_and_post_answer_alike(administrator: Administrator, form: str) -> None:
    path = f"/api/{form}/listApiKeys"

    got = administrator.bundle.request("GET", f"{path}?{urlencode({'apikey': administrator.apikey})}")
    by_header = administrator.bundle.request("GET", path, {"TECHNICIAN_KEY": administrator.apikey})
    posted = administrator.bundle.request("POST", path, form={"apikey": administrator.apikey})

    assert got.status == 200
    assert (got.headers, got.body) == (posted.headers, posted.body) == (by_header.headers, by_header.body)


def test_a_key_is_in_the_list_as_soon_as_it_was_generated(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")

    details = administrator.generate(supportRep="meera.nair").json()["response"]["details"]

    (row,) = administrator.listed(supportRep="meera.nair")
    assert {name: row[name] for name in details} == details


def test_reps_without_a_key_and_revoked_keys_are_not_listed(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    administrator.world.rep("lea.brun")
    administrator.revoke(issued["meera.nair"].key)

    assert logins(administrator) == ["anouk.berg", "priya.rao", "tomas.vega"]


def test_expired_keys_and_those_of_reps_without_a_role_are_listed_and_those_of_reps_without_login_are_gone(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    administrator.world.expire(issued["meera.nair"].key)
    administrator.change("anouk.berg", role=None)
    administrator.change("tomas.vega", login_enabled=False)

    assert logins(administrator) == ["anouk.berg", "meera.nair", "priya.rao"]


def test_the_list_is_of_the_callers_tenant_alone(
    administrator: Administrator, bundle: Bundle, another_world: World
) -> None:
    rep = another_world.rep("meera.nair")
    Administrator(bundle, another_world, rep, administrator.issued).key_of(rep)

    assert logins(administrator) == ["priya.rao"]


# --- narrowing and paging ------------------------------------------------------------------------------------------


def test_scp_8_a_business_unit_narrows_the_list(administrator: Administrator, issued: dict[str, Issued]) -> None:
    assert issued
    assert logins(administrator, businessUnit="Trade") == ["tomas.vega"]
    assert logins(administrator, businessUnit="trade") == []
    assert logins(administrator, businessUnit="Retail", supportRep="tomas.vega") == []


def test_a_login_narrows_the_list_to_one_row_or_none(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")

    assert logins(administrator, supportRep="priya.rao") == ["priya.rao"]
    assert logins(administrator, supportRep="meera.nair") == []


def test_an_empty_list_is_a_success(administrator: Administrator) -> None:
    json, xml = (
        administrator.ask_for_list(businessUnit="Nowhere"),
        administrator.ask_for_list("xml", businessUnit="Nowhere"),
    )

    assert json.json()["response"]["details"] == []
    assert json.json()["response"]["hasMoreRows"] == "false"
    assert "<details></details><hasMoreRows>false</hasMoreRows>" in xml.text


def test_scp_8_rows_are_paged_from_the_first_and_only_their_secrets_are_opened(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    assert issued
    pages = [administrator.ask_for_list(startIndex=start, rowCount="2") for start in ("1", "3", "4", "5")]

    assert [
        ([row["supportRep"] for row in page.json()["response"]["details"]], page.json()["response"]["hasMoreRows"])
        for page in pages
    ] == [
        (["anouk.berg", "meera.nair"], "true"),
        (["priya.rao", "tomas.vega"], "false"),
        (["tomas.vega"], "false"),
        ([], "false"),
    ]
    assert [page.calls.count("Decrypt") for page in pages] == [2, 2, 1, 0]


def test_scp_8_a_page_has_25_rows_unless_told(administrator: Administrator) -> None:
    for number in range(25):
        administrator.key_of(administrator.world.rep(f"rep-{number:02}"))

    whole = administrator.ask_for_list().json()["response"]
    wider = administrator.ask_for_list(rowCount="100").json()["response"]

    assert (len(whole["details"]), whole["hasMoreRows"]) == (25, "true")
    assert (len(wider["details"]), wider["hasMoreRows"]) == (26, "false")


def test_it_takes_two_reads_one_query_an_opening_a_row_and_their_record(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    assert issued
    assert administrator.ask_for_list().calls == ("GetItem", "GetItem", "Query", *["Decrypt"] * 4, "TransactWriteItems")


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_key_is_5101_and_an_unknown_one_5102(bundle: Bundle, method: str) -> None:
    bare = bundle.request(method, "/api/json/listApiKeys")
    unknown = bundle.request(method, f"/api/json/listApiKeys?apikey={UNKNOWN_KEY}")

    assert refused(bare, 5101)
    assert bare.calls == ()
    assert refused(unknown, 5102)
    assert unknown.calls == ("GetItem",)


def test_a_caller_who_is_no_administrator_is_5103_whatever_the_parameters(administrator: Administrator) -> None:
    administrator.change("priya.rao", role="SDCoordinator")

    assert refused(administrator.ask_for_list(rowCount="x"), 5103)


def test_a_caller_whose_login_is_withdrawn_is_5102(administrator: Administrator) -> None:
    administrator.change("priya.rao", login_enabled=False)

    assert refused(administrator.ask_for_list(), 5102)


def test_a_body_that_is_no_form_is_5104(administrator: Administrator) -> None:
    headers = {"authtoken": administrator.apikey, "Content-Type": "application/json"}

    assert refused(administrator.bundle.request("POST", "/api/json/listApiKeys", headers, b"{}"), 5104)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("startIndex", value) for value in ("", "0", "-1", "+1", "1.0", "1_0", "x", " 1", "٣", "9" * 10)),
        *(("rowCount", value) for value in ("", "0", "-1", "101", "1e1", "x", "9" * 5000)),
        *(("supportRep", value) for value in ("", "a" * 251, "a\x1f", "a\n")),
        *(("businessUnit", value) for value in ("", "a" * 251, "a\x00")),
    ],
)
def test_a_parameter_out_of_its_limits_is_5105(administrator: Administrator, parameter: str, value: str) -> None:
    answer = administrator.ask_for_list(**{parameter: value})

    assert refused(answer, 5105, f"Invalid value for parameter: {parameter}")
    assert answer.calls == ("GetItem", "GetItem")


def test_a_parameter_with_two_different_values_is_5105(administrator: Administrator) -> None:
    target = f"/api/json/listApiKeys?apikey={administrator.apikey}&rowCount=1&rowCount=2"

    answer = administrator.bundle.request("GET", target)

    assert refused(answer, 5105, "Invalid value for parameter: rowCount")


def test_another_tenants_rep_is_5106_byte_for_byte_like_one_that_does_not_exist(
    administrator: Administrator, another_world: World
) -> None:
    another_world.rep("tomas.vega")

    foreign, unknown = (
        administrator.ask_for_list(supportRep="tomas.vega"),
        administrator.ask_for_list(supportRep="nobody"),
    )

    assert refused(foreign, 5106)
    assert (foreign.headers, foreign.body) == (unknown.headers, unknown.body)


def test_a_ciphertext_that_does_not_open_is_5199_with_http_500_and_shows_no_other_key(
    administrator: Administrator, issued: dict[str, Issued]
) -> None:
    key = issued["meera.nair"].key
    administrator.world.overwrite(key, versions=(replace(key.newest, sealed=b"not a ciphertext of this key"),))

    answer = administrator.ask_for_list()

    assert refused(answer, 5199)
    assert answer.status == 500
    assert "retry-after" not in answer.headers
