"""local.template: what a SAM template says, as values, or one line about what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from local.template import Route, Schedule, Template, TemplateError

FIXTURE = Path(__file__).with_name("template.yaml")
TEMPLATE = Template.load(FIXTURE)


def test_names_that_the_template_leaves_open_never_change() -> None:
    assert TEMPLATE.tables["KeyTable"].name == "keywright-KeyTable"
    assert TEMPLATE.tables["KeyTable"].arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/keywright-KeyTable"
    assert TEMPLATE.keys["SecretsKey"].arn.endswith(":key/d19a299b-d702-5f75-a062-540b5ad8cbc1")
    assert TEMPLATE.log_groups == {"LogGroup": "keywright-LogGroup"}


def test_a_function_comes_with_its_globals_its_layers_and_the_names_of_its_policies() -> None:
    function = TEMPLATE.functions["EchoEvent"]
    assert function.handler == "echo.event.handler"
    assert [root.relative_to(FIXTURE.parent).as_posix() for root in function.path] == ["code", "layer"]
    assert function.variables["TABLE"] == "keywright-KeyTable"
    assert function.variables["AWS_ENDPOINT_URL"] == ""
    assert (function.timeout, TEMPLATE.functions["EchoMisbehave"].timeout) == (3, 1)
    assert function.log_group == "keywright-LogGroup"
    assert [policy.name for policy in function.policies] == ["CanWrite", "CanSeal"]
    assert function.policies[1].document["Statement"][0]["Resource"] == TEMPLATE.keys["SecretsKey"].arn
    assert TEMPLATE.functions["EchoMisbehave"].policies == ()


def test_routes_and_schedules_name_their_functions() -> None:
    assert Route("ANY", "/echo/{proxy+}", "EchoEvent") in TEMPLATE.routes
    assert Route("POST", "/misbehave", "EchoMisbehave") in TEMPLATE.routes
    assert TEMPLATE.schedules == (Schedule("EchoEventTimer", 3600, "EchoEvent", None),)


@pytest.mark.parametrize(("stage", "protected"), [("prod", True), ("local", False)])
def test_conditions_follow_the_parameters(stage: str, protected: bool) -> None:
    table = Template.load(FIXTURE, {"Stage": stage}).tables["KeyTable"]
    assert table.properties["DeletionProtectionEnabled"] is protected


def replaced(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edit


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda _: "Resources: [", "expected"),
        (lambda _: "Transform: AWS::Serverless-2016-10-31", "it has no Resources"),
        (replaced("TABLE: !Ref KeyTable", "TABLE: !Ref Kettle"), "Kettle"),
        (replaced("!GetAtt SecretsKey.Arn", "!GetAtt SecretsKey.Weight"), "SecretsKey.Weight is not known"),
        (replaced("!GetAtt SecretsKey.Arn", "!GetAtt Kettle.Arn"), "Kettle is nowhere declared"),
        (replaced("!GetAtt SecretsKey.Arn", "!ImportValue far-away"), "far-away is imported, and no stack"),
        (replaced("{ Type: String, Default: prod }", "{ Type: String }"), "parameter Stage has no default"),
        (replaced("[!Ref CanWrite, !Ref CanSeal]", "[AdministratorAccess]"), "policy/AdministratorAccess permits"),
        (replaced("rate(1 hour)", "'cron(0 * * * ? *)'"), "only rate(...) runs"),
        (replaced("Handler: echo.event.handler", "Hander: echo.event.handler"), "Hander"),
        (replaced("Path: /echo }", "Route: /echo }"), "Path"),
    ],
)
def test_a_broken_template_gets_one_clear_line(tmp_path: Path, edit: Callable[[str], str], said: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(edit(FIXTURE.read_text()))
    with pytest.raises(TemplateError) as raised:
        Template.load(path)
    line = str(raised.value)
    assert said in line
    assert line.startswith(str(path))
    assert "\n" not in line


def test_a_template_that_is_not_there_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"gone\.yaml: No such file or directory$"):
        Template.load(tmp_path / "gone.yaml")
