"""The committed description of the API says what the code says, of every route, in valid OpenAPI 3.1."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from local import openapi, postman
from local.openapi import COLLECTION, COMMITTED, Contradiction, agreed, document, written
from tests.structure.conftest import Plant
from tests.structure.project import Project
from tests.structure.test_imports_point_inwards import _imports
from tests.structure.test_routes import routes_of_template

Document = dict[str, Any]
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture(scope="module")
def made() -> Document:
    return document()


@pytest.fixture(scope="module")
def committed() -> Document:
    loaded: Document = json.loads(COMMITTED.read_text())
    return loaded


def operations(described: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in described["paths"].items():
        yield from ((method.upper(), path, item[method]) for method in item.keys() & METHODS)


# --- nothing is stale, nothing is missing --------------------------------------------------------------------------


def test_the_committed_description_is_what_the_code_says(made: Document) -> None:
    assert COMMITTED.read_text() == written(made), "make openapi"


def test_the_committed_collection_is_made_from_it(committed: Document) -> None:
    assert COLLECTION.read_text() == written(postman.collection(committed)), "make openapi"


def breaches(project: Project, described: Document) -> list[str]:
    """A catch-all takes any method: it refuses what is not described, and is not described itself."""
    templated = {route for routes in routes_of_template(project).values() for route in routes if route[0] != "ANY"}
    told = {(method, path) for method, path, _ in operations(described)}
    return [
        *(f"{method} {path} is not described: make openapi" for method, path in sorted(templated - told)),
        *(f"{method} {path} is described and no route: make openapi" for method, path in sorted(told - templated)),
    ]


def test_every_route_is_described_and_nothing_else(project: Project, committed: Document) -> None:
    assert breaches(project, committed) == []


def test_a_route_more_or_less_is_noticed(plant: Plant) -> None:
    sound: Document = {"paths": {"/v1/keys": {"post": {}}}}
    assert breaches(plant({}), sound) == []
    assert breaches(plant({}), {"paths": {}}) == ["POST /v1/keys is not described: make openapi"]
    sound["paths"]["/v1/keys"]["get"] = {}
    assert breaches(plant({}), sound) == ["GET /v1/keys is described and no route: make openapi"]


# --- it is sound ---------------------------------------------------------------------------------------------------


def test_it_is_valid_openapi(committed: Document) -> None:
    assert committed["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(committed).iter_errors()] == []


KEYWORDS = {
    *("$ref", "additionalProperties", "anyOf", "const", "default", "description", "discriminator", "enum", "format"),
    *(
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "oneOf",
        "pattern",
        "properties",
    ),
    *("required", "type", "writeOnly", "xml"),
}


def keywords(schema: Any) -> Iterator[str]:
    """Of a schema and of those within it, whatever its members are called and whatever values it names."""
    if isinstance(schema, dict):
        yield from schema
        for within in schema.get("properties", {}).values():
            yield from keywords(within)
        for keyword in ("items", "additionalProperties"):
            yield from keywords(schema.get(keyword))
        for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from keywords(alternative)


def test_its_schemas_say_nothing_that_json_schema_has_no_word_for(committed: Document) -> None:
    """To a validator an unknown keyword is a comment, and a limit that is none."""
    schemas = [*committed["components"]["schemas"].values()]
    for _, _, operation in operations(committed):
        contents = [each.get("content", {}) for each in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        schemas += [each["schema"] for content in contents for each in content.values()]
        schemas += [each["schema"] for each in operation.get("parameters", ())]
    assert {each for schema in schemas for each in keywords(schema)} - KEYWORDS == set()
    assert {*keywords({"properties": {"ge": {"ge": 1}}})} - KEYWORDS == {"ge"}


def test_every_operation_has_its_own_name_and_says_what_it_is(committed: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(committed)]
    assert len(names) == len(set(names))
    for _, path, operation in operations(committed):
        [tag] = operation["tags"]
        assert re.fullmatch(rf"{tag}_[a-z0-9_]+", operation["operationId"]), path
        assert operation["summary"], path
        assert all(response["description"] for response in operation["responses"].values()), path


def test_only_these_ask_for_no_credentials(committed: Document) -> None:
    """The page has nothing to hide, and two are where credentials are fetched, for others in the body."""
    free = {
        operation["operationId"]
        for _, path, operation in operations(committed)
        if (not operation["security"] or {} in operation["security"]) and not path.startswith("/console")
    }
    assert free == {
        "handover_open_link",
        "handover_show_link",
        "native_get_openapi",
        "native_revoke_self",
        "salesiq_refresh_access_token",
        "voltmx_login",
    }


def test_no_name_of_a_scheme_is_unknown_and_none_is_idle(committed: Document) -> None:
    named = {name for _, _, operation in operations(committed) for each in operation["security"] for name in each}
    assert named == committed["components"]["securitySchemes"].keys()


def test_every_component_is_used(committed: Document) -> None:
    text = COMMITTED.read_text()
    for kind in ("schemas", "headers"):
        for name in committed["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name


def test_nothing_of_the_frameworks_own_refusals_is_left(committed: Document) -> None:
    frameworks = {"HTTPValidationError", "ResponseValidationError", "ValidationError"}
    assert not frameworks & committed["components"]["schemas"].keys()


def test_two_components_of_one_name_are_refused() -> None:
    assert agreed([{"Key": {"type": "object"}}, {"Key": {"type": "object"}}]) == {"Key": {"type": "object"}}
    with pytest.raises(Contradiction, match="Key is the name of two"):
        agreed([{"Key": {"type": "object"}}, {"Key": {"type": "string"}}])


def test_a_route_that_its_module_does_not_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = [*openapi.routes(openapi.template())]
    wrong = openapi.Route("native", "get_key", "Get", "PUT", "/v1/keys/{key_id}", is_first=True)
    monkeypatch.setattr(openapi, "routes", lambda _: [*real, wrong])
    with pytest.raises(Contradiction, match=r"native\.get_key does not answer PUT"):
        document()


# --- nothing of it runs --------------------------------------------------------------------------------------------


def import_breaches(project: Project) -> list[str]:
    """Where what only the description needs is loaded by what runs."""
    modules = {source.module for source in project.layer}
    return [
        f"{source.at(node)} imports {imported}"
        for source in (*project.layer, *project.functions)
        if not source.module.endswith("description")
        for node, imported in _imports(source, modules)
        if imported.endswith(".description")
    ]


def test_no_function_loads_a_description(project: Project) -> None:
    assert any(source.module.endswith(".description") for source in project.layer)
    assert import_breaches(project) == []


def test_a_description_that_is_loaded_at_run_time_is_noticed(plant: Plant) -> None:
    home = "layers/keywright/keywright/dialects/native"
    loading = "from keywright.dialects.native import description"
    project = plant({f"{home}/description.py": "", f"{home}/__init__.py": loading})
    assert import_breaches(project) != []


# --- the collection ------------------------------------------------------------------------------------------------


def test_the_collection_has_a_request_for_every_operation(committed: Document) -> None:
    collection = json.loads(COLLECTION.read_text())
    assert collection["info"]["schema"] == postman.SCHEMA
    requests = [item["request"] for folder in collection["item"] for item in folder["item"]]
    asked = {
        (request["method"], "/" + re.sub(r":(\w+)", r"{\1}", "/".join(request["url"]["path"]))) for request in requests
    }
    assert asked == {(method, path) for method, path, _ in operations(committed)}
    assert len(requests) == len(asked)


def test_every_variable_of_the_collection_has_a_value_and_a_use() -> None:
    text = COLLECTION.read_text()
    named = set(re.findall(r"{{(\w+)}}", text))
    assert named == {each["key"] for each in json.loads(text)["variable"]}
