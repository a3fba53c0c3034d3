"""POST /oauth/v2/token: an access token for an hour, for a refresh token or a client's own credentials (RFC 6749)."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import salesiq
from keywright.dialects.salesiq import oauth, wire
from keywright.edge import CurrentDesk, Found

endpoint = salesiq.token_endpoint()
app = endpoint.app


@app.post("/oauth/v2/token")
def refresh_access_token(allowed: Annotated[oauth.Allowed, Found], desk: CurrentDesk) -> Response[wire.AccessToken]:
    minted = oauth.mint(desk, allowed)
    return Response(200, content_type=salesiq.JSON, body=wire.AccessToken.of(minted), headers=dict(oauth.UNSTORED))


handler = endpoint
