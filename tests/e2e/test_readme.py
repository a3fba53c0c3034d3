"""README.md does what it says. The label of a code block tells how it is tested:

    sh start    begins with what starts the bundle; its other lines are make targets too
    sh          is run as it stands, all of them in one shell; a json block that follows is its answer
    sh deploy   needs an AWS account: its commands, their options and the names they use are compared with what there is

In an answer `...` stands for anything, and as a member or last element for any others.
"""

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore import xform_name

from keywright.dialects.native import wire
from local.template import expand
from tests.e2e.conftest import ROOT, Running, checkout, started
from tests.e2e.gateway_client import Client

README = (ROOT / "README.md").read_text()
AWS_CLI = {"cli-binary-format", "output", "query"}
"""Options of the command itself."""


SAM = ROOT / ".venv-sam/bin/python"
SAM_HELP = """\
import sys
from click.testing import CliRunner
from samcli.cli.main import cli
told = [CliRunner().invoke(cli, [*command.split(), "--help"]) for command in sys.argv[1:]]
print(*(each.output for each in told), sep="\\x1e")
sys.exit(any(each.exit_code for each in told))
"""


class Block(NamedTuple):
    label: str
    text: str
    line: int


BLOCKS = [
    Block(match[1], match[2], README.count("\n", 0, match.start()) + 2)
    for match in re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", README, re.MULTILINE)
]
RUN = [block for block in BLOCKS if block.label == "sh"]
ANSWERS = {block: after.text for block, after in itertools.pairwise(BLOCKS) if after.label == "json"}
DEPLOY = [block for block in BLOCKS if block.label == "sh deploy"]
COMMANDS = [
    shlex.split(re.sub(r"^[A-Z_]+=\$\((.*)\)$", r"\1", command, flags=re.DOTALL), comments=True)
    for block in DEPLOY
    for command in re.split(r"\n(?=\S)(?!})| && ", block.text.replace("\\\n", " ").strip())
]


def where(block: Block) -> str:
    return f"README.md:{block.line}"


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """By the README's own first command, in a checkout that has nothing of an earlier run."""
    (first,) = [block for block in BLOCKS if block.label == "sh start"]
    shutil.rmtree(checkout() / ".local", ignore_errors=True)
    with started("sh", "-c", first.text.splitlines()[0]) as running:
        yield running


@pytest.fixture(scope="module")
def outputs(running: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[Block, str]:
    """What each block printed, one shell having run them all."""
    script = "".join(f"{block.text}\nprintf '\\036'\n" for block in RUN)
    done = subprocess.run(
        ["sh", "-eu"],
        input=script,
        cwd=checkout(),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return dict(zip(RUN, done.stdout.split("\x1e"), strict=False))


def fits(said: Any, answered: Any) -> bool:
    match said:
        case dict():
            named = {name: value for name, value in said.items() if name != "..."}
            return (
                isinstance(answered, dict)
                and (named.keys() <= answered.keys() if "..." in said else named.keys() == answered.keys())
                and all(fits(value, answered[name]) for name, value in named.items())
            )
        case [*named, "..."]:
            return isinstance(answered, list) and fits(named, answered[: len(named)])
        case list():
            return isinstance(answered, list) and len(said) == len(answered) and all(map(fits, said, answered))
        case "...":
            return True
        case str() if "..." in said:
            pattern = ".+".join(map(re.escape, said.split("...")))
            return isinstance(answered, str) and re.fullmatch(pattern, answered) is not None
    return type(said) is type(answered) and bool(said == answered)


@pytest.mark.parametrize(
    ("said", "answered", "verdict"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "...": "..."}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": "...", "...": "..."}, {"a": 1}, False),
        ({"a": True}, {"a": 1}, False),
        ([{"a": "..."}], [{"a": [2]}], True),
        ([1], [1, 2], False),
        ([1, "..."], [1, 2], True),
        ("key_...", "key_1", True),
        ("key_...", "app_1", False),
    ],
)
def test_three_dots_stand_for_anything_and_the_rest_for_itself(said: Any, answered: Any, verdict: bool) -> None:
    assert fits(said, answered) is verdict


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {block.label for block in BLOCKS} == {"sh start", "sh", "json", "sh deploy", ""}
    (diagram,) = [block for block in BLOCKS if not block.label]
    assert "HTTP API" in diagram.text
    assert [block for block in ANSWERS if block.label != "sh"] == []
    assert len(ANSWERS) == len(RUN) >= 6


@pytest.mark.parametrize("block", RUN, ids=where)
def test_a_command_answers_what_stands_below_it(outputs: dict[Block, str], block: Block) -> None:
    said, answered = json.loads(ANSWERS[block]), json.loads(outputs[block])
    assert fits(said, answered), f"{where(block)}: {json.dumps(answered, indent=1)}"


def credential(answer: Any) -> dict[str, str] | None:
    match answer:
        case {"token": token}:
            return {"token": token}
        case {"data": {"app_key": app_key, "access_keys": [{"key": key}, *_]}}:
            return {"app_key": app_key, "access_key": key}
        case {"response": {"details": {"apikey": key}}}:
            return {"token": key}
        case {"key": {"id": key_id, "secret": secret}}:
            return {"key_id": key_id, "secret": secret}
        case {"id": key, "message": _}:
            return {"token": key}
    return None


def test_each_key_that_it_shows_how_to_make_verifies(running: Running, outputs: dict[Block, str]) -> None:
    found = [made for block in RUN if (made := credential(json.loads(outputs[block])))]
    verdicts = [Client(running).verify(**made) for made in found]
    assert [(verdict["valid"], verdict["kind"]) for verdict in verdicts] == [
        (True, "native"),
        (True, "android_access_key"),
        (True, "rep_key"),
        (True, "integration_secret"),
        (True, "app_api_key"),
    ]


# --- what needs an AWS account -------------------------------------------------------------------------------------


def options(command: list[str]) -> set[str]:
    return {word.removeprefix("--") for word in command if word.startswith("--")}


@pytest.mark.parametrize("block", DEPLOY, ids=where)
def test_a_command_for_aws_is_sound_shell(block: Block) -> None:
    subprocess.run(["sh", "-n"], input=block.text, check=True, text=True)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each[0] == "aws"], ids=lambda command: command[2])
def test_a_command_for_aws_has_parameters_that_its_service_knows(command: list[str]) -> None:
    _, service, operation, *_ = command
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [each for each in model.operation_names if xform_name(each, "-") == operation]
    shape = model.operation_model(name).input_shape
    assert shape
    known = {xform_name(member, "-") for member in shape.members}
    assert {option.removeprefix("no-") for option in options(command)} - AWS_CLI <= known


@pytest.mark.skipif(not SAM.exists(), reason="the SAM CLI is not installed; `make e2e` does it")
def test_a_command_for_sam_has_options_that_sam_knows() -> None:
    spans = [shlex.split(span) for span in re.findall(r"`(sam [^`\n]+)`", README) if span != "sam local"]
    used: dict[str, set[str]] = {}
    for command in [command for command in COMMANDS + spans if command[0] == "sam"]:
        words = itertools.takewhile(lambda word: re.fullmatch(r"[a-z-]+", word) and word[0] != "-", command[1:])
        used.setdefault(" ".join(words), set()).update(options(command))
    assert used.keys() == {"build", "delete", "deploy", "list resources", "local invoke", "local start-api"}
    told = subprocess.run([SAM, "-c", SAM_HELP, *used], check=True, capture_output=True, text=True).stdout.split("\x1e")
    for name, known in zip(used, told, strict=True):
        assert used[name] <= set(re.findall(r"--([a-z-]+)", known)), name


def test_the_commands_name_what_there_is() -> None:
    template = expand(ROOT / "template.yaml")
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    said = "\n".join(block.text for block in DEPLOY)
    assert set(re.findall(r"--stack-name (\S+)", said)) == {settings["global"]["parameters"]["stack_name"]}
    assert set(re.findall(r"OutputKey=='(\w+)'", said)) <= template["Outputs"].keys()
    assert [name for name in template["Outputs"] if f"`{name}`" not in README and f"'{name}'" not in said] == []
    retained = {name for name, resource in template["Resources"].items() if resource.get("DeletionPolicy") == "Retain"}
    listed = re.search(r"sam list resources .*# (.+)", said)
    assert listed
    assert {re.sub(r"(?<=Layer)[0-9a-f]{10}$", "", name) for name in retained} == set(listed[1].split(", "))
    for command in ("local_invoke", "local_start_api"):
        assert (ROOT / settings[command]["parameters"]["env_vars"]).is_file()
    assert f"`sam local start-api`, port {settings['local_start_api']['parameters']['port']}" in README
    for function, event in re.findall(r"`sam local invoke (\w+) -e (\S+)`", README):
        assert template["Resources"][function]["Type"] == "AWS::Lambda::Function"
        assert (ROOT / event).is_file()


def test_it_says_how_many_metrics_the_alarms_watch() -> None:
    alarms = [
        resource["Properties"]
        for resource in expand(ROOT / "template.yaml")["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    watched = sum(sum("MetricStat" in metric for metric in alarm.get("Metrics", ())) or 1 for alarm in alarms)
    assert f"its alarms watch {watched} metrics" in README


def test_the_first_operators_payload_is_one_that_the_function_takes() -> None:
    (payload,) = [command[command.index("--payload") + 1] for command in COMMANDS if "--payload" in command]
    assert wire.CreateTenant.model_validate(json.loads(payload)).id == "orchard-labs"


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:json|py|toml|yaml))`", README)) - {"answer.json"}
    assert named >= {"local/sam-env.json", "samconfig.toml"}
    assert [name for name in sorted(named) if not (ROOT / Path(name)).is_file()] == []
