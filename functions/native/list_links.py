"""GET /v1/keys/{key_id}/links: the one-time links to a key, oldest first, and what became of each.

They are listed until 30 days after their lifetime.
"""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.dialects import native
from keywright.dialects.native import wire
from keywright.edge import CurrentDesk

endpoint = native.key_endpoint("keys:read", parameters=("limit", "after"))
app = endpoint.app


@app.get("/v1/keys/<key_id>/links")
def list_links(
    key: native.KeyInPath,
    desk: CurrentDesk,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> wire.LinkList:
    page, now_ms = desk.store.links_of(key.id, limit=limit, after=after), desk.clock.now_ms()
    return wire.LinkList(links=[wire.LinkView.of(link, now_ms) for link in page.items], next=page.next)


handler = endpoint
