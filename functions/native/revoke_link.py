"""DELETE /v1/keys/{key_id}/links/{link_id}: takes a one-time link back, so that it opens nothing.

One that was opened before stays opened, and the answer says so.
"""

from keywright import handover
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.link_endpoint("keys:change")
app = endpoint.app


@app.delete("/v1/keys/<key_id>/links/<link_id>")
def revoke_link(found: native.LinkInPath, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.LinkView:
    return wire.LinkView.of(handover.revoke(desk, caller, *found), desk.clock.now_ms())


handler = endpoint
