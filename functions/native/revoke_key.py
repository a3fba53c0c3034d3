"""POST /v1/keys/{key_id}/revoke: ends a key for good, with an optional reason that the audit keeps."""

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:change", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/revoke")
def revoke_key(
    body: wire.RevokeKey, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyView:
    return wire.KeyView.of(lifecycle.revoke(desk, caller, key, body.reason), desk.clock.now_ms())


handler = endpoint
