"""SupportCenter Plus: the API keys of support reps, in the product's REST style; the operations themselves are ours.

A caller is a rep with the role SDAdmin, known by a key of the same kind. Nearly every answer, refusals too, is HTTP
200, in JSON or XML as the path says; what lies under the product's two other prefixes is refused in their styles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from keywright import errors, routes
from keywright.dialects import Carried
from keywright.dialects.supportcenter import credentials, refusals, styles
from keywright.edge import Caller, CatchAll, Endpoint, Locate, Request
from keywright.model import KeyKind, Verification
from keywright.ports import Desk, Ref
from keywright.verification import Presented

KEY_KINDS = frozenset({KeyKind.REP_KEY})
STYLES = styles.NAMED
PREFIXES = ("/api/json", "/api/xml", "/sdpapi", "/api/v3")


class SupportCenterSurface:
    name = "supportcenter"

    def check_address(self, request: Request) -> None:
        """Every path under the prefixes is ours."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return credentials.authenticate(desk, request, also)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.refuse(refused, styles.style_of(request))


SURFACE = SupportCenterSurface()


def endpoint(locate: Locate) -> Endpoint:
    """An endpoint whose `locate` admits the caller, then reads the parameters, from query and form together."""
    return Endpoint(SURFACE, locate=locate)


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(*PREFIXES))


def presented(style: str, carried: Carried) -> Presented:
    """Raises CredentialsMissing where there is not exactly one key, shaped as a key."""
    return credentials.carried_key(style, carried)


def verification_refusal(style: str, verification: Verification, *, uri: str = "", **_: Any) -> Response[str]:
    """As a caller of that style is refused whose key is not good. `uri` is the path that was called."""
    return refusals.refuse_key(verification, STYLES[style](uri))


__all__ = ["KEY_KINDS", "STYLES", "SURFACE", "catch_all", "endpoint", "presented", "verification_refusal"]
