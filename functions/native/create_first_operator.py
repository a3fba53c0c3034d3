"""Makes the first operator of an installation. No route leads here: whoever may invoke the function by IAM is trusted.

The payload is that of POST /v1/tenants; the answer holds the operator's token, shown this once. A tenant that exists is
refused, so a second call hands out nothing.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from keywright import bootstrap, registry
from keywright.dialects.native import wire

ACTOR = "native.create_first_operator"


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    body, desk = wire.CreateTenant.model_validate(event), bootstrap.desk()
    opened = registry.open_tenant(
        desk,
        tenant_id=body.id,
        name=body.name,
        operator_name=body.operator_name,
        email=body.operator_email,
        actor=ACTOR,
        scopes=registry.INSTALLATION_SCOPES,
    )
    return wire.CreatedTenant.of(opened, desk.clock.now_ms()).model_dump(mode="json")
