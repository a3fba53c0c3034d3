"""POST /v1/keys/{key_id}/rotate: the next secret of a key, under the same id; the former works on for the overlap.

The answer is the only one that shows the token, or with `hand_over` the address of a one-time link to it. A key cannot
rotate itself.
"""

from keywright.dialects import native
from keywright.dialects.native import links, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, PublicUrl

endpoint = native.key_endpoint("keys:rotate", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/rotate")
def rotate_key(
    body: wire.RotateKey, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk, public_url: PublicUrl
) -> wire.IssuedKey:
    return links.rotate(desk, caller, key, body, public_url)


handler = endpoint
