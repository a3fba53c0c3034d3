"""POST /v1/keys/{key_id}/rotation/cancel: back to the former secret; the new one opens nothing any more."""

from keywright import rotation
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:rotate", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/rotation/cancel")
def cancel_rotation(
    body: wire.Nothing, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyView:
    return wire.KeyView.of(rotation.cancel(desk, caller, key), desk.clock.now_ms())


handler = endpoint
