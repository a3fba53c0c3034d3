"""Values as DynamoDB has them: each wrapped in its type.

Only the types that are stored: text, whole numbers, truth values, bytes, lists, maps, and sets of text. boto3 brings a
codec for all there are, numbers as decimals, in four times the time; the tests hold the two equal. Bytes are written as
they are and read as base64 text, as a `JsonService` takes and gives them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

AttributeValue = dict[str, Any]


def to_wire(value: Any) -> AttributeValue:
    """Raises TypeError for a type that is not stored, ValueError for an empty set, which DynamoDB does not know."""
    if (write := _WRITERS.get(type(value))) is not None:
        return write(value)
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [to_wire(each) for each in value]}
        case dict():
            return {"M": {name: to_wire(each) for name, each in value.items()}}
        case set():
            if not value:
                raise ValueError("a set is never empty")
            return {"SS": sorted(value)}
    raise TypeError(type(value).__name__)


_WRITERS: Final[Mapping[type, Callable[[Any], AttributeValue]]] = {
    str: lambda value: {"S": value},
    bool: lambda value: {"BOOL": value},
    int: lambda value: {"N": str(value)},
    list: lambda value: {"L": [to_wire(each) for each in value]},
    dict: lambda value: {"M": {name: to_wire(each) for name, each in value.items()}},
}
"""What most values are. `to_wire` knows their subclasses too."""


def from_wire(wire: Mapping[str, Any]) -> Any:
    """Raises ValueError or LookupError for what `to_wire` never wrote."""
    ((kind, value),) = wire.items()
    return _READERS[kind](value)


def _same(value: Any) -> Any:
    return value


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "S": _same,
    "BOOL": _same,
    "N": int,
    "B": base64.b64decode,
    "L": lambda value: [from_wire(each) for each in value],
    "M": lambda value: {name: from_wire(each) for name, each in value.items()},
    "SS": set,
}
