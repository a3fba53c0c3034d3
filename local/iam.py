"""The judge: may this function make this AWS call? By exactly its policies, and the KMS key's own.

`needs` says what a call asks for: one `Access` per action and resource, with the condition keys that AWS fills in. The
items of a transaction ask one by one, as AWS has it; a request in a form that is not taken apart here (PartiQL, the
legacy parameters) asks for everything, `*`. `Judge` weighs an access against the documents. What it does not understand
(an element, an operator, a condition key, a policy variable) raises PolicyError when the documents are read, so that
nothing is granted by a misunderstanding.

Two differences from AWS, both on the strict side: a condition on a key with many values must name its set operator, and
`dynamodb:Select` is filled in for the reads by key as well as for Query.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from local.template import Policy, Template

Verdict = Literal["allowed", "implicit deny", "explicit deny"]

MANY_VALUED = {"dynamodb:attributes", "dynamodb:leadingkeys", "kms:encryptioncontextkeys", "ses:recipients"}
SINGLE_VALUED = {
    "aws:principalaccount",
    "aws:principalarn",
    "aws:requestedregion",
    "aws:resourceaccount",
    "aws:securetransport",
    "dynamodb:enclosingoperation",
    "dynamodb:returnvalues",
    "dynamodb:select",
    "events:detail-type",
    "events:source",
    "kms:calleraccount",
    "kms:encryptionalgorithm",
    "kms:viaservice",
    "ses:fromaddress",
}


class PolicyError(Exception):
    """A policy says something that the judge does not understand."""


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS call as it came. `principal` is a function's logical id, or None for whoever administers the stack."""

    principal: str | None
    service: str
    operation: str
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """What a call asks for. The names in `context` are in lower case, as AWS compares them without case."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    principal: str
    access: Access
    verdict: Verdict


# --- policy documents ---------------------------------------------------------------------------------------------


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _like(pattern: str, value: str) -> bool:
    return _wildcard(pattern).fullmatch(value) is not None


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.DOTALL)


def _arn_like(pattern: str, value: str) -> bool:
    """Segment by segment: a wildcard does not reach across a colon, but in the last segment."""
    wanted, given = pattern.split(":", 5), value.split(":", 5)
    return len(wanted) == len(given) and all(map(_like, wanted, given))


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": _like,
}
_NEGATED = {name.replace("Equals", "NotEquals").replace("Like", "NotLike"): name for name in _OPERATORS}
_NEGATED.pop("Bool")


@dataclass(frozen=True, slots=True)
class _Condition:
    operator: str
    quantifier: str
    if_exists: bool
    key: str
    wanted: tuple[str, ...]

    @classmethod
    def read(cls, operator: str, key: str, wanted: Any) -> _Condition:
        quantifier, _, base = operator.rpartition(":")
        if_exists, base = base.endswith("IfExists"), base.removesuffix("IfExists")
        if quantifier not in {"", "ForAllValues", "ForAnyValue"} or base not in {*_OPERATORS, *_NEGATED, "Null"}:
            raise PolicyError(f"condition operator {operator}")
        name = key.lower()
        if name not in MANY_VALUED | SINGLE_VALUED and not name.startswith("kms:encryptioncontext:"):
            raise PolicyError(f"condition key {key}")
        if name in MANY_VALUED and not quantifier and base != "Null":
            raise PolicyError(f"{key} has many values: {operator} needs ForAllValues or ForAnyValue")
        values = tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in _list(wanted))
        if any("${" in value for value in values):
            raise PolicyError(f"policy variable in {values}")
        return cls(base, quantifier, if_exists, name, values)

    def holds(self, context: Mapping[str, str | list[str]]) -> bool:
        given = context.get(self.key)
        if self.operator == "Null":
            return (not given) == (self.wanted[0].lower() == "true")
        if not given:
            return (
                self.quantifier == "ForAllValues"
                or self.if_exists
                or (not self.quantifier and self.operator in _NEGATED)
            )
        test = all if self.quantifier == "ForAllValues" else any
        return test(self._accepts(value) for value in _list(given))

    def _accepts(self, given: str) -> bool:
        if self.operator in _NEGATED:
            return not any(_OPERATORS[_NEGATED[self.operator]](wanted, given) for wanted in self.wanted)
        return any(_OPERATORS[self.operator](wanted, given) for wanted in self.wanted)


@dataclass(frozen=True, slots=True)
class _Statement:
    denies: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[_Condition, ...]
    principals: tuple[str, ...]

    @classmethod
    def read(cls, element: Mapping[str, Any]) -> _Statement:
        if unknown := element.keys() - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}:
            raise PolicyError(f"statement element {', '.join(sorted(unknown))}")
        if element["Effect"] not in {"Allow", "Deny"}:
            raise PolicyError(f"effect {element['Effect']}")
        principal = element.get("Principal", [])
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        return cls(
            denies=element["Effect"] == "Deny",
            actions=tuple(action.lower() for action in _list(element["Action"])),
            resources=tuple(_list(element["Resource"])),
            conditions=tuple(
                _Condition.read(operator, key, wanted)
                for operator, keys in element.get("Condition", {}).items()
                for key, wanted in keys.items()
            ),
            principals=tuple(_list(named)),
        )

    def covers(self, access: Access) -> bool:
        return (
            any(_like(pattern, access.action.lower()) for pattern in self.actions)
            and any(_like(pattern, access.resource) for pattern in self.resources)
            and all(condition.holds(access.context) for condition in self.conditions)
        )


def _statements(document: Mapping[str, Any]) -> Iterator[_Statement]:
    return map(_Statement.read, _list(document["Statement"]))


class Judge:
    """Knows the roles of the functions and the policies of the keys; remembers nothing."""

    def __init__(self, template: Template) -> None:
        self._account = template.account
        self._roles = {name: function.role_arn for name, function in template.functions.items()}
        self._own = {name: self._read(name, function.policies) for name, function in template.functions.items()}
        self._keys = {
            key.arn: self._read(name, [Policy(name, key.properties["KeyPolicy"])])
            for name, key in template.keys.items()
            if "KeyPolicy" in key.properties
        }

    @staticmethod
    def _read(owner: str, policies: Iterable[Policy]) -> list[_Statement]:
        statements: list[_Statement] = []
        for policy in policies:
            try:
                statements += _statements(policy.document)
            except PolicyError as error:
                raise PolicyError(f"{owner}, {policy.name}: not understood: {error}") from error
        return statements

    def weigh(self, principal: str, access: Access) -> Verdict:
        """A key's policy binds beside the role's: its Deny forbids, its Allow permits whom it names outright, and where
        it names the account, the role's own policies decide."""
        role, root = self._roles[principal], f"arn:aws:iam::{self._account}:root"
        context = {**access.context, "aws:principalarn": role}
        access = Access(access.action, access.resource, context)
        own = [statement for statement in self._own[principal] if statement.covers(access)]
        permitted = any(not statement.denies for statement in own)
        guards = self._keys.get(access.resource)
        if guards is not None:
            named = {"*", role, root, self._account}
            guards = [guard for guard in guards if named & set(guard.principals) and guard.covers(access)]
            own += [guard for guard in guards if guard.denies]
            allows = {name for guard in guards if not guard.denies for name in guard.principals}
            permitted = bool(allows & {"*", role}) or (permitted and bool(allows & {root, self._account}))
        if any(statement.denies for statement in own):
            return "explicit deny"
        return "allowed" if permitted else "implicit deny"


# --- what a call asks for -----------------------------------------------------------------------------------------

_LEGACY = {
    "AttributesToGet",
    "AttributeUpdates",
    "ConditionalOperator",
    "Expected",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
}
_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_ITEM_ACTIONS = {"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
_KEYWORDS = {"and", "or", "not", "between", "in", "set", "remove", "add", "delete"}


def needs(call: Call, template: Template) -> list[Access]:
    """Raises nothing: what cannot be read asks for everything."""
    everything = [Access(f"{call.service}:{call.operation}", "*")]
    try:
        match call.service:
            case "dynamodb":
                asked = list(_dynamodb(call.operation, call.request, template))
            case "kms":
                asked = list(_kms(call.operation, call.request, template))
            case "ses":
                asked = list(_ses(call.operation, call.request, template))
            case "events":
                asked = list(_events(call.operation, call.request, template))
            case _:
                asked = everything
    except (AttributeError, LookupError, TypeError, ValueError):
        asked = everything
    ambient = {
        "aws:principalaccount": template.account,
        "aws:requestedregion": template.region,
        "aws:resourceaccount": template.account,
        "aws:securetransport": "true",
    }
    return [Access(access.action, access.resource, {**ambient, **access.context}) for access in asked or everything]


def _dynamodb(operation: str, request: dict[str, Any], template: Template) -> Iterator[Access]:
    match operation:
        case "TransactWriteItems" | "TransactGetItems":
            for item in request["TransactItems"]:
                ((kind, action),) = item.items()
                name = _ITEM_ACTIONS.get(kind, "ConditionCheckItem")
                yield _on_table(name, action, template, {"dynamodb:enclosingoperation": operation})
        case "BatchGetItem":
            for name, wanted in request["RequestItems"].items():
                yield _on_table(operation, {**wanted, "TableName": name}, template)
        case "BatchWriteItem":
            for name, writes in request["RequestItems"].items():
                items = [
                    write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
                    for write in writes
                ]
                yield _on_table(operation, {"TableName": name, "Keys": items}, template)
        case "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query" | "Scan":
            yield _on_table(operation, request, template)
        case _ if "TableName" in request:
            yield Access(f"dynamodb:{operation}", _table_arn(request["TableName"], template))


def _table_arn(name: str, template: Template) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{template.region}:{template.account}:table/{name}"


def _on_table(
    action: str, request: dict[str, Any], template: Template, context: Mapping[str, str] | None = None
) -> Access:
    if _LEGACY & request.keys():
        raise ValueError("legacy parameters")
    arn, index = _table_arn(request["TableName"], template), request.get("IndexName")
    properties = {table.arn: table.properties for table in template.tables.values()}[arn]
    schemas = {each["IndexName"]: each["KeySchema"] for each in properties.get("GlobalSecondaryIndexes", [])}
    partition = (schemas[index] if index else properties["KeySchema"])[0]["AttributeName"]
    items = [request[name] for name in ("Key", "Item") if name in request] + request.get("Keys", [])
    leading = [_text(item[partition]) for item in items]
    if action == "Query":
        leading = [_queried(partition, request)]
    filled: dict[str, str | list[str]] = {"dynamodb:leadingkeys": leading, **(context or {})}
    filled["dynamodb:attributes"] = sorted({name for item in items for name in item} | set(_named(request)))
    if action in {"GetItem", "BatchGetItem", "Query", "Scan"}:
        given = "SPECIFIC_ATTRIBUTES" if "ProjectionExpression" in request else "ALL_ATTRIBUTES"
        filled["dynamodb:select"] = request.get("Select", given)
    elif action in {"PutItem", "UpdateItem", "DeleteItem"}:
        filled["dynamodb:returnvalues"] = request.get("ReturnValues", "NONE")
    return Access(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn, filled)


def _text(value: Mapping[str, Any]) -> str:
    """Of `{"S": "x"}`, x."""
    (text,) = value.values()
    return str(text)


def _queried(partition: str, request: Mapping[str, Any]) -> str:
    names = request.get("ExpressionAttributeNames", {})
    for left, right in re.findall(r"([#\w]+)\s*=\s*(:\w+)", request["KeyConditionExpression"]):
        if names.get(left, left) == partition:
            return _text(request["ExpressionAttributeValues"][right])
    raise ValueError("no partition key in the key condition")


def _named(request: Mapping[str, Any]) -> Iterator[str]:
    """The top-level attributes that the expressions name: neither a nested one, nor a value, nor a function."""
    names = request.get("ExpressionAttributeNames", {})
    for expression in filter(None, map(request.get, _EXPRESSIONS)):
        for token in re.findall(r"(?<![\w.:#])(#?[A-Za-z_]\w*)(?!\w)(?!\s*\()", expression):
            if token.lower() not in _KEYWORDS:
                yield names.get(token, token)


def _kms(operation: str, request: dict[str, Any], template: Template) -> Iterator[Access]:
    context: dict[str, str | list[str]] = {"kms:calleraccount": template.account}
    given = request.get("EncryptionContext") or {}
    context |= {f"kms:encryptioncontext:{name.lower()}": value for name, value in given.items()}
    context["kms:encryptioncontextkeys"] = list(given)
    if operation in {"Encrypt", "Decrypt"}:
        context["kms:encryptionalgorithm"] = request.get("EncryptionAlgorithm", "SYMMETRIC_DEFAULT")
    key = request.get("KeyId") or _key_of(request["CiphertextBlob"])
    if "alias/" in key or operation == "ReEncrypt":
        raise ValueError("an alias, or two keys in one call")
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{template.region}:{template.account}:key/{key}"
    yield Access(f"kms:{operation}", arn, context)


def _key_of(ciphertext: str) -> str:
    """Of this stack's KMS, whose ciphertexts begin with the id of their key."""
    try:
        return base64.b64decode(ciphertext)[:36].decode("ascii")
    except binascii.Error as error:
        raise ValueError("no ciphertext") from error


def _ses(operation: str, request: dict[str, Any], template: Template) -> Iterator[Access]:
    sender = request["FromEmailAddress"].rpartition("<")[2].rstrip(">")
    identity = sender if sender in template.identities else sender.rpartition("@")[2]
    recipients = [address for kind in request.get("Destination", {}).values() for address in kind]
    context = {"ses:fromaddress": sender, "ses:recipients": recipients}
    prefix = f"arn:aws:ses:{template.region}:{template.account}"
    yield Access(f"ses:{operation}", f"{prefix}:identity/{identity}", context)
    if "ConfigurationSetName" in request:
        yield Access(f"ses:{operation}", f"{prefix}:configuration-set/{request['ConfigurationSetName']}", context)


def _events(operation: str, request: dict[str, Any], template: Template) -> Iterator[Access]:
    for entry in request["Entries"]:
        bus = entry.get("EventBusName", "default").rpartition("/")[2]
        yield Access(
            f"events:{operation}",
            f"arn:aws:events:{template.region}:{template.account}:event-bus/{bus}",
            {"events:source": entry["Source"], "events:detail-type": entry["DetailType"]},
        )
