"""JSON as RFC 8259 has it, and no more: what is read here was meant to be read so.

Python's own reader lets pass what another reader takes for something else: of a member named twice it keeps the last,
and it knows NaN and infinity.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

DEEPEST: Final = 8
"""Levels of lists and objects."""


def loads(text: str) -> Any:
    """The value. No member is named twice, no number is NaN or infinite, nothing is nested deeper than `DEEPEST`.

    Raises JSONDecodeError for every defect, since Powertools takes only that for a client's fault.
    """
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_finite)
        _check_depth(value, DEEPEST)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as unreadable:
        raise json.JSONDecodeError("not acceptable", "", 0) from unreadable
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _refuse_constant(_: str) -> None:
    raise ValueError("no number")


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError("too large")
    return number


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, dict | list):
        if left == 0:
            raise ValueError("too deep")
        for each in value.values() if isinstance(value, dict) else value:
            _check_depth(each, left - 1)
