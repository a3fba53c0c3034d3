"""The vendor's page "API Settings in SupportCenter Plus", line by line: its sentences stand above the tests."""

from __future__ import annotations

import re
import time
import uuid

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.console.page import GUID, Console

ADDRESS = "developer@example.com"

# --- "The list view displays the API keys generated in SupportCenter Plus. The API Key generated for the support rep
# are listed in this page along with the Support Rep name." -----------------------------------------------------------


def test_the_list_view_displays_the_keys_along_with_the_names_of_the_reps(console: Console) -> None:
    meera = console.centre.rep("meera.nair", "Meera Nair", business_unit="Retail", expires_at="2031-07-01T09:30:00Z")
    tomas = console.centre.rep("tomas.vega", "Tomás Vega", business_unit="Trade")
    console.centre.rep_without_key("lea.brun", "Léa Brun")

    console.sign_in()

    assert console.names() == ["Meera Nair", "Priya Rao", "Tomás Vega"]
    expect(console.page.get_by_text("Admin / Integration & Add-ons / API")).to_be_visible()
    for name, login, key, unit, expires in (
        ("Meera Nair", "meera.nair", meera, "Retail", "1 Jul 2031, 11:30"),
        ("Tomás Vega", "tomas.vega", tomas, "Trade", "Never"),
    ):
        name_cell, key_cell, unit_cell, created, expiry, _ = (
            each.inner_text()
            for each in console.row(name).get_by_role("cell").or_(console.row(name).get_by_role("rowheader")).all()
        )
        assert name_cell.split("\n") == [name, login]
        assert key_cell.split("\n")[0] == key
        assert unit_cell == unit
        assert re.fullmatch(r"\d{1,2} \w{3,4} \d{4}, \d\d:\d\d", created)
        assert expiry == expires


# --- "If you have enabled multi tenancy through Business Unit, click Global Settings tab -> API": one list for all.
# "From this page, you can email the API Key, regenerate, and delete the API key." -----------------------------------


def test_from_this_page_each_key_of_every_unit_can_be_mailed_regenerated_and_deleted(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair", business_unit="Wholesale")
    console.centre.rep("tomas.vega", "Tomás Vega", business_unit="Trade")
    console.sign_in()

    assert console.names() == ["Meera Nair", "Priya Rao", "Tomás Vega"]
    for name in console.names():
        expect(console.row(name).get_by_role("button", name="Email API Key")).to_be_visible()
        console.row(name).get_by_role("button", name="More Actions").click()
        menu = console.page.get_by_role("group", name="More Actions")
        expect(menu.get_by_role("button")).to_have_text(["Regenerate API Key", "Delete API Key"])
        console.page.keyboard.press("Escape")
        expect(menu).to_be_hidden()


def test_a_name_that_looks_like_markup_is_text(console: Console) -> None:
    name = "<img src=x onerror=alert(1)> & <b>Co</b>"
    console.centre.rep("odd", name)

    console.sign_in()
    dialog = console.act(name, "Delete API Key")

    assert console.names()[0] == name
    expect(dialog).to_contain_text(f"Delete the API Key of {name} (odd)?")


def test_an_expired_key_is_listed_and_marked(console: Console) -> None:
    console.centre.rep_with_expired_key("meera.nair", "Meera Nair")
    console.sign_in()
    expect(console.row("Meera Nair").get_by_text("Expired", exact=True)).to_be_visible()
    expect(console.row("Priya Rao").get_by_text("Expired", exact=True)).to_be_hidden()


def test_the_list_has_pages_of_25_and_goes_back_from_one_that_became_empty(console: Console) -> None:
    for number in range(24):
        console.centre.rep(f"agent{number:02}", f"Agent {number:02}")
    console.centre.rep("tomas.vega", "Tomás Vega")
    console.sign_in()
    following, previous = (console.page.get_by_role("button", name=name) for name in ("Next", "Previous"))

    expect(console.rows).to_have_count(25)
    expect(console.page.get_by_text("Rows 1 to 25")).to_be_visible()
    expect(previous).to_be_disabled()
    following.click()
    expect(console.page.get_by_text("Rows 26 to 26")).to_be_visible()
    assert console.names() == ["Tomás Vega"]
    expect(following).to_be_disabled()
    assert console.focused() == "Next"
    previous.click()
    expect(console.page.get_by_text("Rows 1 to 25")).to_be_visible()

    following.click()
    console.act("Tomás Vega", "Delete API Key").get_by_role("button", name="OK").click()
    expect(console.done).to_have_text("API Key deleted successfully.")
    expect(console.rows).to_have_count(25)
    expect(console.page.get_by_text("Rows 1 to 25")).to_be_visible()
    expect(following).to_be_hidden()


def test_the_list_is_narrowed_by_rep_and_by_business_unit(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair", business_unit="Retail")
    console.centre.rep("tomas.vega", "Tomás Vega", business_unit="Trade")
    console.sign_in()
    rep, unit = (console.page.get_by_role("search").get_by_label(name) for name in ("Support Rep", "Business unit"))
    press = console.page.get_by_role("button", name="Filter").click

    unit.fill("Retail")
    press()
    expect(console.rows).to_have_count(2)
    rep.fill(" meera.nair ")
    press()
    expect(console.rows).to_have_count(1)
    unit.fill("Trade")
    press()
    expect(console.page.get_by_text("No API key fits the filter.")).to_be_visible()
    rep.fill("nobody")
    press()
    expect(console.failed).to_have_text("Support Rep does not exist.")
    console.page.get_by_role("button", name="Clear").click()
    expect(console.rows).to_have_count(3)
    expect(console.failed).to_be_empty()


# --- "Support Reps need to be provided with login permission in order to generate the API Key. The API Key can be
# generated by the administrator after enabling login permission and assigning role for the Support Rep" --------------


def generate(console: Console, login: str, address: str = "") -> Locator:
    console.page.get_by_role("button", name="Generate API Key").click()
    dialog = console.dialog("Generate API Key")
    dialog.get_by_label("Support Rep").fill(login)
    dialog.get_by_label("Email ID").fill(address)
    return dialog


def test_a_key_is_generated_for_a_rep_with_login_and_role(console: Console) -> None:
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    console.sign_in()

    generate(console, "meera.nair").get_by_role("button", name="Generate API Key").click()

    outcome = console.dialog("API Key generated")
    expect(outcome).to_contain_text("API Key generated successfully.")
    expect(outcome).to_contain_text("Expires: Never")
    key = console.shown_key(outcome)
    outcome.get_by_role("button", name="Cancel").click()
    expect(console.row("Meera Nair")).to_contain_text(key)
    assert console.centre.is_valid(key)
    assert console.focused() == "Generate API Key"


def test_a_key_is_generated_with_a_date_of_expiry(console: Console) -> None:
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    console.sign_in()

    dialog = generate(console, "meera.nair")
    expect(dialog.get_by_label("Date and time of expiry")).to_be_disabled()
    dialog.get_by_label("On a date").check()
    dialog.get_by_label("Date and time of expiry").fill("2031-07-01T11:30")
    expect(dialog).to_contain_text("Time zone: Europe/Berlin")
    dialog.get_by_role("button", name="Generate API Key").click()

    expect(console.dialog("API Key generated")).to_contain_text("Expires: 1 Jul 2031, 11:30")
    console.page.keyboard.press("Escape")
    expect(console.row("Meera Nair").locator(".expires")).to_have_attribute("datetime", "2031-07-01T09:30:00.000Z")


def test_a_date_of_expiry_in_the_past_is_refused_in_the_vendors_words(console: Console) -> None:
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    console.sign_in()

    dialog = generate(console, "meera.nair")
    dialog.get_by_label("On a date").check()
    dialog.get_by_label("Date and time of expiry").fill("2020-07-01T11:30")
    dialog.get_by_role("button", name="Generate API Key").click()

    expect(dialog.get_by_role("alert")).to_have_text("Invalid value for parameter: expiresOn")


def test_a_key_is_mailed_as_soon_as_it_is_generated(console: Console) -> None:
    address = f"{uuid.uuid4().hex}@example.com"
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    console.sign_in()

    generate(console, "meera.nair", address).get_by_role("button", name="Generate API Key").click()

    outcome = console.dialog("API Key generated")
    expect(outcome).to_contain_text(f"It was sent to {address}.")
    [mail] = console.centre.mails(address)
    assert console.shown_key(outcome) in mail
    expect(outcome.get_by_role("button", name="Send API Key")).to_be_hidden()
    assert console.focused() == "Close"


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ("nobody", "Support Rep does not exist."),
        ("no.login", "Login is not enabled for the Support Rep."),
        ("no.role", "Role is not assigned to the Support Rep."),
        ("priya.rao", "API Key is already generated for the Support Rep."),
    ],
)
def test_what_keeps_a_key_from_being_generated_is_told_in_the_vendors_words(
    console: Console, login: str, words: str
) -> None:
    console.centre.rep_without_key("no.login", "Tomás Vega", login_enabled=False)
    console.centre.rep_without_key("no.role", "Léa Brun", role=None)
    console.sign_in()

    dialog = generate(console, login)
    dialog.get_by_role("button", name="Generate API Key").click()

    expect(dialog.get_by_role("alert")).to_have_text(words)
    expect(dialog.get_by_label("Support Rep")).to_have_value(login)
    dialog.get_by_role("button", name="Cancel").click()
    assert console.names() == ["Priya Rao"]


def test_a_key_whose_mail_was_refused_stands_and_can_be_mailed_again(console: Console) -> None:
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    console.sign_in()
    console.page.route("**/generateApiKey", mail_refused)

    generate(console, "meera.nair", ADDRESS).get_by_role("button", name="Generate API Key").click()

    dialog = console.dialog("Email API Key")
    words = "The API Key is generated. API Key could not be sent to the specified Email ID."
    expect(dialog.get_by_role("alert")).to_have_text(words)
    expect(console.row("Meera Nair")).to_have_text(GUID)
    dialog.get_by_label("Email ID").fill(ADDRESS)
    dialog.get_by_role("button", name="Send API Key").click()
    expect(console.done).to_have_text(f"API Key sent to the specified Email ID. ({ADDRESS})")


def mail_refused(route: Route) -> None:
    """The service as it is where SES refuses: it generates the key and answers so."""
    asked = route.request.post_data or ""
    made = route.fetch(post_data="&".join(each for each in asked.split("&") if not each.startswith("emailId=")))
    assert made.json()["response"]["result"]["status"] == "Success"
    result = {
        "status": "Failure",
        "statuscode": 5111,
        "statusmessage": "API Key could not be sent to the specified Email ID.",
    }
    route.fulfill(json={"response": {"uri": "api/json/generateApiKey", "result": result}})


# --- "You can send the API Key using the Email API Key link available beside the key. Specify the Email ID in the text
# field. Click Send API Key button. The API Key is sent as an e-mail to the specified email address. Click Cancel if you
# do not want to send the API Key." -----------------------------------------------------------------------------------


def test_the_link_beside_the_key_mails_it_to_the_specified_address(console: Console) -> None:
    address = f"{uuid.uuid4().hex}@example.com"
    key = console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()

    console.row("Meera Nair").get_by_role("cell").filter(has_text=key).get_by_role(
        "button", name="Email API Key"
    ).click()
    dialog = console.dialog("Email API Key")
    expect(dialog).to_contain_text("The API Key of Meera Nair (meera.nair) is sent as an e-mail")
    dialog.get_by_label("Email ID").fill(address)
    dialog.get_by_role("button", name="Send API Key").click()

    expect(console.done).to_have_text(f"API Key sent to the specified Email ID. ({address})")
    expect(dialog).to_be_hidden()
    [mail] = console.centre.mails(address)
    assert key in mail
    assert console.focused() == "Email API Key"


def test_cancel_sends_nothing(console: Console) -> None:
    console.sign_in()
    console.row("Priya Rao").get_by_role("button", name="Email API Key").click()
    dialog = console.dialog("Email API Key")
    dialog.get_by_label("Email ID").fill(ADDRESS)

    dialog.get_by_role("button", name="Cancel").click()

    expect(dialog).to_be_hidden()
    assert [request.url for request in console.requests if "emailApiKey" in request.url] == []
    console.row("Priya Rao").get_by_role("button", name="Email API Key").click()
    expect(dialog.get_by_label("Email ID")).to_have_value("")


def test_what_keeps_a_key_from_being_mailed_is_told_in_the_vendors_words(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()
    console.row("Meera Nair").get_by_role("button", name="Email API Key").click()
    dialog = console.dialog("Email API Key")
    dialog.get_by_label("Email ID").fill(ADDRESS)
    console.centre.change("meera.nair", login_enabled=False)

    dialog.get_by_role("button", name="Send API Key").click()

    expect(dialog.get_by_role("alert")).to_have_text("Login is not enabled for the Support Rep.")


# --- "Click More Actions drop down beside the API Key -> select Regenerate API Key option. A confirmation message to
# regenerating the API Key appears. Click OK to proceed. The regenerated API Key is displayed along with a success
# message. Specify the Email ID of the user to whom the key should be sent. Click Send API Key button." ---------------


def test_a_regenerated_key_is_displayed_with_a_success_message_and_mailed(console: Console) -> None:
    address = f"{uuid.uuid4().hex}@example.com"
    former = console.centre.rep("meera.nair", "Meera Nair", expires_at="2031-07-01T09:30:00Z")
    console.sign_in()

    confirmation = console.act("Meera Nair", "Regenerate API Key")
    expect(confirmation).to_contain_text("Regenerate the API Key of Meera Nair (meera.nair)?")
    assert console.centre.is_valid(former)
    confirmation.get_by_role("button", name="OK").click()

    outcome = console.dialog("API Key regenerated")
    expect(outcome).to_contain_text("API Key regenerated successfully.")
    expect(outcome).to_contain_text("Expires: 1 Jul 2031, 11:30")
    key = console.shown_key(outcome)
    assert (console.centre.is_valid(former), console.centre.is_valid(key)) == (False, True)
    expect(console.row("Meera Nair")).to_contain_text(key)

    outcome.get_by_label("Email ID").fill(address)
    outcome.get_by_role("button", name="Send API Key").click()
    expect(console.done).to_have_text(f"API Key sent to the specified Email ID. ({address})")
    [mail] = console.centre.mails(address)
    assert key in mail
    assert former not in mail


def test_a_regeneration_that_is_not_confirmed_does_not_happen(console: Console) -> None:
    key = console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()

    confirmation = console.act("Meera Nair", "Regenerate API Key")
    assert console.focused() == "Cancel"
    confirmation.get_by_role("button", name="Cancel").click()

    expect(console.row("Meera Nair")).to_contain_text(key)
    assert console.centre.is_valid(key)


@pytest.mark.parametrize(("choice", "shown"), [("Never", "Never"), ("On a date", "1 Jul 2031, 11:30")])
def test_a_key_that_has_expired_asks_for_a_new_expiry(console: Console, choice: str, shown: str) -> None:
    console.centre.rep_with_expired_key("meera.nair", "Meera Nair")
    console.sign_in()

    confirmation = console.act("Meera Nair", "Regenerate API Key")
    expect(confirmation).to_contain_text("The present key has expired, so say how long the new one is to last.")
    confirmation.get_by_role("button", name="OK").click()
    expect(confirmation).to_be_visible()
    confirmation.get_by_label(choice).check()
    if choice != "Never":
        confirmation.get_by_label("Date and time of expiry").fill("2031-07-01T11:30")
    confirmation.get_by_role("button", name="OK").click()

    expect(console.dialog("API Key regenerated")).to_contain_text(f"Expires: {shown}")


def test_a_key_that_expires_meanwhile_asks_for_a_new_expiry_too(console: Console) -> None:
    console.centre.rep_with_expired_key("meera.nair", "Meera Nair")
    console.page.clock.set_fixed_time(time.time() - 3600)
    console.sign_in()

    confirmation = console.act("Meera Nair", "Regenerate API Key")
    expect(confirmation.get_by_label("Never")).to_be_hidden()
    confirmation.get_by_role("button", name="OK").click()

    expect(confirmation.get_by_role("alert")).to_have_text("Mandatory parameter missing: expiresOn")
    confirmation.get_by_label("Never").check()
    confirmation.get_by_role("button", name="OK").click()
    expect(console.dialog("API Key regenerated")).to_contain_text("Expires: Never")


def test_the_administrators_own_key_regenerated_is_the_one_that_goes_on(console: Console) -> None:
    console.sign_in()

    confirmation = console.act("Priya Rao", "Regenerate API Key")
    expect(confirmation).to_contain_text("It is the key that you are signed in with")
    confirmation.get_by_role("button", name="OK").click()
    key = console.shown_key(console.dialog("API Key regenerated"))
    console.page.keyboard.press("Escape")

    expect(console.row("Priya Rao")).to_contain_text(key)
    console.page.get_by_role("button", name="Filter").click()
    expect(console.rows).to_have_count(1)
    assert not console.centre.is_valid(console.centre.administrator)


# --- "Click More Actions drop down beside the API Application to delete. Select Delete API Key option. A message
# confirming the delete operation appears. Click OK to proceed. The API Application is deleted from the list view." ---


def test_a_deleted_key_is_gone_from_the_list_view(console: Console) -> None:
    key = console.centre.rep("meera.nair", "Meera Nair")
    console.centre.rep("tomas.vega", "Tomás Vega")
    console.sign_in()

    confirmation = console.act("Meera Nair", "Delete API Key")
    expect(confirmation).to_contain_text("Delete the API Key of Meera Nair (meera.nair)?")
    assert console.centre.is_valid(key)
    confirmation.get_by_role("button", name="OK").click()

    expect(console.done).to_have_text("API Key deleted successfully.")
    assert console.names() == ["Priya Rao", "Tomás Vega"]
    assert not console.centre.is_valid(key)
    expect(console.row("Priya Rao").get_by_role("button", name="More Actions")).to_be_focused()


def test_a_deletion_that_is_not_confirmed_does_not_happen(console: Console) -> None:
    key = console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()

    console.act("Meera Nair", "Delete API Key")
    assert console.focused() == "Cancel"
    console.page.keyboard.press("Enter")

    expect(console.row("Meera Nair")).to_contain_text(key)
    assert console.centre.is_valid(key)


def test_a_key_that_somebody_else_deleted_is_told_in_the_vendors_words(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()
    confirmation = console.act("Meera Nair", "Delete API Key")
    console.centre.change("meera.nair", login_enabled=False)
    console.centre.change("meera.nair", login_enabled=True)

    confirmation.get_by_role("button", name="OK").click()

    expect(confirmation.get_by_role("alert")).to_have_text("API Key is not generated for the Support Rep.")


def test_the_administrators_own_key_deleted_ends_the_session(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()

    confirmation = console.act("Priya Rao", "Delete API Key")
    expect(confirmation).to_contain_text("It is the key that you are signed in with: you will be signed out.")
    confirmation.get_by_role("button", name="OK").click()

    expect(console.page.locator("#entrance").get_by_role("status")).to_have_text("API Key deleted successfully.")
    expect(console.heading).to_be_hidden()
    assert not GUID.search(console.page.content())
