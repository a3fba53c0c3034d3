"""GET /api/v1/applications/key/{appKey}: one key; its secret is the one that the caller sent."""

from typing import Annotated

from keywright import bootstrap
from keywright.dialects import voltmx
from keywright.dialects.voltmx import app_api_keys, refusals, wire
from keywright.edge import Found

endpoint = voltmx.endpoint_for_either(
    "keys:read",
    app_api_keys.named,
    refusals.GET_ONE,
    app_keys=lambda: bootstrap.settings().voltmx_app_keys,
    reads=app_api_keys.in_path,
)
app = endpoint.app


@app.get("/api/v1/applications/key/<appKey>")
def get_app_api_key_details(found: Annotated[app_api_keys.Named, Found]) -> wire.AppApiKeyDetails:
    return wire.AppApiKeyDetails(result=wire.AppApiKey.of(found.key, found.token, bootstrap.settings().time_zone))


handler = endpoint
