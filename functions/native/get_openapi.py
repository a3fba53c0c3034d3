"""GET /v1/openapi.json: this description of the API, for whoever asks."""

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import native
from keywright.edge import OpenEndpoint

endpoint = OpenEndpoint(native.SURFACE.name)
app = endpoint.app


@app.get("/v1/openapi.json")
def get_openapi() -> Response[str]:
    return Response(200, content_type=native.JSON, body=native.openapi())


handler = endpoint
