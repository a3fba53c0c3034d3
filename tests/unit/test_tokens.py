from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import pickle
import re
import secrets
import string
import traceback
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright import tokens
from keywright.tokens import Format, Token

STAGE = "live"
BASE62 = string.digits + string.ascii_letters
SHAPES = {
    Format.NATIVE: r"kw_live_[0-9A-Za-z]{49}",
    Format.ACCESS_KEY_112: r"([0-9A-Za-z]|%2B|%2F){150}%3D%3D",
    Format.ACCESS_KEY_120: r"([0-9A-Za-z]|%2B|%2F){160}",
    Format.PAIRING: r"[0-9A-Za-z]{64}",
    Format.BEARER: r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}",
    Format.GUID_UPPER: r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}",
    Format.GUID_LOWER: r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    Format.SECRET: r"[A-Za-z0-9_-]{86}",
}
FIXED_BITS = {Format.GUID_UPPER: 6, Format.GUID_LOWER: 6}
"""Of the bits drawn for a UUID, those that its version and variant overwrite."""

FIXED_POSITIONS = {
    Format.NATIVE: {*range(8), 51},  # the checksum has 32 bits, so the first of its six digits is small
    Format.ACCESS_KEY_112: {149, 150, 151},
    Format.BEARER: {0, 1, 2, 3, 4, 37},
    Format.GUID_UPPER: {8, 13, 14, 18, 19, 23},
    Format.GUID_LOWER: {8, 13, 14, 18, 19, 23},
    Format.SECRET: {85},
}
"""Prefixes, separators, padding; and the last letter before it, which carries two or four bits."""


def text_of(form: Format) -> str:
    return tokens.generate(form, stage=STAGE).reveal()


def fingerprint(text: str) -> str | None:
    canonical = tokens.recognise(text)
    return None if canonical is None else canonical.fingerprint


# --- generation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", Format)
def test_a_token_has_the_shape_of_its_format(form: Format) -> None:
    for _ in range(50):
        text = text_of(form)
        assert re.fullmatch(SHAPES[form], text)
        assert len(text) <= tokens.LONGEST
        assert fingerprint(text) is not None


@pytest.mark.parametrize("form", Format)
def test_a_token_is_made_of_at_least_122_bits_of_the_systems_randomness(
    form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = 0.0
    token_bytes, choice = secrets.token_bytes, secrets.choice

    def counted_bytes(length: int | None = None) -> bytes:
        nonlocal drawn
        made = token_bytes(length)
        drawn += 8 * len(made)
        return made

    def counted_choice(letters: Sequence[Any]) -> Any:
        nonlocal drawn
        drawn += math.log2(len(letters))
        return choice(letters)

    monkeypatch.setattr(secrets, "token_bytes", counted_bytes)
    monkeypatch.setattr(secrets, "choice", counted_choice)
    text_of(form)
    assert drawn - FIXED_BITS.get(form, 0) >= (256 if form is Format.NATIVE else 122)


@pytest.mark.parametrize("form", Format)
def test_no_position_but_the_fixed_ones_stands_still(form: Format) -> None:
    columns = list(zip(*(unquote(text_of(form)) for _ in range(200)), strict=True))
    still = {position for position, letters in enumerate(columns) if len(set(letters)) < 4}
    assert still <= FIXED_POSITIONS.get(form, set())


@pytest.mark.parametrize("form", Format)
def test_ten_thousand_tokens_are_ten_thousand_different_ones(form: Format) -> None:
    made = [text_of(form) for _ in range(10_000)]
    assert len(set(made)) == len({fingerprint(text) for text in made}) == len(made)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: tokens.new_id("key_"), r"key_[0-9a-f]{24}"),
        (tokens.new_number, r"[1-9][0-9]{23}"),
        (tokens.new_code, r"[0-9a-f]{64}"),
        (tokens.new_serial, SHAPES[Format.GUID_LOWER]),
    ],
)
def test_identifiers_have_their_shape_and_differ(make: Callable[[], str], shape: str) -> None:
    made = {make() for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(shape, each) for each in made)


def test_an_id_is_known_by_its_prefix_and_its_shape() -> None:
    made = tokens.new_id("int_")
    assert tokens.is_id(made, {"int_", "app_"})
    assert tokens.is_id(f"app_{made[4:]}", ("int_", "app_"))
    assert not tokens.is_id(made, ())
    assert not tokens.is_id(made, {"app_", "key_"})
    for other in ("", "int_", made[:-1], f"{made}0", f"{made}\n", f" {made}", made[4:], made.upper(), f"int_{made}"):
        assert not tokens.is_id(other, {"int_"})
    for digits in ("g" * 24, "F" * 24, "\uff10" * 24, "-" * 24, " " * 24):
        assert not tokens.is_id(f"int_{digits}", {"int_"})


# --- recognition ---------------------------------------------------------------------------------------------------


def test_every_change_of_one_character_of_a_native_token_is_noticed() -> None:
    text = text_of(Format.NATIVE)
    for position, original in enumerate(text):
        for other in set(BASE62 + "_-.% ") - {original}:
            assert tokens.recognise(text[:position] + other + text[position + 1 :]) is None


def test_a_swap_a_loss_and_an_addition_are_noticed_in_a_native_token() -> None:
    text = text_of(Format.NATIVE)
    for position in range(len(text) - 1):
        swapped = text[:position] + text[position + 1] + text[position] + text[position + 2 :]
        assert swapped == text or tokens.recognise(swapped) is None
        assert tokens.recognise(text[:position] + text[position + 1 :]) is None
        assert tokens.recognise(text[:position] + "0" + text[position:]) is None
    assert tokens.recognise(text + "\n") is None
    assert tokens.recognise(" " + text) is None


def test_a_native_token_counts_its_case() -> None:
    text = text_of(Format.NATIVE)
    assert tokens.recognise(text.swapcase()) is None


def test_a_guid_has_one_digest_in_any_case() -> None:
    text = text_of(Format.GUID_LOWER)
    spellings = {text, text.upper(), text.title(), text.swapcase()}
    assert {fingerprint(each) for each in spellings} == {hashlib.sha256(text.encode()).hexdigest()}


@pytest.mark.parametrize("alter", ["{{{}}}", "urn:uuid:{}", "{}\n", " {}", "{}-"])
def test_other_spellings_of_a_guid_are_refused(alter: str) -> None:
    text = text_of(Format.GUID_UPPER)
    assert tokens.recognise(alter.format(text)) is None
    assert tokens.recognise(text.replace("-", "")) is None


@pytest.mark.parametrize("form", [Format.ACCESS_KEY_112, Format.ACCESS_KEY_120])
def test_an_access_key_has_one_digest_percent_encoded_or_not(form: Format) -> None:
    text = text_of(form)
    plain = unquote(text)
    everything = "".join(f"%{ord(letter):02x}" for letter in plain)
    spellings = {text, plain, text.replace("%2B", "%2b").replace("%2F", "%2f"), quote(plain, safe="/"), everything}
    assert {fingerprint(each) for each in spellings} == {hashlib.sha256(plain.encode()).hexdigest()}


@pytest.mark.parametrize("form", [Format.ACCESS_KEY_112, Format.ACCESS_KEY_120])
def test_other_spellings_of_an_access_key_are_refused(form: Format) -> None:
    text = text_of(form)
    plain = unquote(text)
    raw = base64.b64decode(plain)
    altered = [
        quote(text, safe=""),
        plain.rstrip("=") if "=" in plain else plain + "=",
        plain + "==",
        plain[:76] + "\n" + plain[76:],
        plain[:-1] + " ",
        base64.b64encode(raw + b"\0").decode(),
        base64.b64encode(raw[:-1]).decode(),
    ]
    if "+" in plain or "/" in plain:
        altered.append(base64.urlsafe_b64encode(raw).decode())
    assert [each for each in altered if tokens.recognise(each) is not None] == []


def test_spare_bits_of_base64_make_no_second_spelling() -> None:
    plain = unquote(text_of(Format.ACCESS_KEY_112))
    raw = base64.b64decode(plain)
    twins = [plain[:-3] + letter + "==" for letter in BASE62 + "+/" if plain[-3] != letter]
    same = [twin for twin in twins if base64.b64decode(twin) == raw]
    assert len(same) == 15
    assert [twin for twin in same if tokens.recognise(twin) is not None] == []


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        " ",
        "token",
        "kw_live_",
        "1000.x.y",
        "%",
        "%FF",
        "%ff%fe",
        "%00",
        "\0",
        "ÿ",
        "\ud800",
        "\u0661" * 36,
        "K" * 64 + "\u212a",
        "A" * (tokens.LONGEST + 1),
        "A" * 1_000_000,
        "%41" * 1000,
    ],
)
def test_garbage_is_no_token(garbage: str) -> None:
    assert tokens.recognise(garbage) is None


@given(st.text() | st.text(alphabet="%0123456789abcdefABCDEF=+/_-") | st.binary().map(quote))
def test_no_text_at_all_breaks_the_recognition(text: str) -> None:
    tokens.recognise(text)


@given(st.text(min_size=1, max_size=5), st.sampled_from(list(Format)))
def test_a_token_with_something_around_it_is_no_token(more: str, form: Format) -> None:
    text = text_of(form)
    for each in (text + more, more + text):
        assert tokens.recognise(each) is None or unquote(each) == unquote(text)


# --- a token keeps itself to itself --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", Format)
def test_a_token_shows_itself_to_nobody_who_does_not_ask(form: Format) -> None:
    token = tokens.generate(form, stage=STAGE)
    told = ValueError(token)
    shown = [repr(token), str(token), f"{token}", f"{token!r:>20}", f"{token}", format(token), str({"t": token})]
    shown += [str(told), repr(told), "".join(traceback.format_exception(told))]
    assert not any(token.reveal() in each for each in shown)
    assert shown[0] == "Token(***)"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_token_is_not_pickled(protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(tokens.generate(Format.NATIVE, stage=STAGE), protocol)


@pytest.mark.parametrize(
    "leak", [copy.copy, copy.deepcopy, json.dumps, vars, hash, lambda token: {token}, bytes, iter, len]
)
def test_a_token_lends_itself_to_no_copy(leak: Callable[[Token], object]) -> None:
    token = tokens.generate(Format.NATIVE, stage=STAGE)
    with pytest.raises(TypeError) as refused:
        leak(token)
    assert token.reveal() not in str(refused.value)


def test_tokens_are_equal_by_what_they_reveal() -> None:
    token = tokens.generate(Format.NATIVE, stage=STAGE)
    assert token == Token(token.reveal())
    assert token != tokens.generate(Format.NATIVE, stage=STAGE)
    assert token != token.reveal()


def test_the_digest_of_what_is_no_token_is_refused_without_a_word_of_it() -> None:
    with pytest.raises(ValueError, match="not a token") as refused:
        _ = Token("kw_live_not-a-secret").digest
    assert "not-a-secret" not in str(refused.value)


@pytest.mark.parametrize("form", Format)
def test_the_digest_is_that_of_the_canonical_spelling(form: Format) -> None:
    token = tokens.generate(form, stage=STAGE)
    assert token.digest == fingerprint(token.reveal())
