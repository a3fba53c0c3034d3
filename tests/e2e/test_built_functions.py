"""What `sam build` makes, run as Lambda would run it, each function with its committed event.

The answers must be those of the same functions in this process, which the contract tests hold to the wire byte by byte;
only what is generated anew each time may differ. How long each function took to load and how much memory it had at most
stands in the test's output: a machine that does other things meanwhile can be held to neither.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.runtime import Result
from local.stack import Stack
from local.template import Template
from tests.bundle import GENERATED, Bundle
from tests.e2e.conftest import ROOT, Built

TEMPLATE = ROOT / "template.yaml"
FUNCTIONS = sorted(Template.load(TEMPLATE).functions)
ENDING_LAST = sorted(FUNCTIONS, key=lambda name: "Delete" in name or "OpenLink" in name)


@pytest.fixture(scope="module")
def aws() -> Iterator[Stack]:
    """In the account that local/sam-env.json names."""
    with Stack.from_template(TEMPLATE) as stack:
        demo.seed(stack)
        yield stack


@pytest.fixture(scope="module")
def in_process() -> Iterator[Bundle]:
    """The sources, over a stack that was seeded alike and goes through the same events."""
    with Stack.from_template(TEMPLATE, account="222233334444") as stack:
        demo.seed(stack)
        yield Bundle(stack)


def committed_event(handler: str) -> Any:
    return json.loads(
        (ROOT / "events" / handler.removesuffix(".handler").replace(".", "/")).with_suffix(".json").read_text()
    )


def masked(result: Result) -> Any:
    """The answer with its body still text, so that the bytes between what is generated are compared as well."""
    return json.loads(GENERATED.sub("~", json.dumps(result.payload)))


def is_a_refusal(result: Result) -> bool:
    """Two of the vendors refuse with a 200. The description of the API only speaks of refusals."""
    answer = result.payload
    body = str(answer.get("body"))
    if '"openapi"' in body:
        return False
    return answer.get("statusCode", 200) >= 300 or '"error"' in body or "Failure" in body


@pytest.mark.parametrize("name", ENDING_LAST)
def test_a_built_function_answers_its_event_like_its_source(
    built: Built, aws: Stack, in_process: Bundle, name: str, record_property: Callable[[str, object], None]
) -> None:
    function = built.functions[name]
    event = committed_event(function.handler)
    with built.environment(function, aws.url) as environment:
        assert environment.failed is None, environment.output
        answer = environment.invoke(event)
        assert not answer.failed, environment.output
        record_property("init", f"{environment.init_seconds:.2f} s")
        record_property("peak memory", f"{environment.peak_megabytes} MB")
    assert is_a_refusal(answer) is ("refuse" in function.handler)
    assert masked(answer) == masked(in_process.invoke(name, event))


def test_the_layer_is_compiled_and_nothing_checks_it_against_its_sources(built: Built) -> None:
    """Times of files do not outlive a zip file, and a compiled file that seems stale costs more than none. The second
    word of one says how it is checked (PEP 552): 1, by a hash that nobody looks at."""
    layer = built.functions["NativeVerifyKey"].path[1]
    sources = {path for path in layer.rglob("*.py") if "__pycache__" not in path.parts}
    compiled = {path: path.read_bytes()[4:8] for path in layer.rglob("*.pyc")}
    assert {path for path in sources if path.parent.name == "keywright"}
    tag = sys.implementation.cache_tag
    assert {path.parent / f"__pycache__/{path.stem}.{tag}.pyc" for path in sources} == compiled.keys()
    assert set(compiled.values()) == {(1).to_bytes(4, "little")}


def test_sam_builds_every_function_and_the_layer_without_what_lambda_brings(built: Built) -> None:
    assert sorted(built.functions) == FUNCTIONS
    _, layer = built.functions[FUNCTIONS[0]].path
    installed = {path.name for path in (layer / "python").iterdir()}
    assert {"keywright", "aws_lambda_powertools", "pydantic", "tzdata"} <= installed
    assert not {"boto3", "botocore"} & installed


def test_a_package_that_the_layer_lacks_is_missing_as_it_would_be_on_lambda(
    built: Built, aws: Stack, tmp_path: Path
) -> None:
    """PyJWT is installed here, for the tests, and is not in the layer."""
    function = built.functions["NativeVerifyKey"]
    (tmp_path / "planted.py").write_text("import keywright, jwt\n\ndef handler(event, context): ...\n")
    planted = replace(function, handler="planted.handler", path=(tmp_path, function.path[1]))
    with built.environment(planted, aws.url) as environment:
        assert environment.failed["errorType"] == "Runtime.ImportModuleError"
        assert environment.failed["errorMessage"] == "Unable to import module 'planted': No module named 'jwt'"
