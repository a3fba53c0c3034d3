"""What schemathesis is told to look at beside its own checks; it loads this module by name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import schemathesis

from local.gateway import Router
from local.openapi import ROOT
from local.template import Template
from tests.bundle import Answer
from tests.description import breaches

_ROUTER = Router(Template.load(ROOT / "template.yaml").routes)


@schemathesis.check
def held_to_the_description(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """By the route that was answered, which is another one where a parameter was empty or held a slash; XML is read
    too, which schemathesis does not."""
    request = response.request
    match = _ROUTER.match(str(request.method), urlsplit(str(request.url)).path)
    if match is None:
        return
    headers = {name.lower(): ",".join(values) for name, values in response.headers.items()}
    answer = Answer(response.status_code, headers, response.content, ())
    found = [*breaches(str(request.method), match.route.path, answer)]
    assert found == [], f"{match.route.key} answered {response.status_code}: {'; '.join(found)}"
