"""The console as a test sees and works it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, Route, expect

from tests.e2e.console.centre import Centre

GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


@dataclass
class Console:
    page: Page
    centre: Centre
    url: str
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """What the browser reported as an error, violations of the page's policy among them."""

    def watch(self) -> None:
        self.page.on("request", self._note_request)
        self.page.on("pageerror", self._note_error)
        self.page.on("console", self._note_message)
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', (v) => console.error(`violation of ${v.violatedDirective}`))"
        )

    def _note_request(self, request: Request) -> None:
        self.requests.append(request)

    def _note_error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def hold(self, operation: str) -> list[Route]:
        """The requests for it, which wait from now on until they are continued."""
        held: list[Route] = []

        def keep(route: Route) -> None:
            held.append(route)

        self.page.route(f"**/{operation}", keep)
        return held

    def open(self) -> None:
        self.page.goto(f"{self.url}/console")

    def sign_in(self, key: str | None = None) -> None:
        self.open()
        self.page.get_by_role("textbox", name="API key").fill(key or self.centre.administrator)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.heading).to_be_visible()

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", name="API keys of support reps")

    @property
    def done(self) -> Locator:
        return self.page.locator("#keys > [role=status]")

    @property
    def failed(self) -> Locator:
        return self.page.locator("#keys > [role=alert]")

    @property
    def rows(self) -> Locator:
        return self.page.locator("#rows").get_by_role("row")

    def names(self) -> list[str]:
        return self.rows.locator(".name").all_inner_texts()

    def row(self, name: str) -> Locator:
        return self.rows.filter(has_text=name)

    def dialog(self, title: str) -> Locator:
        return self.page.get_by_role("dialog", name=title)

    def act(self, name: str, option: str) -> Locator:
        """More Actions, then one of its options: the dialog that this opens."""
        self.row(name).get_by_role("button", name="More Actions").click()
        self.page.get_by_role("button", name=option).click()
        return self.dialog(option)

    def shown_key(self, dialog: Locator) -> str:
        found = GUID.search(dialog.inner_text())
        assert found, dialog.inner_text()
        return found[0]

    def focused(self) -> str:
        """The name, or else the text, of what has the focus."""
        script = "(e => e.ariaLabel ?? e.labels?.[0]?.innerText.trim() ?? e.innerText.trim())(document.activeElement)"
        return str(self.page.evaluate(script))

    def tab_to(self, name: str, *, backwards: bool = False) -> None:
        for _ in range(60):
            self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
            if self.focused().startswith(name):
                return
        raise AssertionError(f"Tab does not lead to {name}")

    def overflow(self) -> int:
        """Pixels by which the page, or the open dialog, is wider than the screen or itself."""
        script = """
            [document.documentElement, ...document.querySelectorAll('dialog[open]')].map((each) =>
                Math.max(each.scrollWidth - each.clientWidth, each.getBoundingClientRect().right - innerWidth))
        """
        return max(0, *map(int, self.page.evaluate(script)))


def heap_strings(page: Page) -> set[str]:
    """Every string that the page's programs hold, after what nothing holds any more was collected."""
    session, chunks = page.context.new_cdp_session(page), list[str]()
    session.on("HeapProfiler.addHeapSnapshotChunk", lambda event: chunks.append(event["chunk"]))
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    return set(json.loads("".join(chunks))["strings"])
