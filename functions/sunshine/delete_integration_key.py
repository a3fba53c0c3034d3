"""DELETE /v2/apps/{appId}/integrations/{integrationId}/keys/{keyId}, also under /sc: the key stops at once."""

from typing import Annotated

from keywright import lifecycle
from keywright.dialects import sunshine
from keywright.dialects.sunshine import paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import Key

endpoint = sunshine.key_endpoint(paths.custom_integration)
app = endpoint.app


@app.delete("/v2/apps/<appId>/integrations/<integrationId>/keys/<keyId>")
@app.delete("/sc/v2/apps/<appId>/integrations/<integrationId>/keys/<keyId>")
def delete_integration_key(key: Annotated[Key, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> wire.DeletedKey:
    lifecycle.delete(desk, caller, key)
    return wire.DeletedKey()


handler = endpoint
