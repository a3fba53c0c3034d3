"""Zoho SalesIQ: an app's mobile channels and the numbered access keys of each.

Every answer is HTTP 200; a client tells failure by `error` in place of `data` (rest-api-v2.html). The vendor prints no
order of checks, so this one is ours: address, method, credentials, scope, portal, operator, content type, body, fields,
and only then whether the app and the channel are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response

from keywright import errors, routes
from keywright.dialects.salesiq import channels, credentials, oauth, refusals
from keywright.edge import JSON, Caller, CatchAll, Endpoint, Found, Request
from keywright.model import KeyKind, Verification
from keywright.ports import Desk, Ref

KEY_KINDS = frozenset({KeyKind.ANDROID_ACCESS_KEY, KeyKind.IOS_ACCESS_KEY})
PREFIXES = ("/api/v2", "/oauth/v2/token")
LocatedChannel = Annotated[channels.Located, Found]


class SalesiqSurface:
    name = "salesiq"

    def check_address(self, request: Request) -> None:
        channels.check_address(request)

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return credentials.authenticate(desk, request, also)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.error(refused)


SURFACE = SalesiqSurface()


def endpoint(operation: str, *, body: str | None = None) -> Endpoint:
    """An endpoint about one channel, for callers whose scopes cover `operation`: CREATE, READ, UPDATE or DELETE."""

    def locate(desk: Desk, request: Request, caller: Caller) -> channels.Located:
        credentials.demand(caller.principal, operation)
        located = channels.locate(desk, request, caller.principal)
        # The edge looks at the size first; here a wrong content type is named even where the body is too large.
        if body is not None and request.media_type not in {body, None}:
            raise errors.ContentTypeRefused
        return located

    return Endpoint(SURFACE, scope=f"SalesIQ.apps.{operation}", body=body, locate=locate)


def token_endpoint() -> Endpoint:
    """The endpoint whose callers are OAuth clients."""
    return Endpoint(oauth.TokenSurface(), locate=oauth.allow)


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(*PREFIXES))


def verification_refusal(_style: str | None, _verification: Verification, **_: Any) -> Response[str]:
    """One for all causes."""
    return refusals.error([errors.KeyNotFound()])


__all__ = [
    "JSON",
    "KEY_KINDS",
    "SURFACE",
    "LocatedChannel",
    "catch_all",
    "endpoint",
    "token_endpoint",
    "verification_refusal",
]
