"""The controls that are seen only when SAM has made its own of template.yaml: routes, permissions, roles, alarms.

A control is a function from the expanded template to its breaches. Each holds for ours and bites on a bare template,
`bare_template.yaml`, which works just as well; those of test_aws_controls.py are shown to bite on it too.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from keywright import tokens
from local.template import expand
from tests.structure import test_aws_controls as written
from tests.structure.project import ROOT, Project, as_list

Template = dict[str, Any]
Control = Callable[[Template], Iterator[str]]
of_type = written.of_type
BARE = ROOT / "tests/structure/bare_template.yaml"
TOKEN = re.compile(r"kw_[a-z0-9]{1,16}_[0-9A-Za-z]{49}")
ANY = "x-amazon-apigateway-any-method"
TELLS = [{"Ref": "Alarms"}]
TABLE_OPERATIONS = ("GetItem", "BatchGetItem", "Query", "UpdateItem", "TransactWriteItems")
BY_FUNCTION = ("Errors", "Throttles")
SEALS = re.compile(
    r"Native(CreateFirstOperator|CreateTenant|CreateOwner|IssueKey|RotateKey|CreateLink)"
    r"|Salesiq(CreateAccessKey|CreateChannel|RefreshAccessToken)"
    r"|Supportcenter(Generate|Regenerate)ApiKey|SunshineCreate(App|Integration)Key|Voltmx(AddAppApiKey|Login)"
)
"""Who makes secrets, or seals the token of a link so that the same answer can be given again."""
REVEALS = re.compile(
    r"Native(CreateTenant|CreateOwner|IssueKey|RotateKey|CreateLink|VerifyJwt)|HandoverOpenLink"
    r"|Salesiq(CreateAccessKey|CreateChannel|ListAccessKeys|UpdateAccessKey|DeleteAccessKey|GetChannel|UpdateChannel)"
    r"|Supportcenter(List|Email)ApiKeys?|Sunshine(Create|List|Get|Delete)(App|Integration)Keys?|VoltmxGetAppApiKeys"
)
"""Who shows a stored secret, mails one, signs with one, checks a JWT by one, or repeats an answer that held one."""


def routes_of(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for _, _, api in of_type(template, "AWS::ApiGatewayV2::Api"):
        for path, operations in api["Body"]["paths"].items():
            for method, operation in operations.items():
                yield "ANY" if method == ANY else method.upper(), path, operation


def _called(operation: dict[str, Any]) -> str:
    uri: str = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
    return uri.rpartition("${")[2].partition(".Arn}")[0]


# --- the API -------------------------------------------------------------------------------------------------------


def routes(template: Template) -> Iterator[str]:
    for method, path, operation in routes_of(template):
        if not path.startswith("/"):
            yield f"{path} takes whatever has no route"
        elif path.endswith("+}") and not _called(operation).endswith("RefuseUnknownPath"):
            yield f"{method} {path} is greedy, and does not refuse"


def invocations(template: Template) -> Iterator[str]:
    """One permission for each route, which names its method and path; a `{parameter}` is a `*` in an ARN."""
    wanted = Counter(
        (_called(operation), "*" if method == "ANY" else method, re.sub(r"\{[^}]+\}", "*", path))
        for method, path, operation in routes_of(template)
    )
    given: Counter[tuple[str, str, str]] = Counter()
    for name, _, properties in of_type(template, "AWS::Lambda::Permission"):
        arn = str(properties.get("SourceArn", ""))
        match = re.search(r"\$\{__ApiId__\}/\$\{__Stage__\}/([A-Z*]+)(/[^']*)'", arn)
        if match is None:
            yield f"{name} lets anything of {properties['Principal']} invoke {properties['FunctionName']['Ref']}"
            continue
        given[properties["FunctionName"]["Ref"], match[1], match[2]] += 1
    for (function, method, path), count in (given - wanted).items():
        yield f"{function} may be invoked {count} times too often by {method} {path}"
    for function, method, path in wanted - given:
        yield f"{function} is not invoked by {method} {path}"


def authentication(template: Template) -> Iterator[str]:
    for name, _, api in of_type(template, "AWS::ApiGatewayV2::Api"):
        yield from (f"{name} asks {scheme}" for scheme in api["Body"].get("components", {}).get("securitySchemes", {}))
    for method, path, operation in routes_of(template):
        if operation.get("security"):
            yield f"{method} {path} is refused before the dialect can say 401 in its own words"


def stage(template: Template) -> Iterator[str]:
    known = {f"{method} {path}" for method, path, _ in routes_of(template)}
    for name, _, properties in of_type(template, "AWS::ApiGatewayV2::Stage"):
        if properties["StageName"] != "$default":
            yield f"{name} puts its name before every path"
        for route in properties.get("RouteSettings", {}).keys() - known:
            yield f"{name} limits {route}, which is no route"


def throttles(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::ApiGatewayV2::Stage"):
        for settings in (properties.get("DefaultRouteSettings", {}), *properties.get("RouteSettings", {}).values()):
            if not all(settings.get(f"Throttling{limit}Limit", 0) > 0 for limit in ("Rate", "Burst")):
                yield f"{name} is not throttled"


def access_log(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::ApiGatewayV2::Stage"):
        logged = set(re.findall(r"\$[\w.]+", properties.get("AccessLogSettings", {}).get("Format", "")))
        yield from (f"{name} logs {each}" for each in sorted(logged - written.LOGGED))
        yield from (f"{name} does not log {each}" for each in sorted(written.LOGGED - logged))


# --- keys, roles, environment ----------------------------------------------------------------------------------------


def key_users(template: Template) -> Iterator[str]:
    policies = {
        name: {
            action for statement in properties["PolicyDocument"]["Statement"] for action in as_list(statement["Action"])
        }
        for name, _, properties in of_type(template, "AWS::IAM::ManagedPolicy")
    }
    for name, _, properties in of_type(template, "AWS::Lambda::Function"):
        role = template["Resources"][properties["Role"]["Fn::GetAtt"][0]]["Properties"]
        attached = [each["Ref"] for each in role["ManagedPolicyArns"] if isinstance(each, dict) and "Ref" in each]
        actions = {action for policy in attached for action in policies[policy]}
        for action, users in (("kms:Encrypt", SEALS), ("kms:Decrypt", REVEALS)):
            if (action in actions) is not (users.fullmatch(name) is not None):
                yield f"{name} {'may' if action in actions else 'may not'} {action}"
        if other := {action for action in actions if action.startswith("kms:")} - {"kms:Encrypt", "kms:Decrypt"}:
            yield f"{name} may {', '.join(sorted(other))}"


def key_is_safe_from_functions(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::KMS::Key"):
        denied = {
            action
            for statement in properties["KeyPolicy"]["Statement"]
            if statement["Effect"] == "Deny" and "${AWS::StackName}-*" in str(statement.get("Condition"))
            for action in as_list(statement["Action"])
        }
        if not {"kms:DisableKey", "kms:ScheduleKeyDeletion"} <= denied:
            yield f"{name} can be taken away by a function"


def scans(template: Template) -> Iterator[str]:
    for name, resource in template["Resources"].items():
        if "dynamodb:Scan" in json.dumps(resource):
            yield f"{name} permits to read the whole table"


def environment(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Lambda::Function"):
        variables = properties.get("Environment", {}).get("Variables", {})
        yield from (f"{name} has a key in {each}" for each, value in variables.items() if TOKEN.search(str(value)))
        if variables.get("KEYWRIGHT_SECRETS_KEY") != {"Fn::GetAtt": ["SecretsKey", "Arn"]}:
            yield f"{name} does not know the secrets' key"


# --- events, mail, logs, alarms ---------------------------------------------------------------------------------------


def schedule(template: Template) -> Iterator[str]:
    """SAM puts both under Target here, and under Targets for a rule."""
    for name, _, properties in of_type(template, "AWS::Scheduler::Schedule"):
        for part in {"DeadLetterConfig", "RetryPolicy"} - properties["Target"].keys():
            yield f"{name} has no {part}"


def streams(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Lambda::EventSourceMapping"):
        if not properties.get("BisectBatchOnFunctionError"):
            yield f"{name} does not halve a batch that fails"
        if "MaximumRetryAttempts" not in properties:
            yield f"{name} tries a record for a day"
        if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} does again what it has done"
        if "OnFailure" not in properties.get("DestinationConfig", {}):
            yield f"{name} drops what it could not do"


def mail(template: Template) -> Iterator[str]:
    sets = {name: properties for name, _, properties in of_type(template, "AWS::SES::ConfigurationSet")}
    told = {
        properties["ConfigurationSetName"]["Ref"]: properties["EventDestination"]
        for _, _, properties in of_type(template, "AWS::SES::ConfigurationSetEventDestination")
    }
    if not sets:
        yield "mail goes through no configuration set"
    for name, properties in sets.items():
        if properties.get("DeliveryOptions", {}).get("TlsPolicy") != "REQUIRE":
            yield f"{name} delivers in the clear"
        if set(properties.get("SuppressionOptions", {}).get("SuppressedReasons", [])) != {"BOUNCE", "COMPLAINT"}:
            yield f"{name} mails again to who did not want it"
        destination = told.get(name, {})
        if not destination.get("Enabled") or not {"bounce", "complaint"} <= set(destination["MatchingEventTypes"]):
            yield f"{name} tells nobody of bounces"


def log_groups(template: Template) -> Iterator[str]:
    groups = {name: properties for name, _, properties in of_type(template, "AWS::Logs::LogGroup")}
    sample = tokens.generate(tokens.Format.NATIVE, stage="live").reveal()
    for name, properties in groups.items():
        if not properties.get("RetentionInDays"):
            yield f"{name} is kept for ever"
        if "KmsKeyId" not in properties:
            yield f"{name} cannot be encrypted by a key of one's own"
        policy = properties.get("DataProtectionPolicy", {})
        identifiers = policy.get("Configuration", {}).get("CustomDataIdentifier", [])
        if len(identifiers) > 10 or any(len(each["Regex"]) > 200 for each in identifiers):
            yield f"{name} asks more of data protection than it takes"
        if not any(re.search(each["Regex"], f'{{"token": "{sample}"}}') for each in identifiers):
            yield f"{name} shows a token that was logged"
        masks = [each for each in policy.get("Statement", []) if "Deidentify" in each["Operation"]]
        if [each["DataIdentifier"] for each in masks] != [[each["Name"] for each in identifiers]]:
            yield f"{name} masks not what it finds"
    for name, _, properties in of_type(template, "AWS::Lambda::Function"):
        if properties.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref") not in groups:
            yield f"{name} logs into a group that nobody declared"


Metric = tuple[str, str, tuple[tuple[str, str], ...]]


def _metric(metric: dict[str, Any]) -> Metric:
    given = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
    named = ((name, value if isinstance(value, str) else json.dumps(value)) for name, value in given.items())
    namespace = metric["Namespace"]
    own = namespace if isinstance(namespace, str) else json.dumps(namespace)
    return own, metric["MetricName"], tuple(sorted(named))


def alarmed(template: Template) -> Iterator[Metric]:
    for _, _, alarm in of_type(template, "AWS::CloudWatch::Alarm"):
        yield from map(
            _metric,
            [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each] or [alarm],
        )


def wanted_alarms(template: Template) -> Iterator[Metric]:
    def ref(name: str) -> str:
        return json.dumps({"Ref": name})

    for name, _, _ in of_type(template, "AWS::Lambda::Function"):
        yield from (("AWS/Lambda", metric, (("FunctionName", ref(name)),)) for metric in BY_FUNCTION)
    for name, _, _ in of_type(template, "AWS::ApiGatewayV2::Api"):
        yield from (("AWS/ApiGateway", metric, (("ApiId", ref(name)),)) for metric in ("4xx", "5xx", "Latency"))
    for name, _, _ in of_type(template, "AWS::DynamoDB::Table"):
        table = ("TableName", ref(name))
        for metric in ("SystemErrors", "ThrottledRequests"):
            yield from (("AWS/DynamoDB", metric, (("Operation", each), table)) for each in TABLE_OPERATIONS)
        yield "AWS/DynamoDB", "TransactionConflict", (table,)
    for name, _, _ in of_type(template, "AWS::SQS::Queue"):
        queue = json.dumps({"Fn::GetAtt": [name, "QueueName"]})
        yield "AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", queue),)
    yield from (("AWS/SES", f"Reputation.{rate}Rate", ()) for rate in ("Bounce", "Complaint"))
    own = json.dumps({"Fn::Sub": "Keywright/${AWS::StackName}"})
    yield from ((own, metric, (("service", "keywright"),)) for metric in ("Sweeps", "KeysNotSwept"))


def alarms(template: Template) -> Iterator[str]:
    """An alarm on a metric that nobody publishes never rings: 4XXError is the name in REST APIs only."""
    wanted, given = Counter(wanted_alarms(template)), Counter(alarmed(template))
    yield from (f"nobody hears of {metric}" for metric in wanted - given)
    yield from (f"an alarm looks at {metric}" for metric in given - wanted)


def alarm_settings(template: Template) -> Iterator[str]:
    found = list(of_type(template, "AWS::CloudWatch::Alarm"))
    if not found:
        yield "there is no alarm"
    for name, _, alarm in found:
        if alarm.get("AlarmActions") != TELLS:
            yield f"{name} rings, and nobody hears it"
        if alarm.get("OKActions") != TELLS:
            yield f"{name} falls silent, and nobody hears that it is over"
        if metrics := alarm.get("Metrics"):
            if [each["Expression"] for each in metrics if "Expression" in each] != ["SUM(FILL(METRICS(), 0))"]:
                yield f"{name} does not add its metrics up"
            if sum("MetricStat" in each for each in metrics) > 10:
                yield f"{name} has more metrics than an alarm takes"
            if any(each.get("ReturnData") is not False for each in metrics if "MetricStat" in each):
                yield f"{name} looks at one of its metrics only"


def listeners(template: Template) -> Iterator[str]:
    """Who publishes on the topic of the alarms must be let to."""
    services = {
        service
        for _, _, properties in of_type(template, "AWS::SNS::TopicPolicy")
        for statement in properties["PolicyDocument"]["Statement"]
        if "aws:SourceAccount" in str(statement.get("Condition"))
        for service in statement["Principal"]["Service"]
    }
    for service in ("cloudwatch", "events", "ses"):
        if f"{service}.amazonaws.com" not in services:
            yield f"{service} cannot tell anybody"


def key_alarm(template: Template) -> Iterator[str]:
    for _, _, properties in of_type(template, "AWS::Events::Rule"):
        detail = properties["EventPattern"].get("detail", {})
        if (
            {"DisableKey", "ScheduleKeyDeletion"} <= set(detail.get("eventName", []))
            and detail["requestParameters"]["keyId"] == [{"Ref": "SecretsKey"}, {"Fn::GetAtt": ["SecretsKey", "Arn"]}]
            and [target["Arn"] for target in properties["Targets"]] == TELLS
        ):
            return
    yield "nobody hears of it when the secrets' key is taken away"


CONTROLS: tuple[Control, ...] = (
    routes,
    invocations,
    authentication,
    stage,
    throttles,
    access_log,
    key_users,
    key_is_safe_from_functions,
    scans,
    environment,
    schedule,
    streams,
    mail,
    log_groups,
    alarms,
    alarm_settings,
    listeners,
    key_alarm,
)


def _name(control: Control) -> str:
    return control.__name__


@pytest.fixture(scope="module")
def bare() -> Template:
    return expand(BARE)


@pytest.mark.parametrize("control", CONTROLS, ids=_name)
def test_the_control_is_set(project: Project, control: Control) -> None:
    assert list(control(project.expanded)) == []


@pytest.mark.parametrize("control", CONTROLS, ids=_name)
def test_the_control_misses_something_in_a_bare_template(bare: Template, control: Control) -> None:
    assert list(control(bare)) != []


@pytest.mark.parametrize("control", written.CONTROLS, ids=_name)
def test_the_control_of_the_written_template_misses_something_there_too(control: Control) -> None:
    assert list(control(yaml_parse(BARE.read_text()))) != []


def test_everything_that_the_api_declares_is_expanded(project: Project) -> None:
    declared = {
        (event["Properties"]["Method"], event["Properties"]["Path"])
        for block in project.blocks.values()
        for event in block["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
    assert {(method, path) for method, path, _ in routes_of(project.expanded)} == declared


INVOKE = '"Action": "lambda:InvokeFunction", "FunctionName": {{"Ref": "Native{}"}}'


@pytest.mark.parametrize(
    ("old", "new", "breach"),
    [
        ('"MetricName": "5xx"', '"MetricName": "5XXError"', "nobody hears of ('AWS/ApiGateway', '5xx'"),
        ('"MetricName": "5xx"', '"MetricName": "5XXError"', "an alarm looks at ('AWS/ApiGateway', '5XXError'"),
        (INVOKE.format("VerifyKey"), INVOKE.format("GetKey"), "NativeVerifyKey is not invoked by POST /v1/keys/verify"),
        (INVOKE.format("VerifyKey"), INVOKE.format("GetKey"), "NativeGetKey may be invoked 1 times too often"),
        ("SUM(FILL(METRICS(), 0))", "m1", "does not add its metrics up"),
        ('"ReturnData": false', '"ReturnData": true', "looks at one of its metrics only"),
        ('"OKActions"', '"InsufficientDataActions"', "nobody hears that it is over"),
        ('"TlsPolicy": "REQUIRE"', '"TlsPolicy": "OPTIONAL"', "delivers in the clear"),
        ("[0-9A-Za-z]{49}", "[0-9A-Za-z]{99}", "shows a token that was logged"),
        ('"DisableKey"', '"EnableKey"', "when the secrets' key is taken away"),
        ("$context.routeKey", "$context.path", "logs $context.path"),
    ],
)
def test_a_changed_control_is_noticed(project: Project, old: str, new: str, breach: str) -> None:
    text = json.dumps(project.expanded)
    assert old in text
    changed = json.loads(text.replace(old, new))
    assert any(breach in found for control in CONTROLS for found in control(changed))
