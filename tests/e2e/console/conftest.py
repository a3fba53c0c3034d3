"""Debian's Chromium, and the console in it.

Whatever a test does, the browser is asked afterwards whether a key got to where none belongs, and whether the page
broke its own policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.e2e.conftest import Running
from tests.e2e.console.centre import Centre
from tests.e2e.console.page import GUID, Console

CHROMIUM = Path("/usr/bin/chromium")
DESK = ViewportSize(width=1280, height=800)
QUIET = (
    "--lang=en-US",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is not there: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def centre(running: Running) -> Centre:
    return Centre(running)


@pytest.fixture
def console(browser: Browser, running: Running, centre: Centre) -> Iterator[Console]:
    context = browser.new_context(viewport=DESK, locale="en-GB", timezone_id="Europe/Berlin")
    context.set_default_timeout(15_000)
    console = Console(context.new_page(), centre, running.url)
    console.watch()
    yield console
    assert console.complaints == []
    assert {request.url.removeprefix(running.url).partition("?")[0] for request in console.requests} <= {
        *(f"/console{part}" for part in ("", "/console.js", "/console.css", "/console.svg")),
        *(f"/api/json/{each}ApiKey" for each in ("generate", "email", "regenerate", "delete")),
        "/api/json/listApiKeys",
    }
    assert [request.url for request in console.requests if "?" in request.url or GUID.search(request.url.upper())] == []
    state = "[localStorage.length, sessionStorage.length, document.cookie, location.href, history.state]"
    assert console.page.evaluate(state) == [0, 0, "", f"{running.url}/console", None]
    assert console.page.evaluate("indexedDB.databases().then(each => each.length)") == 0
    assert console.page.evaluate("navigator.serviceWorker.getRegistrations().then(each => each.length)") == 0
    assert context.cookies() == []
    history = context.new_cdp_session(console.page).send("Page.getNavigationHistory")["entries"]
    assert {entry["url"] for entry in history} <= {"about:blank", f"{running.url}/console"}
    context.close()
