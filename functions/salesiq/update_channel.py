"""PUT /api/v2/{screenname}/apps/{appId}/channels/{kind}: a channel on or off, and its access keys with it."""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("UPDATE", body=salesiq.JSON)
app = endpoint.app


@app.put("/api/v2/<screenname>/apps/<appId>/channels/<kind>")
def update_channel(
    body: wire.Enabled, at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.ChannelAnswer:
    return wire.ChannelAnswer.of_channel(at.url, channels.switch(desk, caller, at, enabled=body.enabled))


handler = endpoint
