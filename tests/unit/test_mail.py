from __future__ import annotations

from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.mail import LONGEST_ADDRESS, LONGEST_SUBJECT, Letter, is_one_address, is_one_line
from keywright.tokens import Token

KEY = "6B0D549B-6F03-475A-9600-A35A099950D8"
BREAKS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]


def letter(sender: str = "keys@example.com", subject: str = "Your API key", text: str = "{owner}: {key}") -> Letter:
    return Letter(sender, subject, text)


# --- what may stand in a mail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a@b", "dev@example.com", "first.last+tag@mail.example.co.uk", "o'hara@1.example"])
def test_one_address_is_one(text: str) -> None:
    assert is_one_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "@b", "a@", "a@b@c", "a@b,c@d", "a@b;c@d", "a@b c@d", "a@b, c@d", "<a@b>", "A <a@b>", '"a"@b', "a@b (c)",
     "a@-b", "a@b-", "a@b..c", "a@.b", "a@[1.2.3.4]", "\u00e4@b", "a@\u00e4", "a@\uff42", f"{'a' * 253}@b"],
)  # fmt: skip
def test_what_is_no_address_or_more_than_one_is_none(text: str) -> None:
    assert not is_one_address(text)


def test_an_address_may_have_254_characters() -> None:
    assert is_one_address(f"{'a' * (LONGEST_ADDRESS - 2)}@b")


@pytest.mark.parametrize("character", BREAKS, ids=lambda character: f"U+{ord(character):04X}")
def test_what_could_break_a_line_is_noticed_wherever_it_stands(character: str) -> None:
    for place in ("{}a@b", "a{}@b", "a@{}b", "a@b{}"):
        text = place.format(character)
        assert not is_one_line(text)
        assert not is_one_address(text)


@given(st.text(st.sampled_from('ab@.,;:<>()[]"\\ \t\r\n-_+%\u00e4\u2028\x85'), max_size=40))
def test_whatever_passes_for_one_address_is_one_to_a_mail_library_too(text: str) -> None:
    if is_one_address(text):
        assert getaddresses([text]) == [("", text)]


@given(st.text())
def test_a_line_is_one_to_everything_that_splits_lines(text: str) -> None:
    if is_one_line(text):
        assert len(text.splitlines()) <= 1


# --- the letter ----------------------------------------------------------------------------------------------------


def test_key_and_name_are_filled_in_once_and_as_they_are() -> None:
    filled = letter(text="Hello {owner},\n{key}\n{key}").text_for(Token(KEY), "Meera {key} {owner} \\1")
    assert filled == f"Hello Meera {{key}} {{owner}} \\1,\n{KEY}\n{KEY}"


def test_the_name_may_be_left_out_and_other_braces_stand() -> None:
    assert letter(text="{ {key} } {{key}}").text_for(Token(KEY), "Meera") == f"{{ {KEY} }} {{{KEY}}}"


def test_a_letter_does_not_show_the_key_by_itself() -> None:
    assert KEY not in repr(letter())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sender", ""),
        ("sender", "Keywright <keys@example.com>"),
        ("sender", "a@example.com,b@example.com"),
        ("sender", "keys@example.com\r\nBcc: all@example.com"),
        ("subject", ""),
        ("subject", "s" * (LONGEST_SUBJECT + 1)),
        ("subject", "Key of {owner}"),
        ("subject", "{key}"),
        ("subject", "Key\r\nBcc: all@example.com"),
        ("text", ""),
        ("text", "Hello {owner}"),
        ("text", "{key} {password}"),
        ("text", "{key} {}"),
        ("text", "{KEY}"),
        ("text", "{key}\r\n"),
        ("text", "{key}\x00"),
    ],
)
def test_a_letter_that_could_not_be_sent_or_would_not_hold_the_key_is_refused(member: str, value: str) -> None:
    with pytest.raises(ValueError, match="mail"):
        letter(**{member: value})


@pytest.mark.parametrize("member", ["sender", "subject", "text"])
def test_no_member_of_a_letter_holds_what_could_break_a_line(member: str) -> None:
    sound = {"sender": "keys@example.com", "subject": "Your API key", "text": "{key}"}
    for character in BREAKS:
        if (member, character) == ("text", "\n"):
            continue
        with pytest.raises(ValueError, match="mail"):
            letter(**{member: sound[member] + character})
