"""POST /api/{json,xml}/generateApiKey: the one API key of a support rep; the answer shows it.

With `emailId` the key is mailed as well; where that fails the caller is told so, and the key stands.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import reps, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = supportcenter.endpoint(reps.without_key)
app = endpoint.app


@app.post("/api/json/generateApiKey")
@app.post("/api/xml/generateApiKey")
def generate_api_key(
    found: Annotated[reps.Candidate[wire.GenerateApiKey], Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> Response[str]:
    issued = reps.generate(desk, caller, found)
    return found.style.details("API Key generated successfully.", wire.RepKeyDetails.of(issued.key, issued.token))


handler = endpoint
