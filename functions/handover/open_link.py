"""POST /h/{token}: shows the secret behind a one-time link, the first time and no other."""

from aws_lambda_powertools.event_handler import Response

from keywright import handover as core
from keywright.dialects import handover
from keywright.dialects.handover import pages
from keywright.edge import CurrentDesk, Source

endpoint = handover.endpoint()
app = endpoint.app


@app.post("/h/<token>")
def open_link(waiting: handover.WaitingLink, desk: CurrentDesk, source: Source) -> Response[str]:
    return pages.revealed(waiting.key, core.open_link(desk, waiting, source))


handler = endpoint
