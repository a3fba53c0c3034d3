"""POST /v1/keys/{key_id}/links: a one-time link to the newest secret of a key; only this answer shows the link.

The link is opened by whoever has it, once, within its lifetime. With an `email` it is mailed there too.
"""

from keywright.dialects import native
from keywright.dialects.native import links, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, PublicUrl

endpoint = native.key_endpoint("keys:reveal", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/keys/<key_id>/links", status_code=201)
def create_link(
    body: wire.CreateLink, key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk, public_url: PublicUrl
) -> wire.CreatedLink:
    return links.create(desk, caller, key, body, public_url)


handler = endpoint
