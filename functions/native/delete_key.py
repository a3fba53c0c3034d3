"""DELETE /v1/keys/{key_id}: takes a key away; its tokens open nothing from the moment of the answer. It can be restored
for 30 days.
"""

from aws_lambda_powertools.event_handler import Response

from keywright import lifecycle
from keywright.dialects import native
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.key_endpoint("keys:delete")
app = endpoint.app


@app.delete("/v1/keys/<key_id>", status_code=204)
def delete_key(key: native.KeyInPath, caller: CurrentPrincipal, desk: CurrentDesk) -> Response[None]:
    lifecycle.delete_alone(desk, caller, key)
    return Response(204)


handler = endpoint
