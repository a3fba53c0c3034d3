"""POST /v2/apps/{appId}/keys, also under /sc: a new key for an app."""

from typing import Annotated

from keywright.dialects import sunshine
from keywright.dialects.sunshine import keys, paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import App

endpoint = sunshine.endpoint(paths.app, body=sunshine.JSON)
app = endpoint.app


@app.post("/v2/apps/<appId>/keys", status_code=201)
@app.post("/sc/v2/apps/<appId>/keys", status_code=201)
def create_app_key(
    body: wire.CreateKey, found: Annotated[App, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyResponse:
    return keys.create(desk, caller, found, body)


handler = endpoint
