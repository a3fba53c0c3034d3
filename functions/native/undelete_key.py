"""POST /v1/keys/{key_id}/undelete: has a deleted key back as it was, with its tokens and its place, within 30 days."""

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:delete", body=native.JSON, repeatable=True, deleted_too=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/undelete")
def undelete_key(
    body: wire.Nothing, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyView:
    return wire.KeyView.of(lifecycle.undelete(desk, caller, key), desk.clock.now_ms())


handler = endpoint
