"""DELETE /api/v2/{screenname}/apps/{appId}/channels/{kind}/accesskeys/{version}: one access key gone for good."""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("DELETE")
app = endpoint.app


@app.delete("/api/v2/<screenname>/apps/<appId>/channels/<kind>/accesskeys/<version>")
def delete_access_key(at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.ChannelAnswer:
    return wire.ChannelAnswer.of_access_keys(at.url, channels.delete_access_key(desk, caller, at))


handler = endpoint
