"""A path stands in the template and in the module; both say the same, and so does the list that the layer ships."""

import importlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import ApiGatewayResolver
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from tests.structure.conftest import Plant
from tests.structure.project import Endpoint, Project

Routes = set[tuple[str, str]]


def routes_of_template(project: Project) -> dict[str, list[tuple[str, str]]]:
    """The (method, path) pairs of each function, by logical id."""
    return {
        name: [
            (event["Properties"]["Method"].upper(), event["Properties"]["Path"])
            for event in block["Properties"].get("Events", {}).values()
            if event["Type"] == "HttpApi"
        ]
        for name, block in project.blocks.items()
    }


def routes_of_module(module: Any) -> Routes:
    """What its resolver answers, wherever the module keeps it, in the template's spelling."""
    values = [value for name, value in vars(module).items() if not name.startswith("__")]
    resolvers = {
        id(each): each
        for value in values
        for each in (value, getattr(value, "app", None))
        if isinstance(each, ApiGatewayResolver)
    }
    return {
        (str(route.method).upper(), re.sub(r"<(\w+)>", r"{\1}", route.path))
        for resolver in resolvers.values()
        for route in (*resolver._static_routes, *resolver._dynamic_routes)
    }


def breaches(project: Project, declared: Mapping[str, Routes]) -> list[str]:
    """`declared` holds the routes of each module, by its name."""
    templated = routes_of_template(project)
    found = [
        breach
        for endpoint in project.endpoints
        for breach in _of_endpoint(endpoint, templated.get(endpoint.logical_id, []), declared[endpoint.module])
    ]
    everywhere = Counter(route for routes in templated.values() for route in routes)
    found += [f"{method} {path} is declared {count} times" for (method, path), count in everywhere.items() if count > 1]
    return [*found, *_of_events(project)]


def _of_endpoint(endpoint: Endpoint, templated: list[tuple[str, str]], declared: Routes) -> Iterator[str]:
    for method, path in templated:
        greedy = method == "ANY" or path.endswith("+}")
        if greedy and not endpoint.is_catch_all:
            yield f"{endpoint.module} takes {method} {path}: only a refuse_unknown_path takes whatever comes"
        if endpoint.is_catch_all and not (method == "ANY" and declared == set()):
            yield f"{endpoint.module} refuses {method} {path}, which is not ANY"
    if endpoint.is_catch_all:
        return
    for method, path in set(templated) - declared:
        yield f"{method} {path} leads to {endpoint.module}, which does not know it"
    for method, path in declared - set(templated):
        yield f"{endpoint.module} answers {method} {path}, which the template does not send there"


def _of_events(project: Project) -> Iterator[str]:
    for name, block in project.blocks.items():
        for label, event in block["Properties"].get("Events", {}).items():
            if event["Type"] == "HttpApi" and event["Properties"].get("ApiId") != {"Ref": "Api"}:
                yield f"{name}.{label} is no route of Api"


def list_breaches(project: Project) -> list[str]:
    """Where the list by which catch-alls tell a wrong method from an unknown path differs from the template."""
    listed = {
        tuple(route) for route in json.loads((project.root / "layers/keywright/keywright/routes.json").read_text())
    }
    templated = {route for routes in routes_of_template(project).values() for route in routes if route[0] != "ANY"}
    return [
        *(f"routes.json lacks {method} {path}: make routes" for method, path in templated - listed),
        *(f"routes.json still has {method} {path}: make routes" for method, path in listed - templated),
    ]


def test_each_route_of_the_template_is_the_one_of_its_module(project: Project) -> None:
    declared = {each.module: routes_of_module(importlib.import_module(each.module)) for each in project.endpoints}
    assert any(declared.values())
    assert breaches(project, declared) == []


def test_the_layer_ships_the_routes_of_the_template(project: Project) -> None:
    assert list_breaches(project) == []


SOUND: dict[str, Routes] = {"native.issue_key": {("POST", "/v1/keys")}}


def test_a_sound_tree_agrees_on_its_routes(plant: Plant) -> None:
    project = plant({"layers/keywright/keywright/routes.json": '[["POST", "/v1/keys"]]'})
    assert breaches(project, SOUND) == []
    assert list_breaches(project) == []


ROUTE = "{ApiId: !Ref Api, Path: /v1/keys, Method: POST}"


@pytest.mark.parametrize(
    ("route", "breach"),
    [
        ("{ApiId: !Ref Api, Path: /v1/key, Method: POST}", "POST /v1/key leads to native.issue_key"),
        ("{ApiId: !Ref Api, Path: /v1/key, Method: POST}", "native.issue_key answers POST /v1/keys"),
        ("{ApiId: !Ref Api, Path: /v1/keys, Method: PUT}", "PUT /v1/keys leads to native.issue_key"),
        ("{ApiId: !Ref Api, Path: /v1/keys, Method: ANY}", "only a refuse_unknown_path takes whatever comes"),
        ("{ApiId: !Ref Api, Path: '/v1/{proxy+}', Method: POST}", "only a refuse_unknown_path takes whatever comes"),
        ("{Path: /v1/keys, Method: POST}", "NativeIssueKey.Issue is no route of Api"),
        (f"{ROUTE}\n        Again: {{Type: HttpApi, Properties: {ROUTE}}}", "POST /v1/keys is declared 2 times"),
    ],
)
def test_a_route_that_differs_is_noticed(plant: Plant, route: str, breach: str) -> None:
    assert any(breach in found for found in breaches(plant({"template.yaml": (ROUTE, route)}), SOUND))


@pytest.mark.parametrize("listed", ["[]", '[["POST", "/v1/keys"], ["GET", "/v1/keys"]]'])
def test_a_stale_list_of_routes_is_noticed(plant: Plant, listed: str) -> None:
    assert list_breaches(plant({"layers/keywright/keywright/routes.json": listed})) != []


def test_a_catch_all_takes_every_method_or_none(plant: Plant) -> None:
    project = plant(
        {
            "functions/native/issue_key.py": None,
            "functions/native/refuse_unknown_path.py": "handler = 1",
            "template.yaml": ("NativeIssueKey:", "NativeRefuseUnknownPath:"),
        }
    )
    assert any("is not ANY" in found for found in breaches(project, {"native.refuse_unknown_path": set()}))


def test_the_routes_of_a_resolver_are_read_in_the_spelling_of_the_template() -> None:
    class Module:
        app = APIGatewayHttpResolver()

    @Module.app.get("/v2/apps/<appId>/keys")
    @Module.app.get("/sc/v2/apps/<appId>/keys")
    def list_keys(appId: str) -> None:  # noqa: N803  the vendor's own spelling
        raise NotImplementedError(appId)

    assert routes_of_module(Module) == {("GET", "/v2/apps/{appId}/keys"), ("GET", "/sc/v2/apps/{appId}/keys")}
