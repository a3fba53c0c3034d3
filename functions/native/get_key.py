"""GET /v1/keys/{key_id}: one key, without its secret."""

from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk

endpoint = native.key_endpoint("keys:read")
app = endpoint.app


@app.get("/v1/keys/<key_id>")
def get_key(key: native.KeyInPath, desk: CurrentDesk) -> wire.KeyView:
    return wire.KeyView.of(key, desk.clock.now_ms())


handler = endpoint
