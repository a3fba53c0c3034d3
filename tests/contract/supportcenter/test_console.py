"""The console's files: GET /console, and its script, style and icon below it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from keywright.dialects.supportcenter import console
from local.gateway import Router
from tests.bundle import Bundle

FILES = {
    "/console": ("console.html", "text/html; charset=utf-8"),
    "/console/console.js": ("console.js", "text/javascript; charset=utf-8"),
    "/console/console.css": ("console.css", "text/css; charset=utf-8"),
    "/console/console.svg": ("console.svg", "image/svg+xml; charset=utf-8"),
}
EVERYBODY_ELSE = re.compile(r"(?:https?:|wss?:|[\s\"'(])//[\w.-]+\.\w+|\b(?:https?|wss?)://")
OWN = "http://www.w3.org/2000/svg"
"""The name of a vocabulary, which nobody fetches."""


def text_of(name: str) -> str:
    return files(console).joinpath(name).read_text(encoding="utf-8")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text_of("console.html"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    def values(self, attribute: str) -> list[str]:
        return [found for _, each in self.elements if (found := each.get(attribute)) is not None]


# --- how they are handed out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES)
def test_anybody_gets_the_file_without_a_call_of_aws(bundle: Bundle, path: str) -> None:
    name, content_type = FILES[path]

    answer = bundle.request("GET", path)

    assert answer.status == 200
    assert answer.body == files(console).joinpath(name).read_bytes()
    assert answer.calls == ()
    assert answer.headers == {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'",
        "content-type": content_type,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def test_it_holds_no_right_to_any_data(bundle: Bundle) -> None:
    assert bundle.stack.template.functions["SupportcenterConsole"].policies == ()


def test_every_file_is_handed_out_and_no_other() -> None:
    kept = {each.name for each in files(console).iterdir() if each.is_file() and not each.name.endswith(".py")}
    assert kept == {name for name, _ in FILES.values()}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/console"),
        ("HEAD", "/console"),
        ("GET", "/console/"),
        ("GET", "/console/console.html"),
        ("GET", "/console/__init__.py"),
        ("GET", "/console/..%2fwire.py"),
    ],
)
def test_nothing_else_leads_there(bundle: Bundle, method: str, path: str) -> None:
    assert Router(bundle.stack.template.routes).match(method, path) is None


# --- what stands in them -------------------------------------------------------------------------------------------


def test_the_page_has_no_script_or_style_of_its_own() -> None:
    page = Page()
    assert page.of("style", "base", "iframe", "object", "embed", "meta") == page.of("meta")
    assert [each for each in page.of("script") if each != {"type": "module", "src": "console/console.js"}] == []
    assert len(page.of("script")) == 1
    assert [name for _, each in page.elements for name in each if name == "style" or name.startswith("on")] == []
    assert {each.get("http-equiv") for each in page.of("meta")} == {None}


def test_the_page_asks_for_its_own_files_alone() -> None:
    page = Page()
    asked = page.values("src") + page.values("href") + page.values("action") + page.values("formaction")
    assert sorted(asked) == ["console/console.css", "console/console.js", "console/console.svg"]


@pytest.mark.parametrize("name", [name for name, _ in FILES.values()])
def test_no_file_names_another_host(name: str) -> None:
    assert EVERYBODY_ELSE.findall(text_of(name).replace(OWN, "")) == []


@pytest.mark.parametrize("address", ["https://example.com", "url(//cdn.example.com/a)", "'//example.com/x'", "wss://a"])
def test_another_host_would_be_noticed(address: str) -> None:
    assert EVERYBODY_ELSE.findall(f"x {address} y")


@pytest.mark.parametrize(
    "word",
    [
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "cookie",
        "caches",
        "pushState",
        "replaceState",
        "location",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "eval",
        "Function(",
        "console.log",
    ],
)
def test_the_script_keeps_nothing_and_takes_no_text_for_code(word: str) -> None:
    code = [line for line in text_of("console.js").splitlines() if not line.lstrip().startswith("//")]
    assert [line for line in code if word in line] == []


def test_the_field_for_the_credential_has_nothing_to_send() -> None:
    [field] = [each for each in Page().of("input") if each.get("type") == "password"]
    assert "name" not in field
    assert field["autocomplete"] == "off"


def test_every_field_and_dialog_has_a_name() -> None:
    page = Page()
    labelled = set(page.values("for"))
    for each in page.of("input"):
        wrapped = each.get("type") == "radio"  # stands inside its label
        assert wrapped or each.get("id") in labelled or each.get("aria-label"), each
    assert all(each.get("aria-labelledby") in page.values("id") for each in page.of("dialog"))
    assert all(each.get("type") in {None, "button", "reset"} for each in page.of("button"))


def test_what_the_page_refers_to_is_there_once() -> None:
    page = Page()
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    referred: list[str] = []
    for attribute in ("for", "aria-labelledby", "aria-describedby", "list"):
        referred += [word for value in page.values(attribute) for word in value.split()]
    assert set(referred) <= set(ids)
    assert set(re.findall(r'byId\("([\w-]+)"\)', text_of("console.js"))) <= set(ids)


@pytest.mark.parametrize(
    "words",
    [
        "Generate API Key",
        "Email API Key",
        "Email ID",
        "Send API Key",
        "Cancel",
        "More Actions",
        "Regenerate API Key",
        "Delete API Key",
        "OK",
        "Integration &amp; Add-ons",
        "Support Rep",
    ],
)
def test_the_page_uses_the_vendors_words(words: str) -> None:
    assert re.search(rf">\s*(?:[^<>]*\b)?{re.escape(words)}", text_of("console.html"))
