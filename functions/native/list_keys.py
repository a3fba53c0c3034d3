"""GET /v1/keys?owner_kind=...&owner_id=...: an owner's keys, without their secrets, by kind and then oldest first.

`state` keeps those that are active, disabled, expired or revoked now, `never_expires` those without an expiry. Deleted
ones are listed by the state `deleted` alone, as long as they can be restored.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal
from keywright.model import KeyKind, KeyState, OwnerKind, OwnerRef

endpoint = native.endpoint(
    "keys:read", parameters=("owner_kind", "owner_id", "kind", "state", "never_expires", "limit", "after")
)
app = endpoint.app


@app.get("/v1/keys")
def list_keys(
    caller: CurrentPrincipal,
    desk: CurrentDesk,
    owner_kind: Annotated[OwnerKind, Query()],
    owner_id: Annotated[wire.Name, Query()],
    kind: Annotated[KeyKind | None, Query()] = None,
    state: Annotated[KeyState | None, Query()] = None,
    never_expires: Annotated[bool | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> wire.KeyList:
    now_ms = desk.clock.now_ms()
    page = desk.store.keys_of(
        OwnerRef(caller.tenant, owner_kind, owner_id),
        kind,
        where=wire.filtered(state, never_expires, now_ms),
        deleted=state is KeyState.DELETED,
        limit=limit,
        after=after,
    )
    return wire.KeyList(keys=[wire.KeyView.of(key, now_ms) for key in page.items], next=page.next)


handler = endpoint
