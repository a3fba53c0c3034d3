"""Every error of the core times every dialect: an answer in its own shape, and nothing of anybody's data in it."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from aws_lambda_powertools.event_handler import Response

from keywright import dialects, errors
from keywright.edge import Request, Surface, payload
from local.gateway import Router, http_event, split_target
from local.server import Request as HttpRequest
from local.template import Template

ROOT = Path(__file__).resolve().parents[2]
CANARY = "kw_live_SomethingOfAnotherTenantThatStoodInTheCause00000000"
SURFACES: dict[str, Surface] = {
    each.name: importlib.import_module(f"keywright.dialects.{each.name}").SURFACE
    for each in pkgutil.iter_modules(dialects.__path__)
    if each.ispkg
}


def descendants(cls: type[errors.KeywrightError]) -> Iterator[type[errors.KeywrightError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from descendants(child)


ERRORS = sorted(set(descendants(errors.KeywrightError)), key=lambda cls: cls.__name__)


def instances(cls: type[errors.KeywrightError]) -> list[errors.KeywrightError]:
    """The error as the core raises it: bare, and with what it may carry."""
    carried = [{}, {"field": "name"}, {"limit": 10}, {"retry_after_seconds": 7}]
    made = []
    for arguments in carried:
        try:
            made.append(cls(**arguments))  # type: ignore[arg-type]
        except TypeError:
            continue
    for error in made:
        error.__cause__ = ValueError(CANARY)
    return made


@pytest.fixture(scope="module")
def template() -> Template:
    return Template.load(ROOT / "template.yaml", {"Stage": "local"})


def requests_to(dialect: str, template: Template) -> list[Request]:
    """One request by each route of the dialect."""
    asked = []
    for route in template.routes:
        handler = template.functions[route.function].handler
        if handler.startswith(f"{dialect}."):
            target = route.path.replace("{proxy+}", "x/y").replace("{", "").replace("}", "")
            method = "POST" if route.method == "ANY" else route.method
            path, query = split_target(target)
            match = Router([route]).match(method, path)
            assert match is not None
            asked.append(Request(http_event(HttpRequest(method, target, (), b""), match, path, query)))
    assert asked, f"no route of {dialect}"
    return asked


def readable(response: Response[str]) -> bool:
    body = payload(response)["body"]
    if "xml" in (response.content_type or str(response.headers.get("Content-Type"))):
        ET.fromstring(body)  # noqa: S314  our own
        return True
    if str(response.headers.get("Content-Type")).startswith("text/html"):
        return "</main>" in body
    return isinstance(json.loads(body), dict)


def test_every_dialect_is_among_them() -> None:
    assert {"handover", "native", "salesiq", "sunshine", "supportcenter", "voltmx"} == SURFACES.keys()
    assert all(surface.name == name for name, surface in SURFACES.items())


@pytest.mark.parametrize("dialect", SURFACES)
@pytest.mark.parametrize("error", ERRORS, ids=lambda cls: cls.__name__)
def test_an_error_has_an_answer_in_the_dialect(
    dialect: str, error: type[errors.KeywrightError], template: Template
) -> None:
    surface = SURFACES[dialect]
    for request in requests_to(dialect, template):
        for refusal in instances(error):
            response = surface.refuse([refusal], request)
            assert 200 <= response.status_code < 600
            assert readable(response)
            told = json.dumps(payload(response))
            assert CANARY not in told
            assert "Traceback" not in told
            if isinstance(refusal, errors.TooManyRequests | errors.Unavailable):
                assert response.headers["Retry-After"] == str(refusal.retry_after_seconds)


@pytest.mark.parametrize("dialect", SURFACES)
def test_the_same_error_has_the_same_answer_whatever_caused_it(dialect: str, template: Template) -> None:
    surface = SURFACES[dialect]
    for request in requests_to(dialect, template):
        for error in ERRORS:
            bare, caused = error(), error()
            caused.__cause__ = ValueError(CANARY)
            assert payload(surface.refuse([bare], request)) == payload(surface.refuse([caused], request))


@pytest.mark.parametrize("dialect", SURFACES)
@pytest.mark.parametrize("error", [errors.Fault, errors.KeywrightError], ids=lambda cls: cls.__name__)
def test_our_own_fault_says_no_more_than_that(
    dialect: str, error: type[errors.KeywrightError], template: Template
) -> None:
    for request in requests_to(dialect, template):
        body = payload(SURFACES[dialect].refuse([error()], request))["body"]
        assert "keywright." not in body
        assert ".py" not in body


@pytest.mark.parametrize("dialect", SURFACES)
def test_several_refusals_make_one_answer(dialect: str, template: Template) -> None:
    refusals = [errors.FieldMissing(field="name"), errors.FieldUnknown(field="x"), errors.TooLong(field="y")]
    for request in requests_to(dialect, template):
        response = SURFACES[dialect].refuse(refusals, request)
        assert response.status_code == SURFACES[dialect].refuse(refusals[:1], request).status_code
        assert readable(response)
