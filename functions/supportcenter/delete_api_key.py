"""POST /api/{json,xml}/deleteApiKey: takes a support rep's API key away; another can be generated afterwards."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import reps, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = supportcenter.endpoint(reps.to_delete)
app = endpoint.app


@app.post("/api/json/deleteApiKey")
@app.post("/api/xml/deleteApiKey")
def delete_api_key(
    found: Annotated[reps.Holder[wire.OfOneRep], Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> Response[str]:
    reps.delete(desk, caller, found)
    return found.style.done("API Key deleted successfully.")


handler = endpoint
