"""`make openapi`: the API of the bundle in OpenAPI 3.1, and a Postman collection of it, from the code.

Powertools makes a schema of each endpoint's own resolver: its query, its JSON body, what it returns. The dialect's
``description.py`` adds what no signature says: credentials, path variables, forms, refusals. The template has the
routes, and the committed events the examples. Powertools' own merge finds resolvers by their syntax in a module and
ours are made by the edge, so it is given the schemas instead; as it lets a component silently replace another of the
same name, that is looked at before.

A catch-all is no operation: what it refuses is everything that is not described.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import License
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from samtranslator.yaml_helper import yaml_parse

from keywright import replay
from keywright.description import HEADERS, RETURNED, Answer, Asked, Description, Operation, Schema
from keywright.edge import FORM, JSON, Request
from local import postman

ROOT: Final = Path(__file__).resolve().parents[1]
COMMITTED: Final = ROOT / "layers/keywright/keywright/openapi.json"
COLLECTION: Final = ROOT / "docs/keywright.postman_collection.json"
VERSION: Final = "3.1.0"
REF: Final = "#/components/schemas/{model}"
INTRODUCTION: Final = """\
A self-hosted desk for API keys. Each tag is a dialect: the key endpoints of one vendor's product, or the native API,
which does what none of them does.

Whatever lies under a dialect's prefix and is not described here is refused, in that dialect's words, as an unknown path
or a wrong method. Every answer has `Cache-Control: no-store`.
"""

Json = dict[str, Any]
IDEMPOTENCY_KEY: Final[Json] = {
    "name": replay.HEADER,
    "in": "header",
    "required": False,
    "description": (
        "For 24 hours, the same request of the same caller under the same key has one effect and one answer. A string "
        "of a structured field (RFC 8941), or bare; without its quotes it has 1 to 255 characters."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 2 * replay.LONGEST_KEY + 2},
}


class Contradiction(Exception):
    """Two parts of the description that cannot both be true."""


@dataclass(frozen=True, slots=True)
class Route:
    """`label` is the event's name in the template; the first route of a function is the one that its aliases repeat."""

    dialect: str
    name: str
    label: str
    method: str
    path: str
    is_first: bool

    @property
    def module(self) -> str:
        return f"{self.dialect}.{self.name}"

    @property
    def variables(self) -> set[str]:
        return {*re.findall(r"{(\w+)}", self.path)}

    @property
    def operation_id(self) -> str:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", self.label).lower()
        return f"{self.dialect}_{self.name}" + ("" if self.is_first else f"_{words}")


def template() -> Json:
    parsed: Json = yaml_parse((ROOT / "template.yaml").read_text())
    return parsed


def routes(parsed: Mapping[str, Any]) -> Iterator[Route]:
    """Those of the template's endpoints, in its order. What takes any method is a catch-all."""
    for resource in parsed["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        dialect, name, _ = resource["Properties"]["Handler"].split(".")
        events = {
            label: event["Properties"]
            for label, event in resource["Properties"].get("Events", {}).items()
            if event["Type"] == "HttpApi" and event["Properties"]["Method"] != "ANY"
        }
        for position, (label, event) in enumerate(events.items()):
            yield Route(dialect, name, label, event["Method"].upper(), event["Path"], position == 0)


def document() -> Json:
    """The whole description. Raises Contradiction."""
    described = [*routes(template())]
    dialects = {name: _dialect(name) for name in dict.fromkeys(route.dialect for route in described)}
    merge = OpenAPIMerge(
        title="Keywright",
        version=tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        openapi_version=VERSION,
        description=INTRODUCTION,
        license_info=License(name="Apache License 2.0", identifier="Apache-2.0"),
        tags=[_tag(name, dialect) for name, dialect in dialects.items()],
        security_schemes=agreed(dict(each.SECURITY_SCHEMES) for each in dialects.values()),
        on_conflict="error",
    )
    schemas = [_of_module(each, described, dialects) for each in dict.fromkeys(route.module for route in described)]
    agreed(schema["components"]["schemas"] for schema in schemas)
    for schema in schemas:
        merge.add_schema(schema)
    merged: Json = merge.get_openapi_schema()
    merged["paths"] = {route.path: _tidied(merged["paths"][route.path]) for route in described}
    merged["components"]["schemas"] = _by_name(merged["components"]["schemas"])
    merged["components"]["headers"] = HEADERS
    return _without_unused(merged)


def agreed(named: Iterable[Mapping[str, Any]]) -> Json:
    """All of them in one. Raises Contradiction where a name stands for two things."""
    together: Json = {}
    for each in named:
        for name, value in each.items():
            if together.setdefault(name, value) != value:
                raise Contradiction(f"{name} is the name of two different components")
    return together


def written(value: Json) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


# --- an endpoint ---------------------------------------------------------------------------------------------------


def _dialect(name: str) -> Description:
    description: Description = importlib.import_module(f"keywright.dialects.{name}.description")
    return description


def _tag(name: str, dialect: Description) -> Any:
    package = importlib.import_module(f"keywright.dialects.{name}")
    return {"name": name, "x-displayName": dialect.TITLE, "description": _paragraphs(package)[0]}


def _of_module(module: str, everything: Sequence[Route], dialects: Mapping[str, Description]) -> Json:
    loaded = importlib.import_module(module)
    its_routes = [route for route in everything if route.module == module]
    schema: Json = json.loads(loaded.handler.app.get_openapi_json_schema(openapi_version=VERSION))
    shapes = _Shapes(schema["components"]["schemas"])
    example = Example.of(its_routes[0])
    for route in its_routes:
        found = schema["paths"].get(route.path, {}).get(route.method.lower())
        if found is None:
            raise Contradiction(f"{route.module} does not answer {route.method} {route.path}")
        dialect = dialects[route.dialect]
        described = _operation(route, loaded, found, dialect, shapes, example)
        if links := _links(route, everything, dialect.NAMES.get(route.name, {})):
            described["responses"][min(described["responses"])]["links"] = links
        schema["paths"][route.path][route.method.lower()] = described
    return schema


def _operation(route: Route, module: Any, found: Json, dialect: Description, shapes: _Shapes, example: Example) -> Json:
    [status] = found["responses"].keys() - {"422", "500"}
    endpoint = getattr(module.handler, "endpoint", module.handler)
    operation = Operation(
        name=route.name,
        method=route.method,
        path=route.path,
        status=int(status),
        scope=getattr(endpoint, "scope", None),
        body=getattr(endpoint, "body", None),
        repeatable=getattr(endpoint, "repeatable", False),
    )
    summary, description = _summary(module)
    asked = dialect.asked(operation)
    parameters = [*_path_parameters(operation, dialect, shapes), *_query(asked, shapes)]
    parameters += ({**each, "schema": _without_null(each["schema"])} for each in found.get("parameters", ()))
    if operation.repeatable:
        parameters.append(IDEMPOTENCY_KEY)
    body = _body(asked, shapes) or found.get("requestBody")
    if body and getattr(endpoint, "may_be_empty", False):
        body = {**body, "required": False}
    returned: Json = next((each["schema"] for each in found["responses"][status].get("content", {}).values()), {})
    answers = dialect.answers(operation)
    described: Json = {
        "tags": [route.dialect],
        "summary": summary,
        "description": description,
        "operationId": route.operation_id,
        "security": dialect.security(operation),
        "parameters": [example.in_parameter(each) for each in parameters],
        "requestBody": body and example.in_body(body, shapes),
        "responses": {str(each): _response(answers[each], returned, shapes) for each in sorted(answers)},
    }
    return {name: value for name, value in described.items() if value or name == "security"}


def _paragraphs(module: Any) -> list[str]:
    text = (inspect.getdoc(module) or "").replace("``", "`")
    return [" ".join(each.split()) for each in text.split("\n\n")]


def _summary(module: Any) -> tuple[str, str]:
    """A module's docstring begins with its route, a colon, and what it does."""
    first, *rest = _paragraphs(module)
    _, _, told = first.partition(": ")
    sentence, _, more = told.partition(". ")
    return sentence[:1].upper() + sentence[1:].rstrip("."), "\n\n".join(filter(None, [more, *rest]))


def _path_parameters(operation: Operation, dialect: Description, shapes: _Shapes) -> Iterator[Json]:
    for name in operation.variables:
        if name not in dialect.PATH_PARAMETERS:
            raise Contradiction(f"nothing is said of the variable {name} of {operation.path}")
        schema = shapes.of(dialect.PATH_PARAMETERS[name], "validation")
        yield _parameter("path", name, schema, required=True)


def _query(asked: Asked, shapes: _Shapes) -> Iterator[Json]:
    if asked.query is None:
        return
    model = shapes.resolved(shapes.of(asked.query, "validation", null=False))
    for name, schema in model["properties"].items():
        yield _parameter("query", name, schema, required=name in model.get("required", ()))


def _parameter(place: str, name: str, schema: Json, *, required: bool) -> Json:
    text = schema.get("description")
    plain = _without_null({key: value for key, value in schema.items() if key != "description"})
    return {"name": name, "in": place, "required": required, "schema": plain, **({"description": text} if text else {})}


def _body(asked: Asked, shapes: _Shapes) -> Json | None:
    only_form = asked.bodies.keys() == {FORM}
    content = {
        media_type: {"schema": shapes.of(body, "validation", null=not only_form)}
        for media_type, body in asked.bodies.items()
    }
    return {"content": content, "required": True} if content else None


def _without_null(schema: Json) -> Json:
    """Neither a query nor a form can say null: what may be null in Python may be left out there."""
    alternatives = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(alternatives) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **alternatives[0]}


def _response(answer: Answer, returned: Json, shapes: _Shapes) -> Json:
    def schema(shape: Schema) -> Json:
        if isinstance(shape, list):
            alternatives = [schema(each) for each in shape]
            return {"anyOf": alternatives} if len(alternatives) > 1 else alternatives[0]
        return returned if shape is RETURNED else shapes.of(shape, "serialization")

    described: Json = {"description": answer.description}
    if answer.headers:
        described["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in answer.headers}
    if answer.content:
        described["content"] = {each: {"schema": schema(shape)} for each, shape in answer.content.items()}
    return described


class _Shapes:
    """JSON schemas of types; the models go to the components, and are referred to."""

    def __init__(self, components: Json) -> None:
        self._components = components

    def of(self, shape: Schema, mode: JsonSchemaMode, *, null: bool = True) -> Json:
        """Without `null`, the members of models are left out rather than null."""
        if isinstance(shape, dict):
            return shape
        schemas, definitions = TypeAdapter.json_schemas([("it", mode, TypeAdapter(shape))], ref_template=REF)
        models: Json = definitions.get("$defs", {})
        for model in models.values() if not null else ():
            model["properties"] = {name: _without_null(each) for name, each in model.get("properties", {}).items()}
        self._components.update(agreed([self._components, models]))
        found: Json = schemas["it", mode]
        return found

    def resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        return schema


def _links(route: Route, everything: Iterable[Route], named: Mapping[str, str]) -> Json:
    """From what is made to the operations below its path that are about it."""
    return {
        other.operation_id: {
            "operationId": other.operation_id,
            "parameters": {
                f"path.{name}": f"$response.body#{named[name]}" if name in named else f"$request.path.{name}"
                for name in sorted(other.variables)
            },
        }
        for other in everything
        if named and other.path.startswith(f"{route.path}/") and other.variables == route.variables | named.keys()
    }


# --- examples ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """The committed event of an endpoint, as far as it is an example of its parameters and its body."""

    in_path: Mapping[str, str]
    fields: Mapping[str, str]
    """Of query and form, since what a GET has in the one a POST may have in the other."""
    json: Any

    @classmethod
    def of(cls, route: Route) -> Example:
        event = ROOT / "events" / route.dialect / f"{route.name}.json"
        request = Request(json.loads(event.read_text()) if event.is_file() else {"headers": {}, "rawQueryString": ""})
        return cls(
            in_path=request.path_parameters,
            fields=dict([*request.query, *request.form]),
            json=json.loads(request.body) if request.media_type == JSON else None,
        )

    def in_parameter(self, parameter: Json) -> Json:
        known = self.in_path if parameter["in"] == "path" else self.fields
        if parameter["name"] not in known:
            return parameter
        value: Any = known[parameter["name"]]
        return {**parameter, "example": int(value) if parameter["schema"].get("type") == "integer" else value}

    def in_body(self, body: Json, shapes: _Shapes) -> Json:
        content = {}
        for media_type, each in body["content"].items():
            known = shapes.resolved(each["schema"]).get("properties")
            sent = self.fields if self.json is None else self.json
            example = {name: value for name, value in sent.items() if known is None or name in known}
            content[media_type] = {**each, "example": example} if example else each
        return {**body, "content": content}


# --- the whole -----------------------------------------------------------------------------------------------------


def _tidied(value: Any) -> Any:
    """Without the titles that pydantic makes of every name, and with Markdown's one backtick for reST's two. What may
    be left out needs no null for a default. Of a type with a validator before it, pydantic leaves limits under names of
    its own."""
    match value:
        case dict():
            kept = {key: each for key, each in value.items() if key != "title" and (key, each) != ("default", None)}
            return {_KEYWORDS.get(key, key): _TIDIED.get(key, _tidied)(each) for key, each in kept.items()}
        case list():
            return [_tidied(each) for each in value]
        case str():
            return value.replace("``", "`")
    return value


def _by_name(schemas: Json) -> Json:
    """One of them may well be called ``title``."""
    return {name: _tidied(schema) for name, schema in schemas.items()}


_KEYWORDS: Final = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
_TIDIED: Final[Mapping[str, Callable[[Any], Any]]] = {"properties": _by_name, "example": lambda as_it_is: as_it_is}


def _without_unused(whole: Json) -> Json:
    """Powertools describes refusals of its own for every endpoint, which the edge never lets out."""
    schemas = whole["components"]["schemas"]
    used: set[str] = set()
    found = set(_references({**whole, "components": None}))
    while found:
        used |= found
        found = set(_references([schemas[name] for name in found])) - used
    whole["components"]["schemas"] = {name: schemas[name] for name in sorted(used)}
    return whole


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            prefix, _, name = each.rpartition("/") if isinstance(each, str) else ("", "", "")
            if (key == "$ref" or prefix) and prefix == "#/components/schemas":
                yield name
            else:
                yield from _references(each)


def write() -> None:
    described = document()
    COMMITTED.write_text(written(described))
    COLLECTION.write_text(written(postman.collection(described)))


if __name__ == "__main__":
    write()
