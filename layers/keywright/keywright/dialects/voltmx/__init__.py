"""Volt MX Foundry Engagement: forms in, ``{"id": ..., "message": ...}`` out, and a refusal is a 400 as a rule.

docs/dialects/voltmx.md says what of this wire the vendor documents and what is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from keywright import errors, routes
from keywright.dialects import Carried
from keywright.dialects.voltmx import accounts, credentials, refusals
from keywright.dialects.voltmx.refusals import Words
from keywright.edge import Caller, CatchAll, Endpoint, Locate, Request
from keywright.model import KeyKind, Verification
from keywright.ports import Desk, Ref
from keywright.verification import Presented

KEY_KINDS = frozenset({KeyKind.APP_API_KEY})
PREFIXES = ("/api/v1/applications/key", "/authService")

Authenticate = Callable[[Desk, Request, Iterable[Ref[Any]]], Caller]
Reads = Callable[[Request], Iterable[Ref[Any]]]


class VoltmxSurface:
    """The dialect, as one of its operations speaks it."""

    name = "voltmx"

    def __init__(self, words: Words = refusals.ADD, authenticate: Authenticate = credentials.authenticate) -> None:
        self._words = words
        self._authenticate = authenticate

    def check_address(self, request: Request) -> None:
        """Every path under the prefixes is ours."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return self._authenticate(desk, request, also)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.answer(refused, self._words)


SURFACE = VoltmxSurface()


def endpoint(scope: str, locate: Locate) -> Endpoint:
    """An endpoint whose callers are operators that hold `scope`.

    The vendor's order of checks looks at the application before it looks at most fields of the form, so `locate` reads
    the form itself and the edge is told of no body.
    """
    return Endpoint(SURFACE, scope=scope, locate=_demanding(scope, locate))


def endpoint_for_either(
    scope: str, locate: Locate, words: Words, *, app_keys: Callable[[], bool], reads: Reads = lambda _: ()
) -> Endpoint:
    """An endpoint whose callers are operators that hold `scope`, or applications by a key of theirs, where the
    installation, which `app_keys` asks at each request, takes these for credentials."""

    def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return credentials.authenticate_either(desk, request, also, app_keys=app_keys())

    surface = VoltmxSurface(words, authenticate)
    return Endpoint(surface, scope=scope, reads=reads, locate=_demanding(scope, locate))


def login_endpoint() -> Endpoint:
    """The endpoint whose callers say who they are in the body."""
    return Endpoint(VoltmxSurface(refusals.LOGIN, accounts.authenticate), locate=accounts.account)


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(*PREFIXES))


def presented(_style: str | None, carried: Carried) -> Presented:
    """Raises CredentialsMissing where there is no App API key."""
    return credentials.carried_key(carried)


def verification_refusal(_style: str | None, verification: Verification, **_: Any) -> Response[str]:
    """As a sender is refused whose key is not good, or not for the application that was named."""
    return refusals.refuse_key(verification)


def _demanding(scope: str, locate: Locate) -> Locate:
    def admitted(desk: Desk, request: Request, caller: Caller) -> Any:
        if not credentials.is_application(caller.principal):
            caller.principal.demand(scope)
        return locate(desk, request, caller)

    return admitted


__all__ = [
    "KEY_KINDS",
    "SURFACE",
    "catch_all",
    "endpoint",
    "endpoint_for_either",
    "login_endpoint",
    "presented",
    "verification_refusal",
]
