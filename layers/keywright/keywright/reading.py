"""Addresses of records, and what one read found under them. Those of a verification are here, all others in
`keywright.ports`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from keywright.grants import Grant
from keywright.kinds import OwnerRef

if TYPE_CHECKING:
    from keywright.model import Owner  # noqa: F401  named in quotes below

T_co = TypeVar("T_co", covariant=True)


class Ref(Generic[T_co]):
    """The address of one record of one type."""


@dataclass(frozen=True, slots=True)
class TokenRef(Ref[Grant]):
    """The row of one token."""

    digest: str


@dataclass(frozen=True, slots=True)
class OwnerAt(Ref["Owner"]):
    """An owner that is leaving is not found, unless it is asked for so."""

    owner: OwnerRef
    leaving: bool = False


class Reading:
    """What one read found. Asking for what was not read is an error of the program, not a missing record."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[Ref[Any], object | None]) -> None:
        self._found = found

    def __getitem__(self, ref: Ref[T_co]) -> T_co | None:
        return cast("T_co | None", self._found[ref])

    def __contains__(self, ref: object) -> bool:
        return ref in self._found
