"""local/sam-env.json: what points sam's containers at the local stack says what that stack has."""

import json
from pathlib import Path

from local.serve import AWS_PORT, TEMPLATE
from local.stack import PARAMETERS
from local.template import REGION, Template

VALUES = json.loads((Path(TEMPLATE).parent / "local/sam-env.json").read_text())["Parameters"]


def test_the_committed_values_are_those_of_the_local_stack() -> None:
    for function in Template.load(TEMPLATE, PARAMETERS).functions.values():
        for name in ("KEYWRIGHT_TABLE", "KEYWRIGHT_SECRETS_KEY", "KEYWRIGHT_STAGE", "KEYWRIGHT_MAIL_SENDER"):
            assert VALUES[name] == function.variables[name]
        assert function.variables["AWS_ENDPOINT_URL"] == ""  # declared, or sam would ignore the override
    assert VALUES["AWS_ENDPOINT_URL"] == f"http://host.docker.internal:{AWS_PORT}"
    assert VALUES["AWS_REGION"] == REGION
