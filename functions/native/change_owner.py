"""PATCH /v1/owners/{kind}/{owner_id}: other attributes for an owner; what is not named stays (RFC 7396)."""

from typing import Any

from keywright.dialects import native
from keywright.dialects.native import owners, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, PathParameters

endpoint = native.endpoint("owners:change", body=native.JSON)
app = endpoint.app


@app.patch("/v1/owners/<kind>/<owner_id>")
def change_owner(
    path: PathParameters, body: dict[str, Any], caller: CurrentPrincipal, desk: CurrentDesk
) -> wire.OwnerView:
    owner = owners.address(caller, path["kind"], path["owner_id"])
    return wire.owner_view(owners.change(desk, caller, owner, body))


handler = endpoint
