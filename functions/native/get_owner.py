"""GET /v1/owners/{kind}/{owner_id}: one owner."""

from keywright import registry
from keywright.dialects import native
from keywright.dialects.native import owners, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, PathParameters

endpoint = native.endpoint("owners:read")
app = endpoint.app


@app.get("/v1/owners/<kind>/<owner_id>")
def get_owner(path: PathParameters, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.OwnerView:
    return wire.owner_view(registry.owner_at(desk, owners.address(caller, path["kind"], path["owner_id"])))


handler = endpoint
