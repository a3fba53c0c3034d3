"""What template.yaml says, as values: expanded by AWS's own translator, offline, its intrinsics resolved.

Resources that have no name of their own get one that never changes (`keywright-KeyTable`), so that a committed file can
name the local table and key. Only what the local stack serves is resolved; an intrinsic or attribute that is not known
raises, rather than passing for something else.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

STACK = "keywright"
REGION = "eu-west-1"
ACCOUNT = "123456789012"

AWS_MANAGED = {
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
}
"""Policies that SAM attaches by itself, for logs, traces and reading a stream; no call that a function makes needs
them."""


class TemplateError(Exception):
    """Says in one line what is wrong with the template."""


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    arn: str
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    id: str
    arn: str
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Function:
    """`path` is what Lambda would find under /var/task and /opt/python; `policies` are all that its role has."""

    logical_id: str
    name: str
    arn: str
    handler: str
    path: tuple[Path, ...]
    variables: dict[str, str]
    timeout: int
    memory: int
    log_group: str
    policies: tuple[Policy, ...]
    role_arn: str


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A Lambda authorizer of payload format 2.0. Without every one of `headers` it is not asked at all; `simple` is
    whether it says yes or no, and not a policy."""

    function: str
    headers: tuple[str, ...]
    simple: bool


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    function: str
    authorizer: Authorizer | None = None

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Schedule:
    name: str
    period_seconds: int
    function: str
    input: str | None


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A function that follows a table's stream. `filters` are patterns of Lambda, of which one must match; `retries` is
    None for as long as the stream keeps its records, `queue` the ARN of where the failed ones are noted."""

    name: str
    table: str
    function: str
    filters: tuple[dict[str, Any], ...]
    batch_size: int
    retries: int | None
    bisects: bool
    reports_failures: bool
    from_the_beginning: bool
    queue: str | None


@dataclass(frozen=True)
class Template:
    """Tables, keys, log groups and functions by their logical ids."""

    region: str
    account: str
    tables: dict[str, Table] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    log_groups: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    """Of the API's stage."""
    exports: dict[str, str] = field(default_factory=dict)
    schedules: tuple[Schedule, ...] = ()
    stream_sources: tuple[StreamSource, ...] = ()
    queues: tuple[str, ...] = ()
    event_buses: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()

    @classmethod
    def load(
        cls,
        path: str | Path,
        parameters: Mapping[str, str] | None = None,
        *,
        region: str = REGION,
        account: str = ACCOUNT,
        stack: str = STACK,
        beside: Template | None = None,
    ) -> Template:
        """`beside` is the stack whose exports this one imports. Raises TemplateError and nothing else."""
        path = Path(path)
        try:
            expanded = expand(path, region)
            imports = {} if beside is None else beside.exports
            resolve = _Intrinsics(expanded, parameters or {}, region, account, stack, imports)
            return _read(resolve, path.resolve().parent, {} if beside is None else beside.functions)
        except TemplateError as error:
            raise TemplateError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError, LookupError) as error:
            raise TemplateError(f"{path}: not understood: {type(error).__name__}: {error}") from error


def expand(path: Path, region: str = REGION) -> dict[str, Any]:
    """The SAM template as plain CloudFormation.

    The translator wants code in S3: local paths travel through it as keys of a bucket `local`.
    """
    try:
        template = yaml_parse(path.read_text())
    except OSError as error:
        raise TemplateError(error.strerror or str(error)) from error
    except yaml.YAMLError as error:
        raise TemplateError(" ".join(str(error).split())) from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError("it has no Resources")
    for holder in (*template["Resources"].values(), template.get("Globals", {}).get("Function", {})):
        properties = holder.get("Properties", holder)
        for name in ("CodeUri", "ContentUri"):
            if isinstance(properties.get(name), str):
                properties[name] = f"s3://local/{properties[name]}"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        expanded: dict[str, Any] = translator.translate(template, {})
    except InvalidDocumentException as error:
        raise TemplateError(" ".join(cause.message for cause in error.causes)) from error
    except ExceptionWithMessage as error:
        raise TemplateError(error.message) from error
    finally:
        translator.metrics.publish()  # to nowhere; unpublished, they are complained about
    return expanded


_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::Events::EventBus": "events:{region}:{account}:event-bus/{name}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
}
_NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Events::EventBus": "Name",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SES::ConfigurationSet": "Name",
    "AWS::SES::EmailIdentity": "EmailIdentity",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
}


class _Intrinsics:
    """CloudFormation's functions over names that are known before anything is made, so order never matters."""

    def __init__(
        self,
        template: dict[str, Any],
        parameters: Mapping[str, str],
        region: str,
        account: str,
        stack: str,
        imports: Mapping[str, str],
    ) -> None:
        self.resources: dict[str, Any] = template["Resources"]
        self.outputs: dict[str, Any] = template.get("Outputs", {})
        self._imports = imports
        self.region, self.account, self.stack = region, account, stack
        self._conditions = template.get("Conditions", {})
        self._mappings = template.get("Mappings", {})
        self._pseudo = {
            "AWS::AccountId": account,
            "AWS::NoValue": None,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/0",
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._parameters: dict[str, Any] = {}
        for name, declared in template.get("Parameters", {}).items():
            value = parameters.get(name, declared.get("Default"))
            if value is None:
                raise TemplateError(f"parameter {name} has no default and was given no value")
            self._parameters[name] = value.split(",") if "List" in declared["Type"] else str(value)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resolved properties of the resources of a type that the conditions let exist."""
        return {
            name: self(resource.get("Properties", {}))
            for name, resource in self.resources.items()
            if resource["Type"] == kind and self._holds(resource.get("Condition"))
        }

    def name(self, logical_id: str) -> str:
        resource = self.resources[logical_id]
        if resource["Type"] == "AWS::KMS::Key":
            return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.stack}-{logical_id}"))
        own = resource.get("Properties", {}).get(_NAMES.get(resource["Type"], ""))
        return str(self(own)) if own else f"{self.stack}-{logical_id}"

    def arn(self, logical_id: str) -> str:
        kind = self.resources[logical_id]["Type"]
        if kind not in _ARNS:
            raise TemplateError(f"the ARN of {logical_id}, a {kind}, is not known to the local stack")
        return "arn:aws:" + _ARNS[kind].format(region=self.region, account=self.account, name=self.name(logical_id))

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name not in self.resources:
            raise TemplateError(f"{name} is referred to and is nowhere declared")
        return (
            self.arn if self.resources[name]["Type"] in {"AWS::IAM::ManagedPolicy", "AWS::SNS::Topic"} else self.name
        )(name)

    def _attribute(self, path: str | list[str]) -> str:
        name, attribute = path.split(".", 1) if isinstance(path, str) else path
        if name not in self.resources:
            raise TemplateError(f"{name}.{attribute} is referred to and {name} is nowhere declared")
        if attribute == "Arn":
            return self.arn(name)
        if attribute == "StreamArn":
            return f"{self.arn(name)}/stream/local"
        if attribute in {"KeyId", "Name", "QueueName", "TopicName"}:
            return self.name(name)
        raise TemplateError(f"{name}.{attribute} is not known to the local stack")

    def _import(self, name: str) -> str:
        if name not in self._imports:
            raise TemplateError(f"{name} is imported, and no stack beside exports it")
        return self._imports[name]

    def _substitute(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in own:
                return str(self(own[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)}", value, text)

    def _holds(self, condition: Any) -> bool:
        return condition is None or bool(
            self(self._conditions[condition]) if isinstance(condition, str) else self(condition)
        )

    def __call__(self, node: Any) -> Any:
        if isinstance(node, list):
            return [value for value in map(self, node) if value is not None]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Ref":
                return self._ref(argument)
            if function == "Condition" and isinstance(argument, str):
                return self._holds(argument)
            if function == "Fn::ImportValue":
                return self._import(self(argument))
            if function.startswith("Fn::"):
                return self._function(function[4:], argument)
        return {key: value for key, item in node.items() if (value := self(item)) is not None}

    def _function(self, function: str, argument: Any) -> Any:
        match function:
            case "GetAtt":
                return self._attribute(argument)
            case "Sub":
                return self._substitute(argument)
            case "Join":
                return argument[0].join(map(str, self(argument[1])))
            case "If":
                return self(argument[1] if self._holds(argument[0]) else argument[2])
            case "Equals":
                return self(argument[0]) == self(argument[1])
            case "Not":
                return not self._holds(argument[0])
            case "And":
                return all(map(self._holds, argument))
            case "Or":
                return any(map(self._holds, argument))
            case "Select":
                return self(argument[1])[int(argument[0])]
            case "Split":
                return self(argument[1]).split(argument[0])
            case "FindInMap":
                first, second, third = map(self, argument)
                return self._mappings[first][second][third]
        raise TemplateError(f"Fn::{function} is not known to the local stack")


def _read(resolve: _Intrinsics, base: Path, beside: Mapping[str, Function]) -> Template:
    functions = {
        name: _function(resolve, name, properties, base)
        for name, properties in resolve.of_type("AWS::Lambda::Function").items()
    }
    by_arn = {function.arn: name for name, function in (*beside.items(), *functions.items())}
    return Template(
        region=resolve.region,
        account=resolve.account,
        tables={
            name: Table(resolve.name(name), resolve.arn(name), properties)
            for name, properties in resolve.of_type("AWS::DynamoDB::Table").items()
        },
        keys={
            name: Key(resolve.name(name), resolve.arn(name), properties)
            for name, properties in resolve.of_type("AWS::KMS::Key").items()
        },
        log_groups={name: resolve.name(name) for name in resolve.of_type("AWS::Logs::LogGroup")},
        functions=functions,
        routes=tuple(_routes(resolve, by_arn)),
        variables={
            name: value
            for stage in resolve.of_type("AWS::ApiGatewayV2::Stage").values()
            for name, value in stage.get("StageVariables", {}).items()
        },
        exports={
            resolve(output["Export"]["Name"]): resolve(output["Value"])
            for output in resolve.outputs.values()
            if "Export" in output
        },
        schedules=tuple(_schedules(resolve, by_arn)),
        stream_sources=tuple(_stream_sources(resolve, functions)),
        queues=tuple(map(resolve.name, resolve.of_type("AWS::SQS::Queue"))),
        event_buses=tuple(map(resolve.name, resolve.of_type("AWS::Events::EventBus"))),
        identities=tuple(_identities(resolve, functions.values())),
    )


def _function(resolve: _Intrinsics, name: str, properties: dict[str, Any], base: Path) -> Function:
    raw = resolve.resources[name]["Properties"]
    layers = [resolve.resources[layer["Ref"]]["Properties"]["Content"]["S3Key"] for layer in raw.get("Layers", [])]
    roots = [base / part for part in (properties["Code"]["S3Key"], *layers)]
    role = raw["Role"]["Fn::GetAtt"][0]
    return Function(
        logical_id=name,
        name=resolve.name(name),
        arn=resolve.arn(name),
        handler=properties["Handler"],
        path=tuple(roots),
        variables={key: str(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()},
        timeout=properties.get("Timeout", 3),
        memory=properties.get("MemorySize", 128),
        log_group=properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{resolve.name(name)}"),
        policies=tuple(_policies(resolve, role)),
        role_arn=resolve.arn(role),
    )


def _policies(resolve: _Intrinsics, role: str) -> list[Policy]:
    raw = resolve.resources[role]["Properties"]
    policies = [Policy(policy["PolicyName"], policy["PolicyDocument"]) for policy in resolve(raw.get("Policies", []))]
    for attached in raw.get("ManagedPolicyArns", []):
        if isinstance(attached, dict) and attached.get("Ref") in resolve.resources:
            policies.append(
                Policy(attached["Ref"], resolve(resolve.resources[attached["Ref"]]["Properties"]["PolicyDocument"]))
            )
        elif (arn := str(resolve(attached))).rpartition("/")[2] not in AWS_MANAGED:
            raise TemplateError(f"{role}: the local stack does not know what {arn} permits")
    for name, policy in resolve.of_type("AWS::IAM::Policy").items():
        if resolve.name(role) in policy.get("Roles", []):
            policies.append(Policy(name, policy["PolicyDocument"]))
    return policies


def _identities(resolve: _Intrinsics, functions: Iterable[Function]) -> Iterable[str]:
    """Those that the template makes, and those that a policy lets a function send from: somebody verified them before
    the template came."""
    made = map(resolve.name, resolve.of_type("AWS::SES::EmailIdentity"))
    documents = json.dumps([policy.document for function in functions for policy in function.policies])
    return dict.fromkeys([*made, *re.findall(r':ses:[^:"]*:[^:"]*:identity/([^"*]+)"', documents)])


def _routes(resolve: _Intrinsics, by_arn: dict[str, str]) -> list[Route]:
    routes = []
    for api in resolve.of_type("AWS::ApiGatewayV2::Api").values():
        authorizers = {name: _authorizer(name, declared, by_arn) for name, declared in _security(api["Body"])}
        for path, operations in api["Body"]["paths"].items():
            for method, operation in operations.items():
                function = _called(operation["x-amazon-apigateway-integration"]["uri"], by_arn)
                verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
                names = [name for each in operation.get("security", []) for name in each]
                routes.append(Route(verb, path, function, authorizers[names[0]] if names else None))
    return routes


def _called(uri: str, by_arn: Mapping[str, str]) -> str:
    return by_arn[re.search(r"functions/(.+)/invocations", uri)[1]]  # type: ignore[index]


def _security(body: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        yield name, scheme["x-amazon-apigateway-authorizer"]


def _authorizer(name: str, declared: Mapping[str, Any], by_arn: Mapping[str, str]) -> Authorizer:
    sources = declared.get("identitySource", [])
    headers = tuple(source.removeprefix("$request.header.").lower() for source in sources)
    if declared.get("type") != "request" or declared.get("authorizerPayloadFormatVersion") != "2.0":
        raise TemplateError(f"the authorizer {name} is no Lambda authorizer of payload format 2.0")
    if any("$" in header for header in headers) or declared.get("authorizerResultTtlInSeconds") != 0:
        raise TemplateError(f"the authorizer {name} is asked by headers, and each time anew, or not here")
    return Authorizer(_called(declared["authorizerUri"], by_arn), headers, bool(declared.get("enableSimpleResponses")))


def _schedules(resolve: _Intrinsics, by_arn: dict[str, str]) -> list[Schedule]:
    schedules = []
    for name, properties in resolve.of_type("AWS::Scheduler::Schedule").items():
        rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", properties["ScheduleExpression"])
        if rate is None:
            raise TemplateError(
                f"{name}: only rate(...) runs on the local timer, not {properties['ScheduleExpression']}"
            )
        if properties.get("State", "ENABLED") == "ENABLED":
            period = int(rate[1]) * {"minute": 60, "hour": 3600, "day": 86400}[rate[2]]
            target = properties["Target"]
            schedules.append(Schedule(name, period, by_arn[target["Arn"]], target.get("Input")))
    return schedules


def _stream_sources(resolve: _Intrinsics, functions: Mapping[str, Function]) -> Iterable[StreamSource]:
    by_stream = {f"{resolve.arn(name)}/stream/local": name for name in resolve.of_type("AWS::DynamoDB::Table")}
    by_name = {function.name: name for name, function in functions.items()}
    for name, properties in resolve.of_type("AWS::Lambda::EventSourceMapping").items():
        if (table := by_stream.get(properties["EventSourceArn"])) is None:
            raise TemplateError(f"{name}: only streams of tables are followed here, not {properties['EventSourceArn']}")
        if properties.get("Enabled", True):
            attempts = properties.get("MaximumRetryAttempts", -1)
            yield StreamSource(
                name=name,
                table=table,
                function=by_name[properties["FunctionName"]],
                filters=tuple(
                    json.loads(each["Pattern"]) for each in properties.get("FilterCriteria", {}).get("Filters", ())
                ),
                batch_size=properties.get("BatchSize", 100),
                retries=None if attempts == -1 else attempts,
                bisects=properties.get("BisectBatchOnFunctionError", False),
                reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", ()),
                from_the_beginning=properties["StartingPosition"] == "TRIM_HORIZON",
                queue=properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
            )


if __name__ == "__main__":
    print(json.dumps(expand(Path("template.yaml")), indent=1))
