"""PATCH /v1/keys/{key_id}: changes what is named of a key, and only that.

An expired key whose expiry is moved or dropped lives again.
"""

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:change", body=native.JSON)
app = endpoint.app


@app.patch("/v1/keys/<key_id>")
def change_key(
    body: wire.ChangeKey, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.KeyView:
    return wire.KeyView.of(lifecycle.change(desk, caller, key, body.attributes()), desk.clock.now_ms())


handler = endpoint
