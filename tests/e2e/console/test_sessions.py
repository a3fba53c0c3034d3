"""What an administrator's session holds, and how it begins and ends."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Route, expect

from tests.e2e.console.page import GUID, Console, heap_strings

# --- signing in and out --------------------------------------------------------------------------------------------


def test_an_administrators_key_opens_the_console(console: Console) -> None:
    console.sign_in()

    assert console.names() == ["Priya Rao"]
    assert console.focused() == "API keys of support reps"
    assert [r.headers["authtoken"] for r in console.requests if "/api/" in r.url] == [console.centre.administrator]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("no key at all", "Technician key in the request is invalid. Unable to authenticate."),
        ("ключ", "Technician key in the request is invalid. Unable to authenticate."),
        (
            "6B0D549B-6F03-475A-9600-A35A099950D8",
            "API key received is not associated to any technician. Authentication failed.",
        ),
    ],
)
def test_what_is_no_administrators_key_is_refused_in_the_vendors_words(console: Console, key: str, words: str) -> None:
    console.open()
    console.page.get_by_role("textbox", name="API key").fill(key)
    console.page.keyboard.press("Enter")

    expect(console.page.get_by_role("alert")).to_have_text(words)
    expect(console.heading).to_be_hidden()
    assert console.focused() == "API key"


def test_a_rep_who_is_no_administrator_is_refused_in_the_vendors_words(console: Console) -> None:
    key = console.centre.rep("meera.nair", "Meera Nair")
    console.open()
    console.page.get_by_role("textbox", name="API key").fill(key)
    console.page.keyboard.press("Enter")

    words = "User does not have enough permission to perform this operation."
    expect(console.page.get_by_role("alert")).to_have_text(words)


def test_signing_out_leaves_no_key_in_the_page_or_its_memory(console: Console) -> None:
    keys = {console.centre.administrator, console.centre.rep("meera.nair", "Meera Nair")}
    console.sign_in()
    expect(console.row("Meera Nair")).to_be_visible()
    assert keys <= heap_strings(console.page)

    console.page.get_by_role("button", name="Sign out").click()

    expect(console.page.get_by_text("You are signed out.")).to_be_visible()
    assert console.focused() == "API key"
    assert not GUID.search(console.page.content())
    assert not [text for text in heap_strings(console.page) if any(key in text for key in keys)]


def test_reloading_or_coming_back_asks_for_the_key_again(console: Console) -> None:
    console.sign_in()
    console.page.reload()
    expect(console.heading).to_be_hidden()
    expect(console.page.get_by_role("textbox", name="API key")).to_have_value("")

    console.sign_in()
    console.page.goto("about:blank")
    console.page.go_back()
    expect(console.page.get_by_role("textbox", name="API key")).to_have_value("")
    expect(console.heading).to_be_hidden()
    assert not GUID.search(console.page.content())


def test_an_administrator_who_loses_the_right_is_signed_out_in_the_vendors_words(console: Console) -> None:
    console.sign_in()
    console.centre.change("priya.rao", role="SDCoordinator")

    console.page.get_by_role("button", name="Filter").click()

    words = "User does not have enough permission to perform this operation."
    expect(console.page.locator("#entrance").get_by_role("alert")).to_have_text(words)
    assert not GUID.search(console.page.content())


# --- when the service does not answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["no connection", "the gateway's own"])
def test_a_service_that_does_not_answer_is_told_and_can_be_tried_again(console: Console, answer: str) -> None:
    console.sign_in()

    def fail(route: Route) -> None:
        if answer == "no connection":
            route.abort()
        else:
            route.fulfill(status=500, json={"message": "Internal Server Error"})

    console.page.route("**/listApiKeys", fail)
    console.page.get_by_role("button", name="Filter").click()
    expect(console.failed).to_have_text("The service did not answer. Try again.")
    expect(console.row("Priya Rao")).to_be_visible()

    console.page.unroute("**/listApiKeys")
    console.page.get_by_role("button", name="Filter").click()
    expect(console.failed).to_be_empty()
    # The browser itself reports what failed to load; that is no complaint about the page.
    console.complaints[:] = [each for each in console.complaints if "Failed to load resource" not in each]


def test_a_deed_under_way_is_not_done_twice(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()
    held = console.hold("regenerateApiKey")
    confirmation = console.act("Meera Nair", "Regenerate API Key")

    confirmation.get_by_role("button", name="OK").click()
    confirmation.get_by_role("button", name="OK").click()
    console.page.keyboard.press("Escape")
    expect(confirmation).to_be_hidden()
    held[0].continue_()

    expect(console.dialog("API Key regenerated")).to_contain_text("API Key regenerated successfully.")
    assert len(held) == 1


def test_signing_out_forgets_what_is_still_under_way(console: Console) -> None:
    console.sign_in()
    held = console.hold("listApiKeys")
    console.page.get_by_role("button", name="Filter").click()
    expect(console.page.locator("#keys")).to_have_attribute("aria-busy", "true")

    console.page.get_by_role("button", name="Sign out").click()

    row = {"supportRep": "late", "supportRepName": "Late", "businessUnit": "", "createdTime": "1", "expiresOn": "-1"}
    result = {"status": "Success", "statuscode": 200, "statusmessage": ""}
    late = {"result": result, "details": [{**row, "apikey": console.centre.administrator}], "hasMoreRows": "false"}
    with suppress(Error):  # the page has called it off
        held[0].fulfill(json={"response": late})
    expect(console.page.get_by_text("You are signed out.")).to_be_visible()
    assert not GUID.search(console.page.content())
