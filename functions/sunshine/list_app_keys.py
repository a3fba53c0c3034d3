"""GET /v2/apps/{appId}/keys, also under /sc: an app's keys and secrets."""

from typing import Annotated

from keywright.dialects import sunshine
from keywright.dialects.sunshine import keys, paths, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import App

endpoint = sunshine.endpoint(paths.app)
app = endpoint.app


@app.get("/v2/apps/<appId>/keys")
@app.get("/sc/v2/apps/<appId>/keys")
def list_app_keys(found: Annotated[App, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> wire.KeyListResponse:
    return keys.all_of(desk, caller, found)


handler = endpoint
