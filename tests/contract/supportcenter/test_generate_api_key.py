"""P1: POST /api/{json,xml}/generateApiKey."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from keywright.ports import SingleKeyRef
from local.aws import error
from tests.bundle import Answer, Bundle
from tests.contract.supportcenter.administrator import (
    MESSAGES,
    UNKNOWN_KEY,
    WRITES,
    Administrator,
    details_of,
    refused,
)
from tests.contract.supportcenter.conftest import Mails, Refuse
from tests.world import World

GUID = r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
FORM = "application/x-www-form-urlencoded"


# --- success -------------------------------------------------------------------------------------------------------


def test_the_answer_in_json_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.generate(supportRep="meera.nair")

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    details = answer.json()["response"]["details"]
    assert answer.text == (
        '{"response": {"uri": "api/json/generateApiKey", '
        '"result": {"status": "Success", "statuscode": 200, "statusmessage": "API Key generated successfully."}, '
        f'"details": {{"supportRep": "meera.nair", "apikey": "{details["apikey"]}", '
        f'"createdTime": "{details["createdTime"]}", "expiresOn": "-1"}}}}}}'
    )


def test_the_answer_in_xml_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.generate("xml", supportRep="meera.nair")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert re.fullmatch(
        r'<\?xml version="1\.0" encoding="UTF-8"\?>\n'
        r'<response uri="api/xml/generateApiKey"><result><status>Success</status><statuscode>200</statuscode>'
        r"<statusmessage>API Key generated successfully\.</statusmessage></result>"
        rf"<details><supportRep>meera\.nair</supportRep><apikey>{GUID}</apikey>"
        r"<createdTime>[0-9]{13}</createdTime><expiresOn>-1</expiresOn></details></response>",
        answer.text,
    )


def test_the_key_is_a_random_guid_in_capitals_made_at_that_moment(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    administrator.world.rep("tomas.vega")
    before = administrator.world.desk.clock.now_ms()

    one, two = (
        administrator.generate(supportRep=login).json()["response"]["details"] for login in ("meera.nair", "tomas.vega")
    )

    assert re.fullmatch(GUID, one["apikey"])
    assert one["apikey"] != two["apikey"]
    assert before <= int(one["createdTime"]) <= int(two["createdTime"]) <= administrator.world.desk.clock.now_ms()


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_the_key_verifies_in_either_case(administrator: Administrator, spelling: Callable[[str], str]) -> None:
    administrator.world.rep("meera.nair")
    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    verdict = administrator.verify(spelling(apikey))

    assert verdict["valid"] is True
    assert verdict["owner"] == {"kind": "support_rep", "id": "meera.nair"}
    assert verdict["version"] == 1
    assert verdict["expires_at"] is None


@pytest.mark.parametrize("attributes", [{"login_enabled": False}, {"role": None}])
def test_the_key_stops_at_the_very_next_call_when_login_or_role_is_withdrawn(
    administrator: Administrator, attributes: dict[str, Any]
) -> None:
    administrator.world.rep("meera.nair", role="SDCoordinator")
    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]
    assert administrator.verify(apikey)["valid"] is True

    administrator.change("meera.nair", **attributes)

    assert administrator.verify(apikey)["valid"] is False


def test_a_new_administrator_may_call_with_the_key_at_once(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair", role="SDAdmin")
    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    answer = administrator.bundle.request("GET", f"/api/json/listApiKeys?apikey={apikey}")

    assert answer.json()["response"]["result"]["status"] == "Success"


def test_a_date_is_kept_as_it_was_given_and_the_key_ends_then(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    expires_on = administrator.in_ms(86_400_000)

    details = administrator.generate(supportRep="meera.nair", expiresOn=expires_on).json()["response"]["details"]

    assert details["expiresOn"] == expires_on
    key = administrator.world.key(administrator.verify(details["apikey"])["key_id"])
    assert key.expires_at_ms == int(expires_on)
    administrator.world.expire(key)
    verdict = administrator.verify(details["apikey"])
    assert (verdict["valid"], verdict["reason"], verdict["key_id"]) == (False, "expired", key.id)


def test_minus_one_means_never(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")

    details = administrator.generate(supportRep="meera.nair", expiresOn="-1").json()["response"]["details"]

    assert details["expiresOn"] == "-1"
    assert administrator.verify(details["apikey"])["expires_at"] is None


def test_the_key_is_recorded_under_the_administrator_who_made_it(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    creator = administrator.world.key(administrator.verify(apikey)["key_id"]).creator

    assert (creator.id, creator.name) == ("priya.rao", "Priya Rao")


def test_a_login_of_any_printable_characters_is_matched_exactly(administrator: Administrator) -> None:
    login = "Zoë <zoe&co> 日本 %2F'\""
    administrator.world.rep(login)

    answer = administrator.generate("xml", supportRep=login)

    assert "<supportRep>Zoë &lt;zoe&amp;co&gt; 日本 %2F'\"</supportRep>" in answer.text
    assert refused(administrator.generate(supportRep=login.lower()), 5106)
    assert refused(administrator.generate(supportRep=f"{login} "), 5106)


def test_it_takes_one_read_of_the_caller_one_of_the_reps_one_seal_and_one_transaction(
    administrator: Administrator,
) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.generate(supportRep="meera.nair")

    assert answer.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems")


def test_with_an_address_the_key_is_mailed_there_at_once(administrator: Administrator, mails: Mails) -> None:
    administrator.world.rep("meera.nair", name="Meera Nair")

    answer = administrator.generate(supportRep="meera.nair", emailId="dev@example.com")

    (mail,) = mails
    assert mail["Destination"] == {"ToAddresses": ["dev@example.com"]}
    text = mail["Content"]["Simple"]["Body"]["Text"]["Data"]
    assert details_of(answer)["apikey"] in text
    assert "Meera Nair" in text
    assert answer.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems", "SendEmail")


def test_without_an_address_nothing_is_mailed(administrator: Administrator, mails: Mails) -> None:
    administrator.world.rep("meera.nair")

    administrator.generate(supportRep="meera.nair")

    assert mails == []


def test_a_refused_request_mails_nothing(administrator: Administrator, mails: Mails) -> None:
    administrator.key_of(administrator.world.rep("meera.nair"))
    administrator.world.rep("tomas.vega", role=None)
    for login in ("meera.nair", "tomas.vega", "nobody"):
        assert administrator.generate(supportRep=login, emailId="dev@example.com").json()["response"]["result"][
            "statuscode"
        ] in {5106, 5108, 5109}

    assert mails == []


# --- where the parameters and the caller's key may stand -----------------------------------------------------------


def test_parameters_may_stand_in_query_and_form_alike(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    query = urlencode({"apikey": administrator.apikey, "supportRep": "meera.nair"})
    later = administrator.in_ms(60_000)

    answer = administrator.bundle.request(
        "POST", f"/api/json/generateApiKey?{query}", form={"supportRep": "meera.nair", "expiresOn": later}
    )

    assert answer.json()["response"]["details"]["expiresOn"] == later


def test_a_request_without_a_body_is_as_good_under_any_content_type(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    query = urlencode({"apikey": administrator.apikey, "supportRep": "meera.nair"})

    answer = administrator.bundle.request(
        "POST", f"/api/json/generateApiKey?{query}", {"Content-Type": "application/json"}
    )

    assert answer.json()["response"]["result"]["status"] == "Success"


def test_com_6_parameters_that_the_operation_does_not_know_are_ignored(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    fields = [("apikey", administrator.apikey), ("supportRep", "meera.nair"), ("format", "a"), ("format", "b")]

    answer = administrator.bundle.request("POST", "/api/json/generateApiKey?SUPPORTREP=x", form=fields)

    assert answer.json()["response"]["result"]["status"] == "Success"


@pytest.mark.parametrize("header", ["TECHNICIAN_KEY", "technician_key", "authtoken", "AuthToken"])
def test_the_callers_key_may_stand_in_either_header(administrator: Administrator, header: str) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.bundle.request(
        "POST", "/api/json/generateApiKey", {header: administrator.apikey}, form={"supportRep": "meera.nair"}
    )

    assert answer.json()["response"]["result"]["status"] == "Success"


def test_the_callers_key_may_stand_in_all_carriers_when_it_is_the_same(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    key = administrator.apikey

    answer = administrator.bundle.request(
        "POST",
        f"/api/json/generateApiKey?apikey={key}",
        {"TECHNICIAN_KEY": key.lower(), "authtoken": key},
        form={"apikey": key.lower(), "supportRep": "meera.nair"},
    )

    assert answer.json()["response"]["result"]["status"] == "Success"


@pytest.mark.parametrize(
    ("headers", "query", "form"),
    [
        ({"authtoken": UNKNOWN_KEY}, "", {"apikey": "{key}"}),
        ({"TECHNICIAN_KEY": "{key}", "authtoken": UNKNOWN_KEY}, "", {}),
        ({}, f"?apikey={UNKNOWN_KEY}", {"apikey": "{key}"}),
        ({}, f"?apikey={{key}}&apikey={UNKNOWN_KEY}", {}),
        ({"authtoken": "{key}"}, "?apikey=nonsense", {}),
    ],
)
def test_carriers_that_disagree_are_5101_and_nothing_is_read(
    administrator: Administrator, headers: dict[str, str], query: str, form: dict[str, str]
) -> None:
    key = administrator.apikey
    administrator.world.rep("meera.nair")

    answer = administrator.bundle.request(
        "POST",
        f"/api/json/generateApiKey{query.format(key=key)}",
        {name: value.format(key=key) for name, value in headers.items()},
        form={"supportRep": "meera.nair", **{name: value.format(key=key) for name, value in form.items()}},
    )

    assert refused(answer, 5101)
    assert answer.calls == ()


# --- 5101, 5102, 5103: the caller ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "apikey",
    [
        None,
        "",
        "nonsense",
        UNKNOWN_KEY.replace("-", ""),
        f"{{{UNKNOWN_KEY}}}",
        f" {UNKNOWN_KEY}",
        f"{UNKNOWN_KEY}\n",
        UNKNOWN_KEY.replace("6B", "6G", 1),
        UNKNOWN_KEY.replace("0", "\u0660"),
        "kw_local_DemoOperatorOfTheLocalStackOpensNothingElse3oHUyt",
        "1000.00000000000000000000000000000000.00000000000000000000000000000000",
        "A" * 100_000,
    ],
)
def test_no_key_or_what_is_not_shaped_as_one_is_5101_and_nothing_is_read(bundle: Bundle, apikey: str | None) -> None:
    form = {"supportRep": "meera.nair"} | ({} if apikey is None else {"apikey": apikey})

    answer = bundle.request("POST", "/api/json/generateApiKey", form=form)

    assert refused(answer, 5101)
    assert answer.calls == ()


def test_the_name_of_the_parameter_is_case_sensitive(administrator: Administrator) -> None:
    answer = administrator.bundle.request(
        "POST", "/api/json/generateApiKey", form={"APIKEY": administrator.apikey, "supportRep": "meera.nair"}
    )

    assert refused(answer, 5101)


def test_an_unknown_key_is_5102_after_one_read(bundle: Bundle) -> None:
    answer = bundle.request(
        "POST", "/api/json/generateApiKey", form={"apikey": UNKNOWN_KEY, "supportRep": "meera.nair"}
    )

    assert refused(answer, 5102)
    assert answer.calls == ("GetItem",)


def _expire(administrator: Administrator) -> None:
    administrator.world.expire(administrator.issued.key)


def _revoke(administrator: Administrator) -> None:
    administrator.revoke(administrator.issued.key)


def _disable(administrator: Administrator) -> None:
    path = f"/v1/keys/{administrator.issued.key.id}/disable"
    administrator.bundle.request("POST", path, administrator.world.bearer, json_body={})


def _withdraw_login(administrator: Administrator) -> None:
    administrator.change("priya.rao", login_enabled=False)


@pytest.mark.parametrize("ended", [_expire, _revoke, _disable, _withdraw_login])
def test_a_key_that_is_over_or_whose_rep_may_not_log_in_is_5102(
    administrator: Administrator, ended: Callable[[Administrator], None]
) -> None:
    administrator.world.rep("meera.nair")
    ended(administrator)

    assert refused(administrator.generate(supportRep="meera.nair"), 5102)


@pytest.mark.parametrize("role", ["SDCoordinator", "sdadmin", None])
def test_scp_4_a_caller_who_is_no_administrator_now_is_5103(administrator: Administrator, role: str | None) -> None:
    administrator.world.rep("meera.nair")
    administrator.change("priya.rao", role=role)

    assert refused(administrator.generate(supportRep="meera.nair"), 5103)


def test_a_caller_learns_nothing_of_reps_before_the_role_is_known(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    administrator.change("priya.rao", role="SDCoordinator")

    known = administrator.generate(supportRep="meera.nair")
    unknown = administrator.generate(supportRep="nobody")

    assert known.body == unknown.body


# --- 5104, 5105: the parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"supportRep": ""}, {"supportRep": " \t"}, {"supportrep": "meera.nair"}])
def test_a_mandatory_parameter_that_is_absent_or_blank_is_5104(
    administrator: Administrator, parameters: dict[str, str]
) -> None:
    assert refused(administrator.generate(**parameters), 5104)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"supportRep": "meera.nair"}'),
        ("application/json", b"{"),
        ("text/xml", b"<supportRep>meera.nair</supportRep>"),
        ("text/plain", b"supportRep=meera.nair"),
        ("multipart/form-data; boundary=x", b"--x--"),
        (None, b"supportRep=meera.nair"),
        (FORM, b"supportRep=%ff"),
        (FORM, b"supportRep=\xff"),
        (FORM, b"supportRep=meera.nair&padding=" + b"x" * 64_000),
        (FORM, b"supportRep=meera.nair" + b"&x=1" * 200),
    ],
)
def test_a_body_that_is_no_readable_form_is_5104(
    administrator: Administrator, content_type: str | None, body: bytes
) -> None:
    administrator.world.rep("meera.nair")
    headers = {"authtoken": administrator.apikey} | ({} if content_type is None else {"Content-Type": content_type})

    answer = administrator.bundle.request("POST", "/api/json/generateApiKey", headers, body)

    assert refused(answer, 5104)
    assert "BatchGetItem" not in answer.calls


def test_a_form_that_is_too_large_still_tells_who_asks(administrator: Administrator) -> None:
    padding = "x" * 70_000

    assert refused(administrator.generate(supportRep="meera.nair", padding=padding), 5104)
    assert refused(administrator.generate(apikey=UNKNOWN_KEY, padding=padding), 5102)
    assert refused(administrator.generate(apikey="", padding=padding), 5101)


def test_com_6_a_form_of_exactly_64_kilobytes_is_read(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    body = urlencode({"apikey": administrator.apikey, "supportRep": "meera.nair", "padding": ""})
    body += "x" * (64_000 - len(body))

    answer = administrator.bundle.request("POST", "/api/json/generateApiKey", {"Content-Type": FORM}, body)

    assert answer.json()["response"]["result"]["status"] == "Success"


@pytest.mark.parametrize("login", ["a" * 251, "meera\nnair", "meera\x00", "meera\x1f", "\u202emeera", "meera\ufffd"])
def test_a_login_too_long_or_with_control_characters_is_5105(administrator: Administrator, login: str) -> None:
    assert refused(administrator.generate(supportRep=login), 5105, "Invalid value for parameter: supportRep")


def test_a_login_of_250_characters_is_not_too_long(administrator: Administrator) -> None:
    administrator.world.rep("ü" * 250)

    answer = administrator.generate(supportRep="ü" * 250)

    assert answer.json()["response"]["details"]["supportRep"] == "ü" * 250


@pytest.mark.parametrize(
    "expires_on",
    ["", "0", "-2", "never", "1751362200000", "+99999999999999", "99_999_999_999_999", "2999-01-01", "1e14", "9" * 15,
     "9" * 40, "٩٩٩٩٩٩٩٩٩٩٩٩٩٩", " -1", "-1\n", "NaN"],
)  # fmt: skip
def test_an_expiry_that_is_no_date_in_the_future_is_5105(administrator: Administrator, expires_on: str) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.generate(supportRep="meera.nair", expiresOn=expires_on)

    assert refused(answer, 5105, "Invalid value for parameter: expiresOn")


@pytest.mark.parametrize(
    "email_id",
    ["", "meera", "@example.com", "meera@", "a@example.com,b@example.com", "a@example.com;b@example.com",
     "Meera <meera@example.com>", "meera@example.com\r\nBcc: all@example.com", "meera@example.com\n",
     "meera@exa mple.com", "meera\x00@example.com", "m@e@example.com",
     f"{'m' * 243}@example.com", "m\u00fc@example.com"],
)  # fmt: skip
def test_what_is_not_one_address_is_5105(administrator: Administrator, email_id: str) -> None:
    administrator.world.rep("meera.nair")

    answer = administrator.generate(supportRep="meera.nair", emailId=email_id)

    assert refused(answer, 5105, "Invalid value for parameter: emailId")


@pytest.mark.parametrize("parameter", ["supportRep", "expiresOn", "emailId"])
def test_a_parameter_with_two_different_values_is_5105(administrator: Administrator, parameter: str) -> None:
    values = {"supportRep": "meera.nair", "expiresOn": "-1", "emailId": "meera@example.com"}
    other = {"supportRep": "tomas.vega", "expiresOn": administrator.in_ms(60_000), "emailId": "tomas@example.com"}
    administrator.world.rep("meera.nair")
    administrator.world.rep("tomas.vega")

    answer = administrator.bundle.request(
        "POST",
        f"/api/json/generateApiKey?{urlencode({parameter: other[parameter]})}",
        form={"apikey": administrator.apikey, **values},
    )

    assert refused(answer, 5105, f"Invalid value for parameter: {parameter}")


# --- 5106 to 5111: the rep, the key, the mail ----------------------------------------------------------------------


def test_an_unknown_rep_is_5106(administrator: Administrator) -> None:
    answer = administrator.generate(supportRep="nobody")

    assert refused(answer, 5106)
    assert answer.calls == ("GetItem", "BatchGetItem")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_another_tenants_rep_answers_byte_for_byte_like_one_that_does_not_exist(
    administrator: Administrator, another_world: World, form: str
) -> None:
    theirs = another_world.rep("tomas.vega")

    foreign = administrator.generate(form, supportRep="tomas.vega")
    unknown = administrator.generate(form, supportRep="nobody")

    assert (foreign.status, foreign.headers, foreign.body) == (unknown.status, unknown.headers, unknown.body)
    assert another_world.desk.store.read(SingleKeyRef(theirs.ref))[SingleKeyRef(theirs.ref)] is None


def test_a_login_that_two_tenants_have_is_the_callers_own(administrator: Administrator, another_world: World) -> None:
    administrator.world.rep("meera.nair")
    theirs = another_world.rep("meera.nair")

    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    assert administrator.verify(apikey)["valid"] is True
    assert another_world.desk.store.read(SingleKeyRef(theirs.ref))[SingleKeyRef(theirs.ref)] is None


def test_a_rep_without_login_is_5107(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair", login_enabled=False)

    assert refused(administrator.generate(supportRep="meera.nair"), 5107)


@pytest.mark.parametrize("role", [None, ""])
def test_a_rep_without_a_role_is_5108(administrator: Administrator, role: str | None) -> None:
    administrator.world.rep("meera.nair", role=role)

    assert refused(administrator.generate(supportRep="meera.nair"), 5108)


def test_a_second_key_is_5109(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    first = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    assert refused(administrator.generate(supportRep="meera.nair"), 5109)
    assert administrator.verify(first)["valid"] is True


def test_scp_5_a_second_key_is_5109_even_when_the_first_has_expired_or_is_disabled(
    administrator: Administrator,
) -> None:
    expired = administrator.key_of(administrator.world.rep("meera.nair"))
    administrator.world.expire(expired.key)
    disabled = administrator.key_of(administrator.world.rep("tomas.vega"))
    administrator.world.overwrite(disabled.key, enabled=False)

    assert refused(administrator.generate(supportRep="meera.nair"), 5109)
    assert refused(administrator.generate(supportRep="tomas.vega"), 5109)


def test_a_revoked_key_makes_room_for_a_new_one(administrator: Administrator) -> None:
    issued = administrator.key_of(administrator.world.rep("meera.nair"))
    administrator.revoke(issued.key)

    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]

    assert administrator.verify(apikey)["valid"] is True
    assert administrator.verify(issued.token.reveal())["valid"] is False


def test_an_administrators_own_second_key_is_5109(administrator: Administrator) -> None:
    assert refused(administrator.generate(supportRep="priya.rao"), 5109)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_mail_that_ses_refuses_is_5111_without_the_key_and_the_key_stands(
    administrator: Administrator, ses_answers: Refuse, form: str
) -> None:
    administrator.world.rep("meera.nair")
    ses_answers(error("MessageRejected"))

    answer = administrator.generate(form, supportRep="meera.nair", emailId="meera.nair@example.com")

    assert answer.status == 200
    assert "5111" in answer.text
    assert MESSAGES[5111] in answer.text
    assert answer.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems", "SendEmail")
    (row,) = administrator.listed(supportRep="meera.nair")
    assert row["apikey"] not in answer.text
    assert administrator.verify(row["apikey"])["valid"] is True


# --- order, and the rest -------------------------------------------------------------------------------------------


def test_scp_3_what_is_wrong_first_in_the_documented_order_is_what_is_told(
    administrator: Administrator, ses_answers: Refuse
) -> None:
    """Each request is wrong in all the ways that follow; each time what was told is put right."""
    world = administrator.world
    coordinator = administrator.key_of(world.rep("tomas.vega", role="SDCoordinator")).token.reveal()
    bare = world.rep("lea.brun", login_enabled=False, role=None)
    ses_answers(error("MessageRejected"))

    def post(operation: str = "generateApiKey", **form: str) -> Answer:
        return administrator.bundle.request("POST", f"/api/json/{operation}", form=form)

    mine = administrator.apikey
    assert refused(post("generateApikey", expiresOn="x"), 5112)
    assert refused(post(expiresOn="x"), 5101)
    assert refused(post(apikey=UNKNOWN_KEY, expiresOn="x"), 5102)
    assert refused(post(apikey=coordinator, expiresOn="x"), 5103)
    assert refused(post(apikey=mine, expiresOn="x"), 5104)
    assert refused(post(apikey=mine, supportRep="nobody", emailId="x"), 5105, "Invalid value for parameter: emailId")
    assert refused(post(apikey=mine, supportRep="nobody", emailId="a@example.com"), 5106)
    assert refused(post(apikey=mine, supportRep="lea.brun", emailId="a@example.com"), 5107)
    administrator.change("lea.brun", login_enabled=True)
    assert refused(post(apikey=mine, supportRep="lea.brun", emailId="a@example.com"), 5108)
    administrator.change("lea.brun", role="SDCoordinator")
    key = administrator.key_of(bare).key
    assert refused(post(apikey=mine, supportRep="lea.brun", emailId="a@example.com"), 5109)
    administrator.revoke(key)
    assert '"statuscode": 5111' in post(apikey=mine, supportRep="lea.brun", emailId="a@example.com").text


def test_a_missing_parameter_comes_before_one_that_is_given_twice(administrator: Administrator) -> None:
    fields = [("apikey", administrator.apikey), ("expiresOn", "-1"), ("expiresOn", "x")]

    assert refused(administrator.bundle.request("POST", "/api/json/generateApiKey", form=fields), 5104)


def test_a_refusal_in_xml_is_the_documented_one_byte_for_byte(administrator: Administrator) -> None:
    answer = administrator.generate("xml", supportRep="nobody")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
    assert answer.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<response uri="api/xml/generateApiKey"><result><status>Failure</status><statuscode>5106</statuscode>'
        "<statusmessage>Support Rep does not exist.</statusmessage></result></response>"
    )
    assert not WRITES & set(answer.calls)


def test_the_uri_is_the_path_without_its_slash_and_without_the_query(administrator: Administrator) -> None:
    answer = administrator.bundle.request("POST", f"/api/json/generateApiKey?apikey={UNKNOWN_KEY}")

    assert answer.json()["response"]["uri"] == "api/json/generateApiKey"


def test_the_same_request_twice_leaves_one_key(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    apikey = administrator.generate(supportRep="meera.nair").json()["response"]["details"]["apikey"]
    administrator.generate(supportRep="meera.nair")

    assert [row["apikey"] for row in administrator.listed(supportRep="meera.nair")] == [apikey]
