"""GET or POST /api/{json,xml}/listApiKeys: the reps who have a key, with their names, business units and keys."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import supportcenter
from keywright.dialects.supportcenter import reps
from keywright.edge import CurrentDesk, CurrentPrincipal, Found

endpoint = supportcenter.endpoint(reps.listing)
app = endpoint.app


@app.route("/api/json/listApiKeys", method=["GET", "POST"])
@app.route("/api/xml/listApiKeys", method=["GET", "POST"])
def list_api_keys(found: Annotated[reps.Listing, Found], caller: CurrentPrincipal, desk: CurrentDesk) -> Response[str]:
    rows, more = reps.rows(desk, caller, found.asked)
    return found.style.rows("API Keys listed successfully.", rows, more=more)


handler = endpoint
