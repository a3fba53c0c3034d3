"""POST /v1/keys/{key_id}/enable: switches a disabled key on again."""

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:change", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/enable")
def enable_key(body: wire.Nothing, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.KeyView:
    return wire.KeyView.of(lifecycle.enable(desk, caller, key), desk.clock.now_ms())


handler = endpoint
