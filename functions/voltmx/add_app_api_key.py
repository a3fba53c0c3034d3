"""POST /api/v1/applications/key: a new App API key for a published application; the answer's `id` is the key."""

from typing import Annotated

from keywright import bootstrap, issuing
from keywright.dialects import voltmx
from keywright.dialects.voltmx import applications, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found
from keywright.model import KeyKind

endpoint = voltmx.endpoint("keys:issue", applications.addressed)
app = endpoint.app


@app.post("/api/v1/applications/key")
def add_app_api_key(
    found: Annotated[applications.Addressed, Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.AppApiKeyMessage:
    wanted = wire.AddAppApiKey.read(found.sent, zone=bootstrap.settings().time_zone, now_ms=desk.clock.now_ms())
    order = issuing.Order(
        kind=KeyKind.APP_API_KEY,
        owner=found.app.ref,
        description=wanted.description,
        expires_at_ms=wanted.expires_at_ms,
    )
    issued = issuing.issue(desk, caller, order, creator=caller.creator(found.operator.name))
    return wire.AppApiKeyMessage(id=issued.token.reveal(), message="App API key Added successfully")


handler = endpoint
