"""local.outbox: the mails that SES took, as files for a person."""

from __future__ import annotations

import email
import re
import stat
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from local.iam import Call
from local.outbox import Outbox
from local.server import Response

KEY = "6B0D549B-6F03-475A-9600-A35A099950D8"
TAKEN = Response(200, (), b'{"MessageId": "0100"}')


def call(operation: str = "SendEmail", **changes: Any) -> Call:
    request = {
        "FromEmailAddress": "keys@keywright.example",
        "Destination": {"ToAddresses": ["dev@example.com"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Your API key", "Charset": "UTF-8"},
                "Body": {"Text": {"Data": f"Hello Zoë,\n\n    {KEY}\n", "Charset": "UTF-8"}},
            }
        },
        **changes,
    }
    return Call("SupportcenterEmailApiKey", "ses", operation, request)


def test_a_mail_lies_readable_in_the_folder_and_one_line_says_where(tmp_path: Path) -> None:
    said: list[str] = []
    Outbox(tmp_path / "outbox", said.append).watch(call(), TAKEN)

    (path,) = (tmp_path / "outbox").iterdir()
    text = path.read_text(encoding="utf-8")
    assert "To: dev@example.com\n" in text
    assert text.endswith(f"\n\nHello Zoë,\n\n    {KEY}\n")
    mail = email.message_from_bytes(path.read_bytes(), policy=default)
    assert (mail["From"], mail["To"], mail["Subject"]) == ("keys@keywright.example", "dev@example.com", "Your API key")
    assert mail.get_content() == f"Hello Zoë,\n\n    {KEY}\n"
    assert len(said) == 1
    assert said[0].startswith("Mail to dev@example.com: ")
    assert said[0].endswith(f"outbox/{path.name}")


def test_neither_the_name_nor_the_line_holds_the_key_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    said: list[str] = []
    Outbox(tmp_path / "outbox", said.append).watch(call(), TAKEN)

    (path,) = (tmp_path / "outbox").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}-001\.eml", path.name)
    assert KEY not in said[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_each_mail_is_a_file_of_its_own(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, lambda _: None)
    for _ in range(3):
        outbox.watch(call(), TAKEN)
    assert len(list(tmp_path.iterdir())) == 3


def test_what_was_mailed_in_a_run_before_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    Outbox(tmp_path, lambda _: None).watch(call(), TAKEN)
    (tmp_path / "mine.txt").touch()
    Outbox(tmp_path, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (call(), Response(400, (), b'{"message": "Email address not verified"}')),
        (call("GetAccount"), TAKEN),
        (Call(None, "dynamodb", "Query", {}), TAKEN),
    ],
    ids=["refused", "another operation", "another service"],
)
def test_what_is_no_mail_that_ses_took_is_let_pass(tmp_path: Path, made: Call, answer: Response) -> None:
    Outbox(tmp_path / "outbox", pytest.fail).watch(made, answer)
    assert not (tmp_path / "outbox").exists()


def test_a_field_that_would_begin_another_header_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Header"):
        Outbox(tmp_path, pytest.fail).watch(call(FromEmailAddress="a@b\r\nBcc: all@example.com"), TAKEN)
    assert list(tmp_path.iterdir()) == []
