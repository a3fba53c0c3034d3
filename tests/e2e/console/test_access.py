"""The console by keyboard alone, on a phone, in the dark, and at rest."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.console.page import Console

PHONE = ViewportSize(width=360, height=740)

# --- by keyboard alone ---------------------------------------------------------------------------------------------


def test_a_key_is_generated_and_mailed_by_keyboard_alone(console: Console) -> None:
    address = f"{uuid.uuid4().hex}@example.com"
    console.centre.rep_without_key("meera.nair", "Meera Nair")
    keyboard = console.page.keyboard
    console.open()
    expect(console.page.get_by_role("textbox", name="API key")).to_be_focused()
    keyboard.type(console.centre.administrator)
    keyboard.press("Enter")
    expect(console.heading).to_be_focused()

    console.tab_to("Generate API Key")
    keyboard.press("Enter")
    assert console.focused() == "Support Rep"
    keyboard.type("meera.nair")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    console.tab_to("Date and time of expiry")
    keyboard.type("07012031")
    keyboard.press("Tab")
    keyboard.type("1130AM")
    console.tab_to("Generate API Key")
    keyboard.press("Space")
    expect(console.dialog("API Key generated")).to_contain_text("Expires: 1 Jul 2031, 11:30")
    assert console.focused() == "Email ID"
    keyboard.press("Escape")
    assert console.focused() == "Generate API Key"

    expect(console.row("Meera Nair")).to_be_visible()
    console.tab_to("Email API Key")
    keyboard.press("Enter")
    keyboard.type(address)
    keyboard.press("Enter")
    expect(console.done).to_have_text(f"API Key sent to the specified Email ID. ({address})")
    assert len(console.centre.mails(address)) == 1
    console.tab_to("Sign out", backwards=True)
    keyboard.press("Enter")
    expect(console.page.get_by_role("textbox", name="API key")).to_be_focused()


def test_a_key_is_regenerated_and_deleted_by_keyboard_alone(console: Console) -> None:
    console.centre.rep("meera.nair", "Meera Nair")
    console.sign_in()
    keyboard = console.page.keyboard

    console.tab_to("More Actions")
    keyboard.press("ArrowDown")
    assert console.focused() == "Regenerate API Key"
    keyboard.press("Enter")
    assert console.focused() == "Cancel"
    console.tab_to("OK", backwards=True)
    keyboard.press("Enter")
    expect(console.dialog("API Key regenerated")).to_be_visible()
    keyboard.press("Escape")
    expect(console.row("Meera Nair").get_by_role("button", name="More Actions")).to_be_focused()

    keyboard.press("Enter")
    assert console.focused() == "Regenerate API Key"
    keyboard.press("ArrowDown")
    assert console.focused() == "Delete API Key"
    keyboard.press("Escape")
    assert console.focused() == "More Actions"
    keyboard.press("Space")
    keyboard.press("Tab")
    assert console.focused() == "Delete API Key"
    keyboard.press("Space")
    console.tab_to("OK", backwards=True)
    keyboard.press("Space")
    expect(console.row("Meera Nair")).to_be_hidden()
    expect(console.row("Priya Rao").get_by_role("button", name="More Actions")).to_be_focused()


def test_each_control_is_reached_by_tab_and_shows_the_focus(console: Console) -> None:
    console.sign_in()
    console.page.keyboard.press("Shift+Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    found = [console.focused()]
    while len(found) < 30:
        assert console.page.evaluate(outline) == "solid", found[-1]
        console.page.keyboard.press("Tab")
        if console.page.evaluate("document.activeElement === document.body"):
            break
        found.append(console.focused())

    row = ["Copy", "Email API Key", "More Actions"]
    assert found == ["Sign out", "Generate API Key", "Support Rep", "Business unit", "Filter", "Clear", *row]


def open_generation(console: Console) -> None:
    console.page.get_by_role("button", name="Generate API Key").press("Enter")


def open_mailing(console: Console) -> None:
    console.row("Priya Rao").get_by_role("button", name="Email API Key").press("Enter")


def open_regeneration(console: Console) -> None:
    console.row("Priya Rao").get_by_role("button", name="More Actions").press("Enter")
    console.page.get_by_role("button", name="Regenerate API Key").press("Enter")


def open_deletion(console: Console) -> None:
    console.row("Priya Rao").get_by_role("button", name="More Actions").press("Enter")
    console.page.get_by_role("button", name="Delete API Key").press("Enter")


DIALOGS: list[tuple[Callable[[Console], None], list[str], str]] = [
    (
        open_generation,
        ["Support Rep", "Never", "Email ID (optional)", "Generate API Key", "Cancel"],
        "Generate API Key",
    ),
    (open_mailing, ["Email ID", "Send API Key", "Cancel"], "Email API Key"),
    (open_regeneration, ["OK", "Cancel"], "More Actions"),
    (open_deletion, ["OK", "Cancel"], "More Actions"),
]


@pytest.mark.parametrize(("opening", "controls", "opener"), DIALOGS)
def test_a_dialog_keeps_the_focus_and_gives_it_back(
    console: Console, opening: Callable[[Console], None], controls: list[str], opener: str
) -> None:
    console.sign_in()
    opening(console)
    inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog[open]')"
    met = set()
    for _ in range(2 * len(controls) + 4):
        assert console.page.evaluate(inside)
        met.add(console.focused())
        console.page.keyboard.press("Tab")
    assert met - {console.page.locator("body").inner_text().strip()} >= set(controls)

    console.page.keyboard.press("Escape")

    expect(console.page.locator("dialog[open]")).to_have_count(0)
    assert console.focused() == opener


# --- on a phone, in the dark, at rest ------------------------------------------------------------------------------


def test_it_fits_a_phone_without_scrolling_sideways(console: Console) -> None:
    name = "Konstantinos Papadopoulos-Christodoulou-Papanikolaou"
    login = f"{'konstantinos.papadopoulos.' * 4}@support.orchard-labs.example"
    console.page.set_viewport_size(PHONE)
    console.centre.rep(login, name, business_unit="Trade" * 20, expires_at="2031-07-01T09:30:00Z")
    console.open()
    assert console.overflow() == 0
    console.sign_in()
    assert console.overflow() == 0

    row = console.row(name)
    row.get_by_role("button", name="More Actions").click()
    menu = console.page.get_by_role("group", name="More Actions")
    box = menu.bounding_box()
    assert box
    assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    menu.get_by_role("button", name="Delete API Key").click()
    assert console.overflow() == 0
    console.page.keyboard.press("Escape")
    console.act(name, "Regenerate API Key").get_by_role("button", name="OK").click()
    expect(console.dialog("API Key regenerated")).to_be_visible()
    assert console.overflow() == 0
    console.page.keyboard.press("Escape")
    console.page.get_by_role("button", name="Generate API Key").click()
    assert console.overflow() == 0


def test_on_a_phone_it_is_still_a_table_to_a_screen_reader(console: Console) -> None:
    console.page.set_viewport_size(PHONE)
    console.sign_in()
    table = console.page.get_by_role("table", name="API keys of support reps")
    expect(table.get_by_role("columnheader")).to_have_count(6)
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("rowheader")).to_have_text(["Priya Rao priya.rao"])


def test_it_is_dark_where_dark_is_preferred_and_at_rest_where_motion_is_not(console: Console) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    moves = """[
        getComputedStyle(document.querySelector('button')).transitionDuration.split(',')[0],
        getComputedStyle(document.querySelector('dialog[open]')).animationName,
    ]"""
    console.sign_in()
    open_mailing(console)
    assert console.page.evaluate(ground) == "rgb(244, 245, 247)"
    assert console.page.evaluate(moves) == ["0.12s", "appear"]

    console.page.emulate_media(color_scheme="dark", reduced_motion="reduce")

    assert console.page.evaluate(ground) == "rgb(16, 20, 26)"
    assert console.page.evaluate(moves) == ["0s", "none"]
