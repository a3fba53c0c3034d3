"""POST /v1/keys/revoke-self: whoever holds a token kills it, and learns nothing by it (as RFC 7009 has it)."""

from typing import Annotated

from keywright import lifecycle
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, Found
from keywright.verification import Presented

endpoint = native.possession_endpoint()
app = endpoint.app


@app.post("/v1/keys/revoke-self")
def revoke_self(held: Annotated[Presented, Found], desk: CurrentDesk) -> wire.Nothing:
    lifecycle.revoke_held(desk, held)
    return wire.Nothing()


handler = endpoint
