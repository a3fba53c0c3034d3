"""Figures, rows and tables: how what was measured is told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What the rounds gave, in `unit`."""

    values: Sequence[float]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) < 4:
            return f"{self.median:,.0f} {self.unit}"
        low, _, high = statistics.quantiles(self.values, n=4)
        return f"{self.median:,.0f} {self.unit} ({low:,.0f} to {high:,.0f})"


@dataclass(frozen=True)
class Row:
    """One subject beside its floor. `target` is what the ratio is to stay under, None where nothing was set."""

    name: str
    figure: Figure
    floor: Figure
    target: float | None = None

    @property
    def ratio(self) -> float:
        return self.figure.median / self.floor.median

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.ratio <= self.target else "missed"

    def __str__(self) -> str:
        target = "" if self.target is None else f"{self.target:.2f}"
        return f"| {self.name} | {self.figure} | {self.ratio:.2f} | {target} | {self.verdict} |"


@dataclass(frozen=True)
class Section:
    """One table of the document."""

    title: str
    text: str
    rows: Sequence[Row]

    def __str__(self) -> str:
        head = ["| | median (middle half) | ratio | target | |", "| --- | --: | --: | --: | --- |"]
        return "\n".join([f"## {self.title}", "", self.text, "", *head, *map(str, self.rows), ""])
