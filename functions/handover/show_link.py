"""GET /h/{token}: the page behind a one-time link, with a button. It changes nothing and shows no secret, as often as
it is opened."""

from aws_lambda_powertools.event_handler import Response

from keywright.dialects import handover
from keywright.dialects.handover import pages

endpoint = handover.endpoint()
app = endpoint.app


@app.get("/h/<token>")
def show_link(waiting: handover.WaitingLink) -> Response[str]:
    return pages.waiting(waiting.link)


handler = endpoint
