"""What an authorizer does not load: frameworks, any of which takes longer than everything else that it does, and the
half of our own code that changes things."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from local.stack import Stack
from tests.contract.authorizers.authorizing import HTTP, REST, ROOT

HEAVY = {
    "boto3",
    "botocore",
    "pydantic",
    "pydantic_core",
    "aws_lambda_powertools",
    "jmespath",
    "urllib3",
    "http.client",
    "zoneinfo",
    "keywright.model",
    "keywright.ports",
    "keywright.mail",
    "keywright.adapters.dynamodb",
    "keywright.adapters.kms",
}


@pytest.mark.parametrize("function", [HTTP, REST])
def test_a_verdict_loads_no_framework_and_nothing_that_changes_a_key(stack: Stack, function: str) -> None:
    declared = stack.template.functions[function]
    module = declared.handler.rpartition(".")[0]
    event = (ROOT / "events" / f"{module.replace('.', '/')}.json").read_text()
    script = f"""
import importlib, json, sys
handler = importlib.import_module({module!r}).handler
class Context: aws_request_id = "request-1"
try:
    handler(json.loads({event!r}), Context)
except Exception as refusal:
    assert type(refusal).__name__ == "Unauthorized", refusal
print(json.dumps(sorted(set({sorted(HEAVY)!r}) & sys.modules.keys())))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**stack.environment(function), "PYTHONPATH": os.pathsep.join(map(str, declared.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, loaded = done.stdout.splitlines()
    assert json.loads(loaded) == []
