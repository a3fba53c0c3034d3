"""`docs/operations/promises.md`, written from the figures that the runs kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.reliability.figures import ON_THE_ENGINE, ROOT

PAGE: Final = ROOT / "docs" / "operations" / "promises.md"


@dataclass(frozen=True, slots=True)
class Promise:
    """`proofs` are the runs whose figures stand for it. The one without a number is about what all others stand on."""

    number: int | None
    text: str
    proofs: tuple[str, ...] = ()


PROMISES: Final = (
    Promise(
        1,
        "A key that was revoked, rotated, disabled or deleted opens nothing from the moment the call returned",
        ("R2", "R5", "R13"),
    ),
    Promise(
        2,
        "A key stops in the millisecond of its expiry, whether or not the sweep has run",
        ("P2", "R13"),
    ),
    Promise(3, "A maximum number of keys is a maximum", ("R1", "R4")),
    Promise(4, "However many rotate at once, one secret is left, or two during an overlap", ("R1", "R3")),
    Promise(
        5,
        "A request that is repeated with its idempotency key has one effect and one answer",
        ("T9", "R6", "R7"),
    ),
    Promise(6, "Whatever fails in the middle, a change is whole or absent, and a retry settles it", ("R6", "R7", "R8")),
    Promise(
        7,
        "No secret lies in clear at rest, in a log, an event, an error, or a context of KMS",
        ("R16", "T2", "R1", "R6"),
    ),
    Promise(8, "Keys cannot be guessed or enumerated", ("T1", "T11", "T12")),
    Promise(
        9,
        "A tenant can neither touch nor detect another's keys",
        ("P9", "R13"),
    ),
    Promise(
        10, "Verification needs the table and nothing else; it is never wrong, at worst unavailable", ("R11", "R12")
    ),
    Promise(11, "Every committed change leaves its event", ("R1", "R6", "R13")),
    Promise(12, "A mail that is due is sent, or kept for somebody to see", ("R10", "T18")),
    Promise(13, "The sweep handles each due key once, resumes, and leaves the rest alone", ("R9",)),
    Promise(14, "A restored backup brings no revoked key back"),
    Promise(15, "Rotating the encryption key loses no secret"),
    Promise(16, "Hostile input gets a clean refusal and writes nothing", ("R14", "R15")),
    Promise(17, "A function may do what it does and nothing more", ("permissions",)),
    Promise(18, "Only a genuine leak report acts, and its answer tells nothing"),
    Promise(None, "A condition or a guard that is taken away is missed by a test", ("R19",)),
)
NOT_BUILT: Final = frozenset({14, 15, 18})
"""Their operations are not there yet."""


def page(figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        "# What is promised, and how far it is proven",
        "",
        "Written by `make reliability`, `make nightly` and `make fuzz`, from what was counted by the runs that the",
        "fourth column names; do not edit. A figure is what the run reached, not what it aims at. What the proofs do",
        "is said at the head of each file in `tests/reliability`, and what holds of the table after every run in",
        "`tests/reliability/invariants.py`. Nothing here was measured in an AWS account: see",
        "[what only a deployment shows](deployed-checklist.md).",
        "",
        "| | promise | figure reached | by | on |",
        "| --- | --- | --- | --- | --- |",
    ]
    for promise in PROMISES:
        asked = [each for proof in promise.proofs for each in (proof, f"{proof}{ON_THE_ENGINE}")]
        ran = [figures[proof] for proof in asked if proof in figures]
        reached = "; ".join(f"{each['proof']}: {_counted(each)}" for each in ran)
        missing = [proof for proof in promise.proofs if proof not in figures]
        if missing:
            reached = "; ".join(filter(None, [reached, f"{', '.join(missing)}: not run"]))
        commands = dict.fromkeys(f"`{each['command']}`" for each in ran)
        if promise.number in NOT_BUILT:
            reached = "not built yet"
        dates = ", ".join(sorted({each["date"] for each in ran}))
        number = "" if promise.number is None else f"P{promise.number}"
        rows.append(f"| {number} | {promise.text} | {reached} | {', '.join(commands)} | {dates} |")
    return "\n".join(rows) + "\n"


def _counted(figure: Mapping[str, Any]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in figure["counts"].items())
