"""What every sample of an API in the documents must have: an authorizer that is asked each time anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.template import expand
from tests.structure.project import ROOT

SAMPLES = sorted(ROOT.glob("docs/samples/*/template.yaml"))


def breaches(path: Path) -> list[str]:
    """An absent time to live is 300 s on a REST API, and SAM writes none unless it is told."""
    found = [
        breach
        for name, resource in expand(path)["Resources"].items()
        if resource["Type"] in {"AWS::ApiGatewayV2::Api", "AWS::ApiGateway::RestApi"}
        for breach in _of_api(name, resource["Properties"]["Body"])
    ]
    return [f"{path.parent.name}: {each}" for each in found]


def _of_api(name: str, body: dict[str, Any]) -> Iterator[str]:
    schemes = {**body.get("components", {}).get("securitySchemes", {}), **body.get("securityDefinitions", {})}
    if not schemes:
        yield f"{name} has no authorizer"
    for scheme, declared in schemes.items():
        authorizer = declared.get("x-amazon-apigateway-authorizer", {})
        if authorizer.get("authorizerResultTtlInSeconds") != 0:
            yield f"{name} keeps the answers of {scheme}"
        sources = authorizer.get("identitySource", [])
        sources = sources.split(",") if isinstance(sources, str) else sources
        if not sources or not all(".header." in source for source in sources):
            yield f"{name} looks for the key of {scheme} in {sources}"
        if "openapi" in body and authorizer.get("authorizerPayloadFormatVersion") != "2.0":
            yield f"{name} asks {scheme} in an old format"
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            if not operation.get("security"):
                yield f"{name} leaves {method} {path} open"


def test_every_sample_is_guarded_without_a_cache() -> None:
    assert SAMPLES
    assert [breach for path in SAMPLES for breach in breaches(path)] == []


@pytest.mark.parametrize(
    ("old", "new", "breach"),
    [
        ("ReauthorizeEvery: 0", "ReauthorizeEvery: 1", "keeps the answers"),
        ("              ReauthorizeEvery: 0\n", "", "keeps the answers"),
        ("Headers: [Authorization]", "QueryStrings: [key]", "looks for the key"),
        ('AuthorizerPayloadFormatVersion: "2.0"', 'AuthorizerPayloadFormatVersion: "1.0"', "in an old format"),
        ("        DefaultAuthorizer: Keywright\n", "", "leaves get /me open"),
    ],
)
def test_a_sample_that_is_not_guarded_is_noticed(tmp_path: Path, old: str, new: str, breach: str) -> None:
    text = SAMPLES[0].read_text()
    assert old in text
    planted = tmp_path / "template.yaml"
    changed = text.replace(old, new)
    if "QueryStrings" in new or "1.0" in new:
        changed = changed.replace("            EnableSimpleResponses: true\n", "")
    planted.write_text(changed)
    assert any(breach in each for each in breaches(planted))
