"""Items of the table: how they are addressed, and how values are made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from keywright.adapters.attributes import from_wire, to_wire
from keywright.kinds import OwnerKind

T = TypeVar("T")
Item = dict[str, Any]
"""An item with plain values; on the wire each is wrapped in its type."""

US: Final = "\x1f"
"""No id holds it; see `keywright.adapters.dynamodb`."""


def can_be(address: tuple[str, str]) -> bool:
    """Whether anything can be there: DynamoDB takes sort keys of 1 to 1,024 bytes and partition keys of up to 2,048,
    and answers anything else with an error."""
    pk, sk = address
    return len(pk.encode()) <= 2048 and 0 < len(sk.encode()) <= 1024


def item_key(address: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": address[0]}, "sk": {"S": address[1]}}


def owners_of(tenant: str, kind: OwnerKind) -> str:
    """The partition of a tenant's owners of one kind."""
    return f"OWNERS#{tenant}#{kind}"


def wire_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_wire(value) for name, value in item.items()}


def plain_item(wire: Mapping[str, Any]) -> Item:
    return {name: from_wire(value) for name, value in wire.items()}


def build(cls: type[T], value: Item) -> T:
    """The value of a dataclass that an item was made of."""
    return cast("T", _builder(cast("Any", cls))(value))


@cache
def _builder(annotation: Any) -> Callable[[Any], Any]:
    """How values of a declared type are built. Reading declarations takes longer than building: once will do."""
    if is_dataclass(annotation):
        cls, hints = cast("Any", annotation), get_type_hints(annotation)
        members = [(each.name, _builder(hints[each.name])) for each in fields(annotation)]
        return lambda value: cls(**{name: build(value[name]) for name, build in members if name in value})
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _builder(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is tuple:
        build = _builder(get_args(annotation)[0])
        return lambda value: tuple(map(build, value))
    if isinstance(annotation, type) and issubclass(annotation, Enum | int | bytes) and annotation is not bool:
        return annotation
    return lambda value: value
