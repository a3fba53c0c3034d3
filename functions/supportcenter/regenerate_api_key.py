"""POST /api/{json,xml}/regenerateApiKey: another API key for a support rep, in place of the one that ends with it.

With `emailId` the new key is mailed as well; where that fails the caller is told so, and the new key stands.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import reps, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = supportcenter.endpoint(reps.to_regenerate)
app = endpoint.app


@app.post("/api/json/regenerateApiKey")
@app.post("/api/xml/regenerateApiKey")
def regenerate_api_key(
    found: Annotated[reps.Holder[wire.RegenerateApiKey], Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> Response[str]:
    issued = reps.regenerate(desk, caller, found)
    return found.style.details("API Key regenerated successfully.", wire.RepKeyDetails.of(issued.key, issued.token))


handler = endpoint
