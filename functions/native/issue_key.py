"""POST /v1/keys: a new key for an owner of the caller's tenant; the answer is the only one that shows the token."""

from keywright import issuing
from keywright.dialects import native
from keywright.dialects.native import orders, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, CurrentReading

endpoint = native.endpoint("keys:issue", body=native.JSON, reads=orders.reads)
app = endpoint.app


@app.post("/v1/keys", status_code=201)
def issue_key(body: wire.IssueKey, caller: CurrentPrincipal, read: CurrentReading, desk: CurrentDesk) -> wire.IssuedKey:
    issued = issuing.issue(desk, caller, orders.order(body, caller, read))
    return wire.IssuedKey.of_issued(issued, desk.clock.now_ms())


handler = endpoint
