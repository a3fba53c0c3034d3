"""GET /v2/apps/{appId}/keys/{keyId}, also under /sc: one key with its secret."""

from typing import Annotated

from keywright.dialects import sunshine
from keywright.dialects.sunshine import keys, paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import Key

endpoint = sunshine.key_endpoint(paths.app)
app = endpoint.app


@app.get("/v2/apps/<appId>/keys/<keyId>")
@app.get("/sc/v2/apps/<appId>/keys/<keyId>")
def get_app_key(key: Annotated[Key, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> wire.KeyResponse:
    return keys.one(desk, caller, key)


handler = endpoint
