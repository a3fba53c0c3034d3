"""docs/samples/webhook.yaml: a template that CloudFormation takes, for events that there are."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from keywright.adapters.eventbridge import SOURCE
from keywright.model import EventType
from tests.structure.project import ROOT

SAMPLE = ROOT / "docs/samples/webhook.yaml"
TEMPLATE: dict[str, Any] = yaml_parse(SAMPLE.read_text())


def lint(template: Path) -> subprocess.CompletedProcess[str]:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    return subprocess.run([cfn_lint, template], capture_output=True, text=True, check=False)


def test_cfn_lint_finds_nothing_in_it() -> None:
    found = lint(SAMPLE)
    assert (found.returncode, found.stdout) == (0, "")


def test_cfn_lint_is_seen_to_bite(tmp_path: Path) -> None:
    broken = tmp_path / "webhook.yaml"
    broken.write_text(SAMPLE.read_text().replace("InvocationEndpoint", "InvocationAddress"))
    assert "InvocationAddress" in lint(broken).stdout


def test_it_listens_to_events_that_there_are_on_a_bus_that_there_is() -> None:
    rule = TEMPLATE["Resources"]["Rule"]["Properties"]
    assert rule["EventPattern"]["source"] == [SOURCE]
    assert set(rule["EventPattern"]["detail-type"]) <= set(EventType)
    own = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]["EventBus"]["Properties"]["Name"]
    assert own["Fn::Sub"] == "${AWS::StackName}-events"
    assert TEMPLATE["Parameters"]["Bus"]["Default"].endswith("-events")


def test_it_keeps_the_receivers_secret_and_what_it_could_not_send() -> None:
    assert TEMPLATE["Parameters"]["Secret"]["NoEcho"] is True
    (target,) = TEMPLATE["Resources"]["Rule"]["Properties"]["Targets"]
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["Unsent", "Arn"]}}
    assert target["InputPath"] == "$.detail"


@pytest.mark.parametrize("name", ["Connection", "Receiver", "Unsent", "UnsentTakesFromTheRule", "Rule"])
def test_it_has_what_a_webhook_needs(name: str) -> None:
    assert name in TEMPLATE["Resources"]
