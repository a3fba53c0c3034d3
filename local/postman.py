"""The API as a Postman collection, made from its description; `make openapi` writes it.

A folder a dialect, a request an operation, with the description's examples. What belongs to the demo tenant of
`make run` is a variable: whoever imports the collection gives it other values and has it for an installation of theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from keywright.edge import FORM, JSON
from local import demo

SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS: Final = ("get", "put", "post", "patch", "delete")
URL: Final = ("KEYWRIGHT_URL", "http://127.0.0.1:3000")
VARIABLES: Final[Sequence[tuple[str, str]]] = (
    URL,
    *demo.VALUES,
    ("KEYWRIGHT_KEY_ID", demo.KEY_ID),
    ("KEYWRIGHT_KEY_ID_TO_REVOKE", demo.KEY_ID_TO_REVOKE),
    ("KEYWRIGHT_KEY_ID_TO_ROTATE", demo.KEY_ID_TO_ROTATE),
    ("KEYWRIGHT_KEY_ID_TO_EXTEND", demo.KEY_ID_TO_EXTEND),
    ("KEYWRIGHT_KEY_ID_TO_CANCEL", demo.KEY_ID_TO_CANCEL),
    ("KEYWRIGHT_KEY_ID_TO_FINISH", demo.KEY_ID_TO_FINISH),
    ("KEYWRIGHT_KEY_ID_TO_DELETE", demo.KEY_ID_TO_DELETE),
    ("KEYWRIGHT_KEY_ID_TO_UNDELETE", demo.KEY_ID_TO_UNDELETE),
    ("KEYWRIGHT_KEY_TOKEN", demo.KEY_TOKEN),
    ("SUNSHINE_INTEGRATION_KEY_ID", demo.SUNSHINE_INTEGRATION_KEY_ID),
    ("SUNSHINE_INTEGRATION_KEY_ID_TO_DELETE", demo.SUNSHINE_INTEGRATION_KEY_TO_DELETE_ID),
    ("SUNSHINE_KEY_ID_TO_DELETE", demo.SUNSHINE_KEY_TO_DELETE_ID),
    ("VOLTMX_APP_API_KEY_TO_DELETE", demo.APP_API_KEY_TO_DELETE),
)
CREDENTIALS: Final[Mapping[str, tuple[str, ...]]] = {
    "native_token": ("KEYWRIGHT_OPERATOR_TOKEN",),
    "salesiq_oauthtoken": ("SALESIQ_AUTHORIZATION",),
    "salesiq_client": ("SALESIQ_CLIENT_ID", "SALESIQ_CLIENT_SECRET"),
    "supportcenter_apikey": ("SUPPORTCENTER_APIKEY",),
    "supportcenter_technician_key": ("SUPPORTCENTER_APIKEY",),
    "supportcenter_authtoken": ("SUPPORTCENTER_APIKEY",),
    "sunshine_key": ("SUNSHINE_ACCOUNT_KEY_ID", "SUNSHINE_ACCOUNT_KEY_SECRET"),
    "voltmx_claims_token": ("VOLTMX_AUTHORIZATION",),
    "voltmx_former_claims_token": ("VOLTMX_AUTHORIZATION",),
    "voltmx_password": ("VOLTMX_USERID", "VOLTMX_PASSWORD"),
    "voltmx_app_api_key": ("VOLTMX_APP_API_KEY",),
    "voltmx_former_app_api_key": ("VOLTMX_APP_API_KEY",),
}
"""The demo tenant's credential for a security scheme: one variable, or a name and a password. A JWT is not here: it is
signed when it is used."""

Json = dict[str, Any]


def collection(description: Json) -> Json:
    folders = [_folder(tag, description) for tag in description["tags"]]
    used = set(re.findall(r"{{(\w+)}}", json.dumps(folders)))
    return {
        "info": {
            "name": description["info"]["title"],
            "description": description["info"]["description"],
            "version": description["info"]["version"],
            "schema": SCHEMA,
        },
        "item": folders,
        "variable": [{"key": name, "value": value, "type": "string"} for name, value in VARIABLES if name in used],
    }


def _folder(tag: Json, description: Json) -> Json:
    operations = [
        _item(method, path, operation, description)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and operation["tags"] == [tag["name"]]
    ]
    return {"name": tag["x-displayName"], "description": tag["description"], "item": operations}


def _item(method: str, path: str, operation: Json, description: Json) -> Json:
    dialect = operation["tags"][0]
    headers, body = _body(operation, dialect)
    request: Json = {
        "method": method.upper(),
        "description": operation.get("description", ""),
        "url": _url(path, operation.get("parameters", []), dialect),
        "header": headers,
        "auth": _auth(operation["security"], description["components"]["securitySchemes"]),
    }
    name = f"{operation['summary']} ({operation['operationId'].removeprefix(f'{dialect}_')})"
    return {"name": name, "request": {**request, "body": body} if body else request, "response": []}


def _url(path: str, parameters: Sequence[Json], dialect: str) -> Json:
    """Query parameters without an example are there, and switched off."""
    segments = [re.sub(r"{(\w+)}", r":\1", segment) for segment in path.strip("/").split("/")]
    query: list[Json] = [
        {"key": each["name"], "value": _variable(str(each["example"]), dialect)}
        if "example" in each
        else {"key": each["name"], "value": "", "disabled": True}
        for each in parameters
        if each["in"] == "query"
    ]
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if "disabled" not in each)
    url: Json = {
        "raw": f"{{{{{URL[0]}}}}}/{'/'.join(segments)}{f'?{sent}' if sent else ''}",
        "host": [f"{{{{{URL[0]}}}}}"],
        "path": segments,
        "query": query,
        "variable": [
            {"key": each["name"], "value": _variable(each.get("example", ""), dialect)}
            for each in parameters
            if each["in"] == "path"
        ],
    }
    return {name: value for name, value in url.items() if value}


def _body(operation: Json, dialect: str) -> tuple[list[Json], Json | None]:
    """The headers that it needs, and the body: JSON where there is a choice."""
    content = operation.get("requestBody", {}).get("content", {})
    for media_type in (JSON, FORM):
        if "example" not in content.get(media_type, {}):
            continue
        example = _filled(content[media_type]["example"], dialect)
        headers = [{"key": "Content-Type", "value": media_type}]
        if media_type == JSON:
            raw = json.dumps(example, indent=2, ensure_ascii=False)
            return headers, {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}
        fields = [{"key": name, "value": value, "type": "text"} for name, value in example.items()]
        return headers, {"mode": "urlencoded", "urlencoded": fields}
    return [], None


def _auth(alternatives: Sequence[Mapping[str, Any]], schemes: Json) -> Json:
    """By the first of the alternatives."""
    for name in (next(iter(each), None) for each in alternatives):
        if name is None:
            break
        scheme, variables = schemes[name], [f"{{{{{variable}}}}}" for variable in CREDENTIALS[name]]
        match scheme:
            case {"type": "http", "scheme": "bearer"}:
                return _of_type("bearer", token=variables[0])
            case {"type": "http", "scheme": "basic"}:
                return _of_type("basic", username=variables[0], password=variables[1])
            case {"type": "apiKey", "name": str(key), "in": str(place)}:
                return _of_type("apikey", key=key, value=variables[0], **{"in": place})
    return {"type": "noauth"}


def _of_type(kind: str, **parts: str) -> Json:
    return {"type": kind, kind: [{"key": key, "value": value, "type": "string"} for key, value in parts.items()]}


# --- variables -----------------------------------------------------------------------------------------------------


def _filled(example: Any, dialect: str) -> Any:
    if isinstance(example, dict):
        return {name: _filled(value, dialect) for name, value in example.items()}
    if isinstance(example, list):
        return [_filled(value, dialect) for value in example]
    return _variable(example, dialect) if isinstance(example, str) else example


def _variable(value: str, dialect: str) -> str:
    """The variable that has this value; where there are several, the dialect's own."""
    names = [*_names(value)]
    own = [name for name in names if name.startswith(dialect.upper())]
    return f"{{{{{(own or names)[0]}}}}}" if names else value


def _names(value: str) -> Iterator[str]:
    yield from (name for name, known in VARIABLES if known == value)
