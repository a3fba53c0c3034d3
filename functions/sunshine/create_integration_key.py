"""POST /v2/apps/{appId}/integrations/{integrationId}/keys, also under /sc: a new key for a custom integration."""

from typing import Annotated

from keywright.dialects import sunshine
from keywright.dialects.sunshine import keys, paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import Integration

endpoint = sunshine.endpoint(paths.custom_integration, body=sunshine.JSON)
app = endpoint.app


@app.post("/v2/apps/<appId>/integrations/<integrationId>/keys", status_code=201)
@app.post("/sc/v2/apps/<appId>/integrations/<integrationId>/keys", status_code=201)
def create_integration_key(
    body: wire.CreateKey, integration: Annotated[Integration, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyResponse:
    return keys.create(desk, caller, integration, body)


handler = endpoint
