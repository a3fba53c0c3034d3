"""What the hot path notes of a request: one line, and it is the metric as well.

CloudWatch reads metrics out of any log line that says under `_aws` which of its members they are (its embedded metric
format), so one line written at once takes the place of a logger and of a metrics collector, whose loading alone takes
longer than everything else that an authorizer does. Its members have the names that the other functions' lines have.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from keywright import bootstrap
from keywright.access import Principal
from keywright.gate import Gate
from keywright.grants import Grant

_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def note(
    surface: str,
    message: str,
    *,
    level: str = "INFO",
    refused: bool | None = None,
    fault: bool = False,
    **said: Any,
) -> None:
    """Counts an answer and says what it was. No credential, no path and no header belongs into `said`. Refusals are
    counted of a surface that says of each answer whether it is one."""
    counted = {"Answers": 1, "Faults": int(fault)}
    if refused is not None:
        counted["Refusals"] = int(refused)
    _write(level, message, {"surface": surface, **said}, counted)


def warn(message: str, counted: str) -> None:
    """Something went wrong that no answer tells of; `counted` is the metric that counts it."""
    _write("WARNING", message, {}, {counted: 1})


def note_refused_use(gate: Gate, known: Grant, *, by: Principal | None = None, address: str = "") -> None:
    """For the audit, see `refused_use.note`; what it could not keep is counted."""
    from keywright import refused_use  # noqa: PLC0415  hardly any verification comes to it

    if refused_use.note(gate, known, by=by, address=address) is refused_use.Noted.FAILED:
        warn("a refused use was not noted", "RefusedUsesLost")


def _write(level: str, message: str, said: Mapping[str, Any], counted: Mapping[str, int]) -> None:
    now_ms = time.time_ns() // 1_000_000
    line = {
        "level": level,
        "message": message,
        "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now_ms // 1000))}.{now_ms % 1000:03d}+00:00",
        "service": "keywright",
        **said,
        **counted,
    }
    measured = _measured(bootstrap.metrics_namespace(), "surface" in said, *counted)
    sys.stdout.write(f'{_encode(line)[:-1]},"_aws":{{"Timestamp":{now_ms},"CloudWatchMetrics":{measured}}}}}\n')


@cache
def _measured(namespace: str, by_surface: bool, *names: str) -> str:
    dimensions = ["service", "surface"] if by_surface else ["service"]
    metrics = [{"Name": name, "Unit": "Count"} for name in names]
    return _encode([{"Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics}])
