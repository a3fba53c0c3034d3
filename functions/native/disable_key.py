"""POST /v1/keys/{key_id}/disable: switches a key off for now; verification refuses it from the moment of the answer."""

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:change", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/disable")
def disable_key(body: wire.Nothing, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.KeyView:
    return wire.KeyView.of(lifecycle.disable(desk, caller, key), desk.clock.now_ms())


handler = endpoint
