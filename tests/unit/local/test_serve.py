"""local.serve and `python -m local`: what keeps it from starting is said in one line."""

import sys
from pathlib import Path

import pytest

from local import serve
from local.__main__ import main

TEMPLATE = Path(__file__).with_name("template.yaml")


def refusal(capsys: pytest.CaptureFixture[str]) -> str:
    assert main() == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_an_old_python_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    said = refusal(capsys)
    monkeypatch.undo()
    assert said == "Keywright needs Python 3.11 or newer; this is 3.10.4.\n"


@pytest.mark.parametrize("name", ["PORT", "AWS_PORT"])
@pytest.mark.parametrize("port", ["http", "-1", "65536", "\u0663000"])
def test_a_port_that_is_none_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, port: str
) -> None:
    monkeypatch.setenv(name, port)
    assert refusal(capsys) == f"{name} is {port!r}, which is no port number.\n"


@pytest.mark.parametrize("said", ["a month", "", str(2**40)])
def test_a_clock_that_would_go_by_no_number_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str
) -> None:
    file = tmp_path / "offset"
    file.write_text(said)
    monkeypatch.setenv("LOCAL_CLOCK_OFFSET_FILE", str(file))
    assert refusal(capsys) == f"LOCAL_CLOCK_OFFSET_FILE is {str(file)!r}, which holds no number of seconds.\n"


def test_a_broken_template_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text().replace("!Ref CanWrite", "!Ref CanRite"))
    monkeypatch.setattr(serve, "TEMPLATE", broken)
    assert "CanRite" in refusal(capsys)


def test_a_policy_that_is_not_understood_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = tmp_path / "template.yaml"
    odd.write_text(TEMPLATE.read_text().replace("ForAnyValue:StringEquals", "ForAnyValue:NumericEquals"))
    monkeypatch.setattr(serve, "TEMPLATE", odd)
    assert "EchoEvent, CanWrite: not understood: condition operator" in refusal(capsys)


def test_a_table_that_cannot_be_made_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = tmp_path / "template.yaml"
    odd.write_text(TEMPLATE.read_text().replace("{ AttributeName: sk, AttributeType: S }", "{ AttributeName: sk }"))
    monkeypatch.setattr(serve, "TEMPLATE", odd)
    monkeypatch.setenv("AWS_PORT", "0")  # another one that runs here is no business of this test
    assert "AttributeType" in refusal(capsys)


def test_an_address_that_is_not_ours_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_HOST", "203.0.113.7")
    assert refusal(capsys).startswith("AWS_HOST 203.0.113.7: ")
