"""Law 4: a template block says only what differs; permissions are named, exact and without wildcards."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.structure.conftest import Change, Plant
from tests.structure.project import Project, as_list

MOST_RESOURCES = 450
"""CloudFormation's own limit is 500."""
MAY_DIFFER = {
    "DeadLetterQueue",
    "Description",
    "EventInvokeConfig",
    "Events",
    "Handler",
    "MemorySize",
    "Policies",
    "ReservedConcurrentExecutions",
    "Timeout",
}
NEED_NO_POLICY = ("RefuseUnknownPath", "Console", "GetOpenapi")
"""They refuse whatever comes, or hand out what lies in the layer."""
SAM_ATTACHES = {
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
}
"""For logs, traces and reading a stream, by itself."""
MANAGED_POLICY = "AWS::IAM::ManagedPolicy"


def block_breaches(project: Project) -> Iterator[str]:
    shared = project.template["Globals"]["Function"]
    for name, block in project.blocks.items():
        properties = block["Properties"]
        for attribute in block.keys() - {"Type", "Properties"}:
            yield f"{name} has the attribute {attribute}"
        for key in properties.keys() - MAY_DIFFER:
            yield f"{name} sets {key}, which belongs into Globals"
        for key in properties.keys() & shared.keys():
            if properties[key] == shared[key]:
                yield f"{name} repeats the {key} of Globals"


def permission_breaches(project: Project) -> Iterator[str]:
    resources = project.template["Resources"]
    for name, block in project.blocks.items():
        policies = as_list(block["Properties"].get("Policies", []))
        if name.endswith(NEED_NO_POLICY):
            if policies:
                yield f"{name} looks at no data and needs no policy"
            continue
        if not policies:
            yield f"{name} lists no policy"
        for policy in policies:
            referred = policy.get("Ref", "") if isinstance(policy, dict) else ""
            if not referred.startswith("Can") or resources.get(referred, {}).get("Type") != MANAGED_POLICY:
                yield f"{name} lists {policy}, which is no policy of ours named after a deed"
    granted = {policy["Ref"] for block in project.blocks.values() for policy in _references(block)}
    for name, resource in resources.items():
        if resource["Type"] == MANAGED_POLICY and name not in granted:
            yield f"{name} is granted to nobody"


def _references(block: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        each for each in as_list(block["Properties"].get("Policies", [])) if isinstance(each, dict) and "Ref" in each
    ]


def wildcard_breaches(project: Project) -> Iterator[str]:
    """Over the expansion, so that a policy which SAM makes from a shorthand is looked at too."""
    for name, statement in _statements(project.expanded["Resources"]):
        if statement["Effect"] != "Allow":
            continue
        for key in {"NotAction", "NotResource"} & statement.keys():
            yield f"{name} permits by {key}"
        for action in as_list(statement.get("Action", [])):
            if "*" in str(action):
                yield f"{name} permits {action}"
        for resource in as_list(statement.get("Resource", [])):
            if "*" in str(resource):
                yield f"{name} permits its actions on {resource}"


def _statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        if resource["Type"] in {MANAGED_POLICY, "AWS::IAM::Policy"}:
            yield from ((name, statement) for statement in as_list(properties["PolicyDocument"]["Statement"]))
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield from ((name, statement) for statement in as_list(policy["PolicyDocument"]["Statement"]))


def attachment_breaches(project: Project) -> Iterator[str]:
    for name, resource in project.expanded["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("ManagedPolicyArns", []):
                ours = isinstance(policy, dict) and "Ref" in policy
                if not ours and not any(re.search(rf"\b{known}\b", str(policy)) for known in SAM_ATTACHES):
                    yield f"{name} is attached to {policy}"


def size_breaches(project: Project) -> Iterator[str]:
    count = len(project.expanded["Resources"])
    if count >= MOST_RESOURCES:
        yield f"the expanded template has {count} resources; {MOST_RESOURCES} is where it must be split"


def build_breaches(project: Project) -> Iterator[str]:
    """The layer is made for the interpreter and processor that the functions run on."""
    shared = project.template["Globals"]["Function"]
    makefile = (project.root / "layers/keywright/Makefile").read_text()
    defaults = dict(re.findall(r"^KEYWRIGHT_LAYER_(\w+) \?= (\S+)", makefile, re.MULTILINE))
    if shared["Runtime"] != f"python{defaults['PYTHON']}":
        yield f"the layer is built for Python {defaults['PYTHON']}, the functions run on {shared['Runtime']}"
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[as_list(shared["Architectures"])[0]]
    if not defaults["PLATFORM"].startswith(f"{machine}-"):
        yield f"the layer is built for {defaults['PLATFORM']}, the functions run on {machine}"


def index_breaches(project: Project) -> Iterator[str]:
    """Each index answers a question of the table in the adapter's docstring, and each index named there exists."""
    adapter = (project.root / "layers/keywright/keywright/adapters/dynamodb.py").read_text()
    asked = set(re.findall(r"`(by_\w+)`", adapter.split('"""')[1]))
    made = {
        index["IndexName"]
        for resource in project.template["Resources"].values()
        if resource["Type"] == "AWS::DynamoDB::Table"
        for index in resource["Properties"].get("GlobalSecondaryIndexes", [])
    }
    yield from (f"the index {name} answers no question of the access patterns" for name in made - asked)
    yield from (f"the access patterns name {name}, which is no index of the table" for name in asked - made)


LAWS = (
    block_breaches,
    permission_breaches,
    wildcard_breaches,
    attachment_breaches,
    size_breaches,
    build_breaches,
    index_breaches,
)


def breaches(project: Project) -> list[str]:
    return [breach for law in LAWS for breach in law(project)]


def test_each_block_says_only_what_differs(project: Project) -> None:
    assert project.blocks
    assert list(block_breaches(project)) == []


def test_permissions_are_ours_and_named_after_deeds(project: Project) -> None:
    assert list(permission_breaches(project)) == []
    assert list(attachment_breaches(project)) == []


def test_no_permission_holds_a_wildcard(project: Project) -> None:
    assert list(_statements(project.expanded["Resources"]))
    assert list(wildcard_breaches(project)) == []


def test_the_expanded_template_stays_well_under_the_limit(project: Project) -> None:
    assert list(size_breaches(project)) == []


def test_the_layer_is_built_for_the_runtime_of_the_functions(project: Project) -> None:
    assert list(build_breaches(project)) == []


def test_each_index_is_named_among_the_access_patterns_and_the_reverse(project: Project) -> None:
    assert list(index_breaches(project)) == []


def test_a_sound_template_breaks_no_law(plant: Plant) -> None:
    assert breaches(plant({})) == []


TEMPLATE = "template.yaml"
HANDLER = "      Handler: native.issue_key.handler"
MANY = "\n".join(f"  Topic{number}: {{Type: AWS::SNS::Topic}}" for number in range(450))


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ((HANDLER, f"{HANDLER}\n      Runtime: python3.12"), "NativeIssueKey sets Runtime"),
        ((HANDLER, f"{HANDLER}\n      Environment: {{Variables: {{A: b}}}}"), "NativeIssueKey sets Environment"),
        ((HANDLER, f"{HANDLER}\n      Timeout: 10"), "NativeIssueKey repeats the Timeout of Globals"),
        (
            ("  NativeIssueKey:\n", "  NativeIssueKey:\n    DependsOn: Api\n"),
            "NativeIssueKey has the attribute DependsOn",
        ),
        (("  NativeIssueKey:\n", "  NativeIssueKey:\n    Metadata: {SkipBuild: true}\n"), "has the attribute Metadata"),
        (("      Policies: [!Ref CanIssueKeys]\n", ""), "NativeIssueKey lists no policy"),
        (("[!Ref CanIssueKeys]", "[AmazonDynamoDBFullAccess]"), "which is no policy of ours"),
        (("[!Ref CanIssueKeys]", "[{DynamoDBCrudPolicy: {TableName: !Ref KeyTable}}]"), "which is no policy of ours"),
        (("[!Ref CanIssueKeys]", "[!Ref KeyTable]"), "which is no policy of ours"),
        (("[!Ref CanIssueKeys]", "[!Ref CanIssue]"), "CanIssueKeys is granted to nobody"),
        (("[!Ref CanIssueKeys]", "[AmazonDynamoDBFullAccess]"), "is attached to"),
        (("Action: dynamodb:PutItem", "Action: dynamodb:*"), "CanIssueKeys permits dynamodb:*"),
        (("Action: dynamodb:PutItem", "NotAction: dynamodb:Scan"), "CanIssueKeys permits by NotAction"),
        (("Resource: !GetAtt KeyTable.Arn", 'Resource: "*"'), "CanIssueKeys permits its actions on *"),
        (("Resource: !GetAtt KeyTable.Arn", "Resource: [!Sub '${KeyTable.Arn}/index/*']"), "permits its actions on"),
        (("[!Ref CanIssueKeys]", "[{Statement: {Effect: Allow, Action: 's3:*', Resource: x}}]"), "permits s3:*"),
        (("Resources:\n", f"Resources:\n{MANY}\n"), "resources; 450 is where it must be split"),
        (("Runtime: python3.13", "Runtime: python3.12"), "the functions run on python3.12"),
        (("arm64", "x86_64"), "the functions run on x86_64"),
        (("by_due", "by_owner"), "the index by_owner answers no question"),
        (("by_due", "by_owner"), "name by_due, which is no index"),
    ],
)
def test_a_block_or_permission_that_says_more_is_noticed(plant: Plant, change: tuple[str, str], breach: str) -> None:
    assert any(breach in found for found in breaches(plant({TEMPLATE: change})))


def test_a_catch_all_with_a_permission_is_noticed(plant: Plant) -> None:
    changes: dict[str, Change] = {
        "functions/native/refuse_unknown_path.py": "handler = 1",
        TEMPLATE: ("NativeIssueKey:", "NativeRefuseUnknownPath:"),
    }
    assert any("needs no policy" in found for found in breaches(plant(changes)))
