"""POST /v1/keys/verify: is this credential good, now? One read for the caller and the credential together."""

from keywright.dialects import native
from keywright.dialects.native import verifying, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, CurrentReading

endpoint = native.endpoint("keys:verify", body=native.JSON, reads=verifying.reads)
app = endpoint.app


@app.post("/v1/keys/verify")
def verify_key(
    body: wire.VerifyKey, caller: CurrentPrincipal, read: CurrentReading, desk: CurrentDesk
) -> wire.VerifiedKey:
    return verifying.verify(desk, caller.tenant, body, read)


handler = endpoint
