"""POST /api/v1/applications/key/{appKey}: Modify App API Key, and Regenerate App API Key where the key has expired.

The vendor prints the same method, URL and fields for both; either way the key keeps its secret.
"""

from typing import Annotated

from keywright import bootstrap, lifecycle
from keywright.dialects import voltmx
from keywright.dialects.voltmx import app_api_keys, refusals, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = voltmx.endpoint_for_either(
    "keys:change",
    app_api_keys.to_change,
    refusals.MODIFY,
    app_keys=lambda: bootstrap.settings().voltmx_app_keys,
    reads=app_api_keys.in_path,
)
app = endpoint.app


@app.post("/api/v1/applications/key/<appKey>")
def modify_app_api_key(
    found: Annotated[app_api_keys.Change, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.AppApiKeyMessage:
    key, zone = found.named.key, bootstrap.settings().time_zone
    wanted = wire.ModifyAppApiKey.read(found.sent, zone=zone, now_ms=desk.clock.now_ms())
    description = key.description if wanted.description is None else wanted.description
    lifecycle.amend(desk, caller, key, description=description, expires_at_ms=wanted.expiry_of(key))
    done = "regenerated" if found.regenerates else "updated"
    return wire.AppApiKeyMessage(id=found.named.token, message=f"App API key {done} successfully")


handler = endpoint
