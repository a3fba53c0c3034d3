"""POST /v1/keys/verify-batch: are these credentials good, now? Up to 50, read together with the caller."""

from keywright.dialects import native
from keywright.dialects.native import verifying, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, CurrentReading

endpoint = native.endpoint("keys:verify", body=native.JSON, reads=verifying.read_for_all)
app = endpoint.app


@app.post("/v1/keys/verify-batch")
def verify_keys(
    body: wire.VerifyKeys, caller: CurrentPrincipal, read: CurrentReading, desk: CurrentDesk
) -> wire.VerifiedKeys:
    return verifying.verify_all(desk, caller, body, read)


handler = endpoint
