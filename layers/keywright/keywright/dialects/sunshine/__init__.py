"""Sunshine Conversations: the keys of custom integrations and of apps, at ``/v2`` and, as behind Zendesk's hosts, at
``/sc/v2``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler import Response

from keywright import errors, routes
from keywright.dialects import Carried, over_limit
from keywright.dialects.sunshine import credentials, paths, refusals
from keywright.dialects.sunshine.areas import allows
from keywright.dialects.sunshine.credentials import KEY_KINDS
from keywright.edge import JSON, Caller, CatchAll, Endpoint, Request
from keywright.model import Key, Owner, Verification
from keywright.ports import Desk, OwnerAt, Ref
from keywright.verification import Presented

PREFIXES = ("/v2", "/sc/v2")


class SunshineSurface:
    name = "sunshine"

    def check_address(self, request: Request) -> None:
        """Every path under the prefixes is ours."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        """The tenant is known only after the credential was read: its owner, as it is now, and what the path names in
        that tenant come in a second read."""
        caller = credentials.authenticate(desk, request)
        owner = OwnerAt(caller.owner)
        reading = desk.store.read(owner, *paths.refs(caller.tenant, request), *also)
        credentials.check_owner(caller, reading[owner])
        return Caller(caller, reading)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.answer(refused, request.path_parameters)


SURFACE = SunshineSurface()


def endpoint(owner: Callable[[Request, Caller], Owner], *, body: str | None = None) -> Endpoint:
    """An endpoint for the keys of the `owner` in its path, which is looked for before the body is read."""

    def locate(_desk: Desk, request: Request, caller: Caller) -> Owner:
        found = owner(request, caller)
        # The edge takes a body without a content type for JSON; this vendor asks for the header. Size comes first.
        if body is not None and request.body and request.media_type is None:
            raise errors.ContentTypeRefused
        return found

    return Endpoint(SURFACE, body=body, locate=locate)


def key_endpoint(owner: Callable[[Request, Caller], Owner]) -> Endpoint:
    """An endpoint for one key of the `owner` in its path."""

    def locate(_desk: Desk, request: Request, caller: Caller) -> Key:
        return paths.key(request, caller, owner(request, caller))

    return Endpoint(SURFACE, locate=locate)


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(*PREFIXES))


def presented(_style: str | None, carried: Carried) -> Presented:
    """Raises CredentialsMissing, SignedToken."""
    return credentials.carried_key(carried)


def verification_refusal(_style: str | None, verification: Verification, **_: Any) -> Response[str]:
    """One answer to every failure to authenticate; a key that is good may be so elsewhere, or later."""
    refusal = over_limit(verification)
    if refusal is None and verification.cause is errors.ScopeMissing:
        return refusals.answer([errors.ScopeMissing()])
    return refusals.answer([refusal or errors.CredentialsRefused()])


__all__ = [
    "JSON",
    "KEY_KINDS",
    "SURFACE",
    "allows",
    "catch_all",
    "endpoint",
    "key_endpoint",
    "presented",
    "verification_refusal",
]
