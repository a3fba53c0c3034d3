"""GET /api/v2/{screenname}/apps/{appId}/channels/{kind}: a channel with its access keys, every switch in words."""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("READ")
app = endpoint.app


@app.get("/api/v2/<screenname>/apps/<appId>/channels/<kind>")
def get_channel(at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.ChannelAnswer:
    return wire.ChannelAnswer.of_channel(at.url, channels.channel(desk, caller, at), wire.in_words)


handler = endpoint
