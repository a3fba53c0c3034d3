"""PUT /api/v2/{screenname}/apps/{appId}/channels/{kind}/accesskeys/{version}: one access key on or off.

Another of the vendor's pages leaves a part of the address out and calls the field `is_enabled`: that is served too.
"""

from keywright.dialects import salesiq
from keywright.dialects.salesiq import channels, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = salesiq.endpoint("UPDATE", body=salesiq.JSON)
app = endpoint.app


@app.put("/api/v2/<screenname>/apps/<appId>/channels/<kind>/accesskeys/<version>")
def update_access_key(
    body: wire.Enabled, at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.ChannelAnswer:
    shown = channels.switch_access_key(desk, caller, at, enabled=body.enabled)
    return wire.ChannelAnswer.of_access_keys(at.url, shown)


@app.put("/api/v2/<screenname>/apps/<appId>/<kind>/accesskeys/<version>")
def update_version(
    body: wire.IsEnabled, at: salesiq.LocatedChannel, caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.ChannelAnswer:
    shown = channels.switch_access_key(desk, caller, at, enabled=body.is_enabled)
    return wire.ChannelAnswer.of_access_keys(at.url, shown)


handler = endpoint
