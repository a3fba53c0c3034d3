"""POST /v1/keys: a new key for an owner of the caller's tenant; the answer is the only one that shows the token.

With `hand_over` it shows the address of a one-time link instead, so that whoever orders a key for somebody else does
not see it.
"""

from keywright.dialects import native
from keywright.dialects.native import links, orders, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, CurrentReading, PublicUrl

endpoint = native.endpoint("keys:issue", body=native.JSON, repeatable=True, reads=orders.reads)
app = endpoint.app


@app.post("/v1/keys", status_code=201)
def issue_key(
    body: wire.IssueKey, caller: CurrentPrincipal, read: CurrentReading, desk: CurrentDesk, public_url: PublicUrl
) -> wire.IssuedKey:
    return links.issue(desk, caller, orders.order(body, caller, read), body.hand_over, public_url)


handler = endpoint
