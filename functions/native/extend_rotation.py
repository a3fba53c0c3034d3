"""POST /v1/keys/{key_id}/rotation/extend: another end of the overlap, later or earlier, counted from now."""

from keywright import rotation
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:rotate", body=native.JSON, may_be_empty=False, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/rotation/extend")
def extend_rotation(
    body: wire.ExtendRotation, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyView:
    return wire.KeyView.of(rotation.extend(desk, caller, key, overlap_ms=body.overlap_ms), desk.clock.now_ms())


handler = endpoint
