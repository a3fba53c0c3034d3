"""POST /v1/jwt/verify: is this JSON Web Token good, now? A function apart from the other verification, because a
signature is checked with the key's secret, and that one may not decrypt."""

from keywright.dialects import native
from keywright.dialects.native import verifying, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, CurrentReading

endpoint = native.endpoint("keys:verify", body=native.JSON, reads=verifying.signer)
app = endpoint.app


@app.post("/v1/jwt/verify")
def verify_jwt(
    body: wire.VerifyJwt, caller: CurrentPrincipal, read: CurrentReading, desk: CurrentDesk
) -> wire.VerifiedJwt:
    return verifying.verify_jwt(desk, caller, body, read)


handler = endpoint
