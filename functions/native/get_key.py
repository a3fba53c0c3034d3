"""GET /v1/keys/{key_id}: one key, without its secret, and when each of its versions was used last."""

from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentReading
from keywright.ports import UsesOf

endpoint = native.key_endpoint("keys:read", uses=True)
app = endpoint.app


@app.get("/v1/keys/<key_id>")
def get_key(key: native.KeyInPath, read: CurrentReading, desk: CurrentDesk) -> wire.UsedKeyView:
    return wire.UsedKeyView.of_used(key, read[UsesOf(key.id)], desk.clock.now_ms())


handler = endpoint
