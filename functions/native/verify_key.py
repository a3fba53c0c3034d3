"""POST /v1/keys/verify: is this credential good, now? One read for the caller and the credential together."""

from keywright.direct import SCOPE, Direct, Reference


def reference() -> Reference:
    """For every request but the usual one, and for the description."""
    from keywright.dialects import native  # noqa: PLC0415  all that it loads is what the usual request does without
    from keywright.dialects.native import verifying, wire  # noqa: PLC0415
    from keywright.edge import AskedAt, CurrentDesk, CurrentPrincipal, CurrentReading  # noqa: PLC0415

    endpoint = native.endpoint(SCOPE, body=native.JSON, reads=verifying.reads)

    @endpoint.app.post("/v1/keys/verify")
    def verify_key(
        body: wire.VerifyKey, caller: CurrentPrincipal, read: CurrentReading, asked_at: AskedAt, desk: CurrentDesk
    ) -> wire.VerifiedKey:
        return verifying.verify(desk, caller, body, read, asked_at)

    return endpoint


handler = Direct(reference)
