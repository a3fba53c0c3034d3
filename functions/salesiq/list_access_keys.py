"""GET /api/v2/{screenname}/apps/{appId}/channels/{kind}/accesskeys: a channel's access keys, newest first.

The vendor's page prints the address with two parts swapped, its sample has them in the usual order: both are served.
"""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("READ")
app = endpoint.app


@app.get("/api/v2/<screenname>/apps/<appId>/channels/<kind>/accesskeys")
@app.get("/api/v2/<screenname>/apps/<appId>/<kind>/channels/accesskeys")
def list_access_keys(at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.AccessKeysAnswer:
    return wire.AccessKeysAnswer.of(at.url, *channels.access_keys(desk, caller, at))


handler = endpoint
