"""GET /v1/owners?kind=...: the tenant's owners of one kind, by id."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal
from keywright.model import OwnerKind

endpoint = native.endpoint("owners:read", parameters=("kind", "limit", "after"))
app = endpoint.app


@app.get("/v1/owners")
def list_owners(
    caller: CurrentPrincipal,
    desk: CurrentDesk,
    kind: Annotated[OwnerKind, Query()],
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> wire.OwnerList:
    page = desk.store.owners(caller.tenant, kind, limit=limit, after=after)
    return wire.OwnerList(owners=[wire.owner_view(owner) for owner in page.items], next=page.next)


handler = endpoint
