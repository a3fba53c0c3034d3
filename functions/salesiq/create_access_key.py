"""POST /api/v2/{screenname}/apps/{appId}/channels/{kind}/accesskeys: the next version of a channel's access key.

The scope SalesIQ.apps.CREATE alone decides who may; a body that is sent is not looked at.
"""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("CREATE")
app = endpoint.app


@app.post("/api/v2/<screenname>/apps/<appId>/channels/<kind>/accesskeys")
def create_access_key(at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.ChannelAnswer:
    return wire.ChannelAnswer.of_access_keys(at.url, channels.issue_access_key(desk, caller, at))


handler = endpoint
