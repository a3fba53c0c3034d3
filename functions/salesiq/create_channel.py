"""POST /api/v2/{screenname}/apps/{appId}/channels/{kind}: a channel of an app, with version 1 of its key."""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("CREATE", body=salesiq.JSON)
app = endpoint.app


@app.post("/api/v2/<screenname>/apps/<appId>/channels/<kind>")
def create_channel(
    body: wire.NewChannel, at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.ChannelAnswer:
    return wire.ChannelAnswer.of_channel(at.url, channels.create(desk, caller, at, body.bundle_name))


handler = endpoint
