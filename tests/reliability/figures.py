"""What the proofs reached, kept by each run in .cache for `docs/operations/promises.md`."""

from __future__ import annotations

import json
import os
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.engine.process import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".cache" / "figures"
NIGHTLY = os.environ.get("KEYWRIGHT_RELIABILITY") == "nightly"
COMMAND = "make engine" if PROGRAM else "make nightly" if NIGHTLY else "make reliability"
ON_THE_ENGINE = " on the second engine"


@dataclass(slots=True)
class Figures:
    """Counts by proof (R1 ...) and by what was counted."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    noted: dict[str, dict[str, int]] = field(default_factory=dict)
    command: str = COMMAND
    """What reaches them."""

    def add(self, proof: str, **counts: int) -> None:
        """On top of what there is."""
        held = self.counts.setdefault(proof, {})
        for name, count in counts.items():
            held[name] = held.get(name, 0) + count

    def note(self, proof: str, **counts: int) -> None:
        """Of which the greatest counts, in place of the sum."""
        held = self.noted.setdefault(proof, {})
        for name, count in counts.items():
            held[name] = max(held.get(name, 0), count)

    def merge(self, counts: Mapping[str, Mapping[str, int]], noted: Mapping[str, Mapping[str, int]]) -> None:
        """What another process counted."""
        for proof, each in counts.items():
            self.add(proof, **each)
        for proof, each in noted.items():
            self.note(proof, **each)

    @property
    def all(self) -> dict[str, dict[str, int]]:
        proofs = sorted(self.counts.keys() | self.noted.keys())
        return {proof: {**self.counts.get(proof, {}), **self.noted.get(proof, {})} for proof in proofs}

    def keep(self, *, but: Container[str] = ()) -> None:
        """One file a proof, so that a run of some of them leaves the figures of the others, and the daily run those of
        the nightly one."""
        KEPT.mkdir(parents=True, exist_ok=True)
        at = datetime.now(UTC).date().isoformat()
        for proof, counts in self.all.items():
            if proof in but:
                continue
            kept = {
                "proof": f"{proof}{ON_THE_ENGINE if PROGRAM else ''}",
                "command": self.command,
                "date": at,
                "counts": counts,
            }
            (KEPT / f"{proof}.{self.command.split()[1]}.json").write_text(json.dumps(kept, indent=1) + "\n")


def kept() -> dict[str, Mapping[str, Any]]:
    """By proof; the nightly figure where there is one, as it is the greater."""
    found = {}
    for path in sorted(KEPT.glob("*.json"), key=lambda path: "nightly" in path.name):
        figure = json.loads(path.read_text())
        found[figure["proof"]] = figure
    return found
