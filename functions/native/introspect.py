"""POST /v1/introspect: is this token active, by RFC 7662? Of one that is not, nothing else is told."""

from typing import Annotated

from keywright.dialects import native
from keywright.dialects.native import verifying, wire
from keywright.edge import AskedAt, CurrentDesk, CurrentPrincipal, CurrentReading, Found

endpoint = native.form_endpoint("keys:verify", reads=verifying.introspected)
app = endpoint.app


@app.post("/v1/introspect")
def introspect(
    form: Annotated[native.Form, Found],
    caller: CurrentPrincipal,
    read: CurrentReading,
    asked_at: AskedAt,
    desk: CurrentDesk,
) -> wire.Introspected:
    return verifying.introspect(desk, caller, form, read, asked_at)


handler = endpoint
