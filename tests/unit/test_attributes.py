"""boto3's codec is the judge: the same values become the same attributes, and come back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from keywright.adapters.attributes import from_wire, to_wire

LEAVES = st.text(max_size=20) | st.booleans() | st.integers(-(10**37), 10**37) | st.binary(max_size=20)
SETS = st.sets(st.text(min_size=1, max_size=5), min_size=1, max_size=4)
VALUES = st.recursive(
    LEAVES | SETS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


def answered(wire: Any) -> Any:
    """As it comes back: blobs as base64 text."""
    ((kind, value),) = wire.items()
    match kind:
        case "B":
            return {"B": base64.b64encode(value).decode()}
        case "L":
            return {"L": [answered(each) for each in value]}
        case "M":
            return {"M": {name: answered(each) for name, each in value.items()}}
    return wire


def sorted_sets(wire: Any) -> Any:
    ((kind, value),) = wire.items()
    match kind:
        case "SS":
            return {"SS": sorted(value)}
        case "L":
            return {"L": [sorted_sets(each) for each in value]}
        case "M":
            return {"M": {name: sorted_sets(each) for name, each in value.items()}}
    return wire


def plain(value: Any) -> Any:
    """What boto3 gives as bytes of its own kind, and as decimals."""
    if isinstance(value, Binary):
        return value.__bytes__()
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return value


@given(VALUES)
def test_a_value_is_written_as_boto3_writes_it(value: Any) -> None:
    assert to_wire(value) == sorted_sets(TypeSerializer().serialize(value))


@given(VALUES)
def test_a_value_is_read_as_boto3_reads_it(value: Any) -> None:
    wire: Any = to_wire(value)
    assert from_wire(answered(wire)) == plain(TypeDeserializer().deserialize(wire)) == value


@given(VALUES)
def test_a_value_keeps_its_type(value: Any) -> None:
    assert type(from_wire(answered(to_wire(value)))) is type(value)


@pytest.mark.parametrize("value", [None, 1.5, (1,), {1: "a"}.keys(), object(), [None], {"a": 0.1}])
def test_what_is_not_stored_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError):
        to_wire(value)


def test_an_empty_set_is_not_written() -> None:
    with pytest.raises(ValueError, match="never empty"):
        to_wire(set())


@pytest.mark.parametrize("wire", [{}, {"S": "a", "N": "1"}, {"N": "1.5"}, {"NULL": True}, {"X": "a"}, {"B": "a"}])
def test_what_was_never_written_is_not_read(wire: dict[str, Any]) -> None:
    with pytest.raises((ValueError, LookupError)):
        from_wire(wire)
