"""DELETE /api/v1/applications/key/{appKey}: takes a key away, at once; its place is free for another."""

from typing import Annotated

from keywright import bootstrap, lifecycle
from keywright.dialects import voltmx
from keywright.dialects.voltmx import app_api_keys, refusals, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = voltmx.endpoint_for_either(
    "keys:change",
    app_api_keys.named,
    refusals.DELETE,
    app_keys=lambda: bootstrap.settings().voltmx_app_keys,
    reads=app_api_keys.in_path,
)
app = endpoint.app


@app.delete("/api/v1/applications/key/<appKey>")
def delete_app_api_key(
    found: Annotated[app_api_keys.Named, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.AppApiKeyMessage:
    lifecycle.delete(desk, caller, found.key)
    return wire.AppApiKeyMessage(id=found.token, message="App API key deleted successfully")


handler = endpoint
