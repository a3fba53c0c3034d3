"""The controls of AWS that no linter asks for: cfn-lint is content with a table that anybody may delete.

A control is a function from the template to its breaches. Besides holding, each is seen to bite: one value of the real
template is taken away or changed, and the breach must be noticed.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.structure.project import Project, as_list

Template = dict[str, Any]
ACCOUNT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
CONTEXT = ("tenant", "key_id", "version")
LOGGED = {"$context.requestId", "$context.routeKey", "$context.status", "$context.responseLatency"}
WRITES = {f"dynamodb:{deed}Item" for deed in ("Put", "Update", "Delete")} | {"dynamodb:ConditionCheckItem"}
READS = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
METRICS = {"Fn::Sub": "Keywright/${AWS::StackName}"}
"""The stack's own namespace: in a shared one the sweeps of another stack would pass for this one's."""
MAY_REVEAL, MAY_SEAL, MAY_MAIL, MAY_PUBLISH = "CanRevealSecrets", "CanSealSecrets", "CanMailKeys", "CanPublishEvents"
ALONE = {"CanNoteUses": {"LIMIT#*", "USE#*"}, "CanSweepKeys": {"LEASE#sweep"}}
"""Rows that are changed by themselves: no event goes with them, and no other row has to agree."""
HOMES = {"kms:Encrypt": MAY_SEAL, "kms:Decrypt": MAY_REVEAL, "ses:SendEmail": MAY_MAIL, "events:PutEvents": MAY_PUBLISH}
BLIND = re.compile(r"Verify(?!Jwt$)|Authoriz|Sweep|RefuseUnknownPath")
"""Functions that no secret is ever revealed to. A JWT cannot be checked without its secret, so that has its own."""


def of_type(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource, resource.get("Properties", {})


def kept(template: Template) -> Iterator[str]:
    for kind in ("AWS::DynamoDB::Table", "AWS::KMS::Key"):
        for name, resource, _ in of_type(template, kind):
            if {resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")} != {"Retain"}:
                yield f"{name} goes with the stack"


def table(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::DynamoDB::Table"):
        recovery = properties.get("PointInTimeRecoverySpecification", {})
        if recovery != {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}:
            yield f"{name} cannot be restored to any point of the last 35 days"
        if properties.get("DeletionProtectionEnabled") is not True:
            yield f"{name} can be deleted"
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name} costs something when idle"
        if properties.get("TimeToLiveSpecification", {}).get("Enabled") is not True:
            yield f"{name} is never tidied"
        if "KMSMasterKeyId" in properties.get("SSESpecification", {}):
            yield f"{name} depends on a key, and verification with it"


def secrets_key(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::KMS::Key"):
        if properties.get("EnableKeyRotation") is not True:
            yield f"{name} is not rotated"
        if properties.get("PendingWindowInDays") != 30:
            yield f"{name} can be gone in less than 30 days"
        refused = set()
        for statement in properties["KeyPolicy"]["Statement"]:
            actions = set(as_list(statement["Action"]))
            if statement["Effect"] == "Allow":
                if statement["Principal"] != ACCOUNT:
                    yield f"{name} names a principal: roles get their rights from their own policies"
                if any("*" in action for action in actions):
                    yield f"{name} permits more than it names"
            elif statement["Principal"] == "*" and {"kms:Encrypt", "kms:Decrypt"} <= actions:
                refused |= {key for key, value in statement["Condition"].get("Null", {}).items() if value == "true"}
        for part in CONTEXT:
            if f"kms:EncryptionContext:{part}" not in refused:
                yield f"{name} can be used without {part} in the encryption context"


def grants(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::IAM::ManagedPolicy"):
        for statement in as_list(properties["PolicyDocument"]["Statement"]):
            actions, conditions = set(as_list(statement["Action"])), statement.get("Condition", {})
            if unknown := actions - WRITES - READS - HOMES.keys():
                yield f"{name} permits {', '.join(sorted(unknown))}"
            if "ses:SendEmail" in actions and conditions.get("StringEquals", {}).keys() != {"ses:FromAddress"}:
                yield f"{name} mails from any address"
            if "events:PutEvents" in actions and conditions.get("StringEquals") != {"events:source": "keywright"}:
                yield f"{name} publishes in anybody's name"
            for action, home in HOMES.items():
                if action in actions and name != home:
                    yield f"{name} permits {action}, which is {home}'s"
            if any(action.startswith("kms:") for action in actions) and not _bound(
                conditions, "kms:EncryptionContextKeys"
            ):
                yield f"{name} uses the key without an encryption context"
            if actions & WRITES and conditions.get("StringEquals") != {
                "dynamodb:EnclosingOperation": "TransactWriteItems"
            }:
                rows = set(conditions.get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", []))
                if actions != {"dynamodb:UpdateItem"} or rows != ALONE.get(name):
                    yield f"{name} writes outside a transaction"
            of_index = all("/index/" in str(resource) for resource in as_list(statement["Resource"]))
            if actions & (READS | WRITES) and not of_index and not _bound(conditions, "dynamodb:LeadingKeys"):
                yield f"{name} reaches every row"


def _bound(conditions: dict[str, Any], key: str) -> bool:
    """ForAllValues is true of a request that has no value at all, unless Null says otherwise."""
    limited = any(
        key in condition for operator, condition in conditions.items() if operator.startswith("ForAllValues:")
    )
    return limited and conditions.get("Null", {}).get(key) == "false"


def revealing(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Serverless::Function"):
        if BLIND.search(name) and {"Ref": MAY_REVEAL} in as_list(properties.get("Policies", [])):
            yield f"{name} may reveal secrets"


def front(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Serverless::HttpApi"):
        if properties.get("StageName") != "$default":
            yield f"{name} puts its stage before every path"
        limits = properties.get("DefaultRouteSettings", {})
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= limits.keys():
            yield f"{name} is not throttled"
        if "Auth" in properties:
            yield f"{name} authenticates before the dialect can say 401 in its own words"
        logged = re.findall(r"\$[\w.]+", properties.get("AccessLogSettings", {}).get("Format", ""))
        if not logged:
            yield f"{name} keeps no access log"
        yield from (f"{name} logs {each}" for each in sorted(set(logged) - LOGGED))


def logs(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Logs::LogGroup"):
        if not properties.get("RetentionInDays"):
            yield f"{name} is kept for ever"
    group = template["Globals"]["Function"].get("LoggingConfig", {}).get("LogGroup", {})
    if template["Resources"].get(group.get("Ref"), {}).get("Type") != "AWS::Logs::LogGroup":
        yield "the functions log into groups that nobody declared"


def schedules(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Serverless::Function"):
        for event in properties.get("Events", {}).values():
            if event["Type"] == "ScheduleV2":
                if properties.get("ReservedConcurrentExecutions") != 1:
                    yield f"{name} can run beside itself"
                if "RetryPolicy" not in event["Properties"]:
                    yield f"{name} is retried for a day"
                if "DeadLetterConfig" not in event["Properties"]:
                    yield f"{name} may not be started, and nobody hears of it"
                failed = properties.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
                if failed is None:
                    yield f"{name} may fail, and nobody hears of it"


def queues(template: Template) -> Iterator[str]:
    """A queue that SAM makes by itself has no properties at all, so each is declared, and somebody is called."""
    watched = {
        str(alarm["Dimensions"][0]["Value"])
        for _, _, alarm in of_type(template, "AWS::CloudWatch::Alarm")
        if (alarm.get("Namespace"), alarm.get("MetricName")) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        and (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    }
    for name, _, properties in of_type(template, "AWS::SQS::Queue"):
        if not properties.get("KmsMasterKeyId") and not properties.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"
        if properties.get("MessageRetentionPeriod") != 14 * 86_400:
            yield f"{name} forgets within two weeks"
        if str({"Fn::GetAtt": [name, "QueueName"]}) not in watched:
            yield f"{name} may fill up, and nobody hears of it"


def streams(template: Template) -> Iterator[str]:
    for name, _, properties in of_type(template, "AWS::Serverless::Function"):
        for event in properties.get("Events", {}).values():
            if event["Type"] == "DynamoDB":
                source = event["Properties"]
                if "OnFailure" not in source.get("DestinationConfig", {}):
                    yield f"{name} drops what it could not do"
                if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
                    yield f"{name} does again what it has done"
                if not source.get("BisectBatchOnFunctionError") or source.get("MaximumRetryAttempts", -1) < 1:
                    yield f"{name} is stopped by one record"


def heartbeat(template: Template) -> Iterator[str]:
    """An alarm that is silent where its metric is missing is no alarm for what has stopped."""
    if template["Globals"]["Function"]["Environment"]["Variables"].get("POWERTOOLS_METRICS_NAMESPACE") != METRICS:
        yield "the functions file their metrics under another name than the alarms look at"
    for name, _, alarm in of_type(template, "AWS::CloudWatch::Alarm"):
        if (alarm.get("Namespace"), alarm.get("MetricName")) == (METRICS, "Sweeps"):
            if (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching"):
                return
            yield f"{name} does not ring when sweeps are missing"
    yield "nobody hears of it when the sweep stands still"


CONTROLS = (kept, table, secrets_key, grants, revealing, front, logs, schedules, queues, streams, heartbeat)


def breaches(template: Template) -> list[str]:
    return [breach for control in CONTROLS for breach in control(template)]


def test_every_control_is_set(project: Project) -> None:
    assert breaches(project.template) == []


ABSENT = object()
FIRST = ("Properties", "PolicyDocument", "Statement", 0)
TABLE, KEY, API = "KeyTable", "SecretsKey", "Api"
SWEEP, VERIFY, MAILS = "ScheduledSweepExpiredKeys", "NativeVerifyKey", "StreamsMailWarnings"
LIKE = "ForAllValues:StringLike"


@pytest.mark.parametrize(
    ("path", "value", "breach"),
    [
        ((TABLE, "DeletionPolicy"), ABSENT, "KeyTable goes with the stack"),
        ((KEY, "UpdateReplacePolicy"), "Delete", "SecretsKey goes with the stack"),
        ((TABLE, "Properties", "DeletionProtectionEnabled"), False, "can be deleted"),
        ((TABLE, "Properties", "PointInTimeRecoverySpecification", "RecoveryPeriodInDays"), 7, "last 35 days"),
        ((TABLE, "Properties", "BillingMode"), ABSENT, "when idle"),
        ((TABLE, "Properties", "TimeToLiveSpecification"), ABSENT, "never tidied"),
        ((TABLE, "Properties", "SSESpecification"), {"KMSMasterKeyId": {"Ref": KEY}}, "depends on a key"),
        ((KEY, "Properties", "EnableKeyRotation"), ABSENT, "not rotated"),
        ((KEY, "Properties", "PendingWindowInDays"), 7, "less than 30 days"),
        ((KEY, "Properties", "KeyPolicy", "Statement", 0, "Principal"), "*", "names a principal"),
        ((KEY, "Properties", "KeyPolicy", "Statement", 0, "Action"), "kms:*", "more than it names"),
        ((KEY, "Properties", "KeyPolicy", "Statement", -1), ABSENT, "can be used without version"),
        (("CanVerifyKeys", *FIRST, "Action"), "kms:Decrypt", "which is CanReveal"),
        (("CanVerifyKeys", *FIRST, "Action"), "dynamodb:Scan", "permits dynamodb:Scan"),
        (("CanVerifyKeys", *FIRST, "Condition"), ABSENT, "reaches every row"),
        (("CanVerifyKeys", *FIRST, "Condition", "Null"), ABSENT, "every row"),
        ((MAY_REVEAL, *FIRST, "Condition"), ABSENT, "without an encryption context"),
        ((MAY_SEAL, *FIRST, "Condition", "Null"), ABSENT, "encryption context"),
        (("CanIssueKeys", *FIRST, "Condition", "StringEquals"), ABSENT, "outside"),
        (("CanVerifyKeys", *FIRST, "Action"), "ses:SendEmail", "which is CanMail"),
        ((MAY_MAIL, *FIRST, "Condition"), ABSENT, "from any address"),
        ((MAY_MAIL, *FIRST, "Action"), "ses:SendRawEmail", "permits ses:SendRawEmail"),
        ((MAY_PUBLISH, *FIRST, "Condition"), ABSENT, "publishes in anybody's name"),
        (("CanVerifyKeys", *FIRST, "Action"), "events:PutEvents", "which is CanPublish"),
        (("CanReadAudit", *FIRST, "Condition"), ABSENT, "CanReadAudit reaches every row"),
        (("UnpublishedEvents", "Properties", "KmsMasterKeyId"), ABSENT, "UnpublishedEvents is not encrypted"),
        (("UnpublishedEventsAlarm", "Properties", "Dimensions", 0, "Value"), "x", "UnpublishedEvents may fill up"),
        ((VERIFY, "Properties", "Policies"), [{"Ref": MAY_REVEAL}], "NativeVerifyKey may reveal secrets"),
        ((API, "Properties", "StageName"), "live", "puts its stage before"),
        ((API, "Properties", "DefaultRouteSettings"), ABSENT, "not throttled"),
        ((API, "Properties", "Auth"), {"DefaultAuthorizer": "AWS_IAM"}, "authenticates before the dialect"),
        ((API, "Properties", "AccessLogSettings"), ABSENT, "no access log"),
        ((API, "Properties", "AccessLogSettings", "Format"), "$context.path $context.status", "logs $context.path"),
        (("LogGroup", "Properties", "RetentionInDays"), ABSENT, "kept for ever"),
        ((SWEEP, "Properties", "ReservedConcurrentExecutions"), ABSENT, "beside itself"),
        ((SWEEP, "Properties", "EventInvokeConfig"), ABSENT, "ScheduledSweepExpiredKeys may fail, and nobody"),
        ((SWEEP, "Properties", "Events", "Every", "Properties", "DeadLetterConfig"), ABSENT, "may not be started"),
        (("CanSweepKeys", *FIRST[:3], -1, "Condition", LIKE, "dynamodb:LeadingKeys"), ["LEASE#*"], "outside"),
        (("FailedSweeps", "Properties", "KmsMasterKeyId"), ABSENT, "FailedSweeps is not encrypted"),
        (("FailedSweeps", "Properties", "MessageRetentionPeriod"), 345_600, "within two weeks"),
        (("FailedSweepsAlarm", "Properties", "Threshold"), 10, "FailedSweeps may fill up"),
        (("MissingSweepsAlarm", "Properties", "TreatMissingData"), "notBreaching", "when sweeps are missing"),
        (("MissingSweepsAlarm", "Properties", "Namespace"), "Keywright", "when the sweep stands still"),
        (("MissingSweepsAlarm",), {"Type": "AWS::SNS::Topic"}, "when the sweep stands still"),
        ((MAILS, "Properties", "Events", "Told", "Properties", "DestinationConfig"), ABSENT, "drops what it"),
        ((MAILS, "Properties", "Events", "Told", "Properties", "FunctionResponseTypes"), ABSENT, "does again"),
        ((MAILS, "Properties", "Events", "Told", "Properties", "MaximumRetryAttempts"), ABSENT, "by one record"),
    ],
)
def test_a_control_that_is_not_set_is_noticed(
    project: Project, path: tuple[str | int, ...], value: object, breach: str
) -> None:
    changed = copy.deepcopy(project.template)
    holder: Any = changed["Resources"]
    for step in path[:-1]:
        holder = holder[step]
    if value is ABSENT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    assert any(breach in found for found in breaches(changed))


def test_a_log_group_that_nobody_declared_is_noticed(project: Project) -> None:
    changed = copy.deepcopy(project.template)
    del changed["Globals"]["Function"]["LoggingConfig"]
    assert "the functions log into groups that nobody declared" in breaches(changed)


def test_a_schedule_without_a_retry_policy_is_noticed(project: Project) -> None:
    changed = copy.deepcopy(project.template)
    for event in changed["Resources"][SWEEP]["Properties"]["Events"].values():
        del event["Properties"]["RetryPolicy"]
    assert f"{SWEEP} is retried for a day" in breaches(changed)
