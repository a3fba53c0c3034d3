"""One-time links: the page on which a secret is handed over to a person, once.

Whoever has a link needs no other credential. Its token stands in the path by its nature: as everywhere, what is logged
is the route. Mail scanners and chat previews open links, so a GET changes nothing, and the secret comes with the click.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors, handover, routes
from keywright.access import Principal
from keywright.dialects.handover import pages, refusals
from keywright.edge import Caller, CatchAll, Endpoint, Found, Request
from keywright.handover import Waiting
from keywright.ports import Desk, Ref

PREFIX: Final = "/h"


class HandoverSurface:
    name = "handover"

    def check_address(self, request: Request) -> None:
        """Every path under the prefix is ours."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        """By possession of the link. Raises LinkNotFound, LinkOpened."""
        waiting = handover.find(desk, request.path_parameters["token"])
        return Caller(Principal(waiting.link.id, waiting.key.kind, waiting.key.owner, ()), waiting)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.page(refused)


SURFACE: Final = HandoverSurface()


def endpoint() -> Endpoint:
    """An endpoint about the link that the path names, handed over as `WaitingLink`."""
    return Endpoint(SURFACE, locate=lambda _desk, _request, caller: caller.reading)


WaitingLink = Annotated[Waiting, Found]


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(f"{PREFIX}/"))


__all__ = ["PREFIX", "SURFACE", "WaitingLink", "catch_all", "endpoint", "pages"]
