"""POST /api/{json,xml}/emailApiKey: mails a support rep's API key, in the clear, to one address."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import reps, wire
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = supportcenter.endpoint(reps.to_email)
app = endpoint.app


@app.post("/api/json/emailApiKey")
@app.post("/api/xml/emailApiKey")
def email_api_key(
    found: Annotated[reps.Holder[wire.EmailApiKey], Found], caller: CurrentPrincipal, desk: CurrentDesk
) -> Response[str]:
    reps.email(desk, caller, found)
    return found.style.done("API Key sent to the specified Email ID.")


handler = endpoint
