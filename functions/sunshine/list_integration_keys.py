"""GET /v2/apps/{appId}/integrations/{integrationId}/keys, also under /sc: a custom integration's keys and secrets."""

from typing import Annotated

from keywright.dialects import sunshine
from keywright.dialects.sunshine import keys, paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import Integration

endpoint = sunshine.endpoint(paths.custom_integration)
app = endpoint.app


@app.get("/v2/apps/<appId>/integrations/<integrationId>/keys")
@app.get("/sc/v2/apps/<appId>/integrations/<integrationId>/keys")
def list_integration_keys(
    integration: Annotated[Integration, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyListResponse:
    return keys.all_of(desk, caller, integration)


handler = endpoint
