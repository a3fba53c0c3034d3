"""What is counted and not timed: AWS calls beside their budgets, the price of a million verifications, sizes."""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pydantic

from tests.benchmarks.figures import Figure, Row, Section
from tests.benchmarks.measuring import Subject, processor_time
from tests.benchmarks.place import ROOT
from tests.contract.test_calls_and_rights import TABLE

MILLION = 1_000_000
READ_UNITS = 0.125
"""US dollars for a million of DynamoDB's on-demand read units; a strongly consistent read of up to 4 kB is one."""
REQUESTS = 0.20
"""US dollars for a million calls of a Lambda function."""
GB_SECOND = 0.0000133334
"""US dollars, on arm64, for the first tiers."""
LOG_GB = 0.50
"""US dollars for a GB taken in by CloudWatch Logs; lines of metrics cost no more than others."""
MEMORY_GB = 0.5
FULL_CPU_GB = 1769 / 1024
"""The memory at which a function has one whole processor (AWS Lambda developer guide, configuration-memory)."""
DYNAMODB_MS = 4.0
"""What is assumed for DynamoDB's answer, in the same region; the function waits for it and is billed for that."""
CLIENT_US = 130.0
"""What Lambda's runtime client takes of the processor for one call: not measured here, and not ours to lower."""


def run(folder: Path) -> list[Section | str]:
    return [_calls(folder), _price(folder), _sizes()]


def _calls(folder: Path) -> Section:
    made: dict[str, list[str]] = json.loads((folder / "calls.json").read_text())
    rows = []
    for name, budget in sorted(TABLE.items()):
        if not budget.calls:
            continue
        calls = len(made.get(name, []))
        rows.append(Row(name, Figure([calls], "calls"), Figure([len(budget.calls)], "calls"), 1.0))
    text = """\
For each function's committed event, the calls that it made while it was recorded for this run, beside the table that
`tests/contract/test_calls_and_rights.py` holds it to: the budgets, written out. A note of a key's last use, at most one
an hour and version, is not among them. Functions that make no call are left out."""
    return Section("AWS calls by request", text, rows)


def _price(folder: Path) -> str:
    subjects = [Subject("authorize"), Subject("authorize_cached")]
    read, cached = (figure.median for figure in processor_time(subjects, folder))
    line_kb = 0.75
    lines = [
        "## The price of a million verifications",
        "",
        f"By the authorizer, {MEMORY_GB:g} GB on arm64, by us-east-1's public price lists without free tiers.",
        f"Processor time is this run's; a function has {MEMORY_GB / FULL_CPU_GB:.2f} of a processor at that memory,",
        "so it takes that much longer. Assumed,",
        f"and not measured here: DynamoDB answers in {DYNAMODB_MS:g} ms, the runtime client takes {CLIENT_US:g} us.",
        "",
        "| | each key read anew | from a cache |",
        "| --- | --: | --: |",
    ]
    totals = []
    columns: list[list[str]] = []
    for cpu_us, waits_ms, reads in ((read, DYNAMODB_MS, 1), (cached, 0.0, 0)):
        billed_ms = math.ceil((cpu_us + CLIENT_US) / 1000 * FULL_CPU_GB / MEMORY_GB + waits_ms)
        computing = MILLION * billed_ms / 1000 * MEMORY_GB * GB_SECOND
        costs = [reads * READ_UNITS, REQUESTS, computing, line_kb / 1024 / 1024 * MILLION * LOG_GB]
        totals.append(sum(costs))
        columns.append([f"{cpu_us:,.0f} us", f"{billed_ms} ms", *(f"${cost:.3f}" for cost in costs)])
    names = [
        "processor time of ours",
        f"billed: (ours + {CLIENT_US:g} us) x {FULL_CPU_GB / MEMORY_GB:.2f} + the wait, up to a whole ms",
        f"DynamoDB: read units x ${READ_UNITS}",
        f"Lambda, calls: ${REQUESTS:.2f}",
        f"Lambda, time: seconds x {MEMORY_GB:g} GB x ${GB_SECOND}",
        f"CloudWatch Logs: one line of {line_kb} kB x ${LOG_GB:.2f} a GB",
    ]
    lines += [f"| {name} | {one} | {other} |" for name, one, other in zip(names, *columns, strict=True)]
    lines += [f"| **together** | **${totals[0]:.2f}** | **${totals[1]:.2f}** |", ""]
    lines += [
        "The API's own gateway is not in it: a REST API costs $3.50 and an HTTP API $1.00 a million calls, anyway.",
        "A key with limits adds a write unit, $0.625 a million. Lambda rounds each call up to the next millisecond.",
        "",
    ]
    return "\n".join(lines)


def _sizes() -> str:
    lines = [
        "## Sizes",
        "",
        "Zipped, the packages as they are installed here, without their tests and compiled files.",
        "",
        "| part | zipped | what for |",
        "| --- | --: | --- |",
    ]
    site = Path(pydantic.__file__).parents[1]
    layer = (ROOT / "layers/keywright/requirements.txt").read_text()
    parts = [
        ("`functions/`", [ROOT / "functions"], "every handler, in every function"),
        ("`keywright`", [ROOT / "layers/keywright/keywright"], "the layer's own code"),
    ]
    parts += [
        (f"`{name}`", [site / folder], why)
        for name, folder, why in (
            (
                "aws-lambda-powertools",
                "aws_lambda_powertools",
                "the resolver, log and metrics; loaded by neither authorizers nor the usual verification",
            ),
            ("pydantic", "pydantic", "validation; as above"),
            ("pydantic-core", "pydantic_core", "its compiled half"),
            ("tzdata", "tzdata", "zones, which Lambda's runtime lacks"),
        )
        if re.search(rf"^{name}==", layer, re.MULTILINE)
    ]
    lines += [f"| {name} | {_zipped(folders) / 1024:,.0f} kB | {why} |" for name, folders, why in parts]
    return "\n".join(
        [
            *lines,
            "",
            "Compiled files come on top, if the runtime's interpreter is on the PATH where the layer is built, and the",
            "build says so. They are unchecked-hash ones, which a zip file's times cannot make stale. An interpreter",
            "that differs by a minor version makes none that Lambda could use.",
            "",
        ]
    )


def _zipped(folders: Iterable[Path]) -> int:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and not {"__pycache__", "tests"} & set(path.parts[len(folder.parts) :]):
                    archive.write(path, path.relative_to(folder.parent))
    return len(held.getvalue())
