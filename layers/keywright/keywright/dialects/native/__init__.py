"""The native API: JSON, problems by RFC 9457; callers present an operator's token as a bearer (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors, lifecycle, routes
from keywright.dialects.native import credentials, refusals
from keywright.edge import JSON, Caller, CatchAll, Endpoint, Found, Request
from keywright.model import Key
from keywright.ports import Desk, KeyRef, Ref

PREFIX = "/v1"


class NativeSurface:
    name = "native"

    def check_address(self, request: Request) -> None:
        """Every path under the prefix is ours."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return credentials.authenticate(desk, request, also)

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.problem(refused)


SURFACE = NativeSurface()


def endpoint(
    scope: str, *, body: str | None = None, reads: Callable[[Request], Iterable[Ref[Any]]] = lambda _: ()
) -> Endpoint:
    """An endpoint whose callers must hold `scope`, which is looked at before anything else of the request."""

    def demand(_desk: Desk, _request: Request, caller: Caller) -> None:
        caller.principal.demand(scope)

    return Endpoint(SURFACE, scope=scope, body=body, reads=reads, locate=demand)


def key_endpoint(scope: str, *, body: str | None = None) -> Endpoint:
    """An endpoint about the key that the path names: read together with the caller, looked at before the body, and
    handed over as `KeyInPath`. An absent body counts as ``{}``."""

    def locate(_desk: Desk, request: Request, caller: Caller) -> Key:
        caller.principal.demand(scope)
        return lifecycle.own(caller.principal, caller.reading[_key_in_path(request)])

    return Endpoint(
        SURFACE,
        scope=scope,
        body=body,
        may_be_empty=True,
        reads=lambda each: [_key_in_path(each)],
        locate=locate,
    )


def _key_in_path(request: Request) -> KeyRef:
    """What can be no id of ours is looked up under no name: it may be a token that somebody put there by mistake."""
    key_id = request.path_parameters["key_id"]
    return KeyRef(key_id if _KEY_ID.fullmatch(key_id) else "none")


_KEY_ID: Final = re.compile(r"[a-z]{1,16}_[0-9a-f]{24}")


KeyInPath = Annotated[Key, Found]


@cache
def openapi() -> str:
    """The description of the whole API, as `make openapi` wrote it."""
    return files("keywright").joinpath("openapi.json").read_text(encoding="utf-8")


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(PREFIX))


__all__ = ["JSON", "SURFACE", "KeyInPath", "catch_all", "endpoint", "key_endpoint", "openapi"]
