"""DELETE /v1/owners/{kind}/{owner_id}: removes an owner with its keys, and an app with its channels and integrations.

What takes longer than one call is done in several: the answer says whether all is gone, and the same call goes on.
"""

from keywright import removal
from keywright.dialects import native
from keywright.dialects.native import owners, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Deadline, PathParameters

endpoint = native.endpoint("owners:delete")
app = endpoint.app


@app.delete("/v1/owners/<kind>/<owner_id>")
def delete_owner(
    path: PathParameters, caller: CurrentPrincipal, desk: CurrentDesk, time_is_up: Deadline
) -> wire.RemovedOwner:
    owner = owners.address(caller, path["kind"], path["owner_id"])
    return wire.RemovedOwner(removed=removal.remove(desk, caller, owner, time_is_up=time_is_up))


handler = endpoint
