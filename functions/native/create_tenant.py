"""POST /v1/tenants: a tenant with its first operator and that operator's key. For operators of the installation."""

from keywright import registry
from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.endpoint("installation:tenants", body=native.JSON, repeatable=True)
app = endpoint.app


@app.post("/v1/tenants", status_code=201)
def create_tenant(body: wire.CreateTenant, caller: CurrentPrincipal, desk: CurrentDesk) -> wire.CreatedTenant:
    opened = registry.open_tenant(
        desk,
        tenant_id=body.id,
        name=body.name,
        operator_name=body.operator_name,
        email=body.operator_email,
        actor=caller.key_id,
        scopes=registry.TENANT_SCOPES,
    )
    return wire.CreatedTenant.of(opened, desk.clock.now_ms())


handler = endpoint
