"""GET /api/v1/applications/key?appId=...: an application's keys, each with its secret, oldest first."""

from typing import Annotated

from keywright import audit, bootstrap
from keywright.audit import Stored
from keywright.dialects import voltmx
from keywright.dialects.voltmx import applications, refusals, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import App

endpoint = voltmx.endpoint_for_either(
    "keys:reveal", applications.asked_for, refusals.GET_ALL, app_keys=lambda: bootstrap.settings().voltmx_app_keys
)
app = endpoint.app


@app.get("/api/v1/applications/key")
def get_app_api_keys(found: Annotated[App, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> wire.AppApiKeys:
    keys = applications.keys(desk, found)
    tokens = audit.reveal(desk, caller, (Stored.of(key, key.newest) for key in keys))
    zone = bootstrap.settings().time_zone
    return wire.AppApiKeys(
        result=[wire.AppApiKey.of(key, token.reveal(), zone) for key, token in zip(keys, tokens, strict=True)]
    )


handler = endpoint
