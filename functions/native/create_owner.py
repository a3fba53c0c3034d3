"""POST /v1/owners: registers an app, a channel, an integration, a support rep or an operator."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from keywright.dialects import native
from keywright.dialects.native import owners, wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.endpoint("owners:change", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/owners", status_code=201)
def create_owner(
    body: Annotated[wire.CreateOwner, Body(discriminator="kind")], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.OwnerView:
    return wire.owner_view(owners.create(desk, caller, body))


handler = endpoint
