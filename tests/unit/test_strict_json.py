from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright import strict_json


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "{'a': 1}",
        '{"a": 1,}',
        "{} {}",
        '{"a": 1, "a": 1}',
        '[{"b": {"a": 1, "a": 2}}]',
        '{"a": 1, "\\u0061": 2}',
        "NaN",
        "[Infinity]",
        '{"a": -Infinity}',
        "1e400",
        "-1e400",
        "[" * 9 + "]" * 9,
        '{"a":' * 9 + "1" + "}" * 9,
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        "9" * 5000,
        "\ufeff{}",
        '"\n"',
        "0x10",
        "01",
    ],
    ids=range(23),
)
def test_what_is_not_strict_is_always_the_same_error(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        strict_json.loads(text)


@pytest.mark.parametrize("text", ["[" * 8 + "]" * 8, '{"a":' * 8 + "1" + "}" * 8, '{"a": 1, "A": 2}', "1e300", "null"])
def test_what_is_strict_is_read(text: str) -> None:
    assert strict_json.loads(text) == json.loads(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=7,
)


@given(VALUES)
def test_it_reads_what_json_writes(value: object) -> None:
    assert strict_json.loads(json.dumps(value)) == value


@given(st.text())
def test_no_text_breaks_it_in_another_way(text: str) -> None:
    with contextlib.suppress(json.JSONDecodeError):
        strict_json.loads(text)
