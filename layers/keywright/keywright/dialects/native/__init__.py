"""The native API: JSON, problems by RFC 9457; callers present an operator's token as a bearer (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors, lifecycle, routes
from keywright.dialects.native import credentials, refusals
from keywright.edge import FORM, JSON, Caller, CatchAll, Endpoint, Found, Request
from keywright.model import Key, Link, LinkRef
from keywright.ports import Desk, KeyRef, LinkAt, Ref, UsesOf
from keywright.verification import Presented

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
Form = Mapping[str, str]


class _OpenSurface(NativeSurface):
    """Takes anybody, as somebody who may do nothing."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        return Caller(credentials.ANYBODY)


def endpoint(
    scope: str,
    *,
    body: str | None = None,
    repeatable: bool = False,
    reads: Callable[[Request], Iterable[Ref[Any]]] = lambda _: (),
    parameters: Sequence[str] = (),
) -> Endpoint:
    """An endpoint whose callers must hold `scope`, which is looked at before anything else of the request. `parameters`
    are those of its query, where it has one."""

    def demand(_desk: Desk, request: Request, caller: Caller) -> None:
        caller.principal.demand(scope)
        _check_query(request, parameters)

    return Endpoint(SURFACE, scope=scope, body=body, repeatable=repeatable, reads=reads, locate=demand)


def key_endpoint(
    scope: str,
    *,
    body: str | None = None,
    may_be_empty: bool = True,
    repeatable: bool = False,
    deleted_too: bool = False,
    uses: bool = False,
    parameters: Sequence[str] = (),
) -> Endpoint:
    """An endpoint about the key that the path names: read together with the caller, looked at before the body, and
    handed over as `KeyInPath`. An absent body counts as ``{}`` where it `may_be_empty`. A deleted key is unknown, but
    with `deleted_too`. With `uses`, its last uses are read in the same call. `parameters` are those of `endpoint`."""

    def locate(desk: Desk, request: Request, caller: Caller) -> Key:
        caller.principal.demand(scope)
        found = caller.reading[_key_in_path(request)]
        key = (
            lifecycle.deleted_own(desk, caller.principal, found)
            if deleted_too
            else lifecycle.own(caller.principal, found)
        )
        _check_query(request, parameters)
        return key

    return Endpoint(
        SURFACE,
        scope=scope,
        body=body,
        may_be_empty=may_be_empty,
        repeatable=repeatable,
        reads=lambda each: [ref := _key_in_path(each), *([UsesOf(ref.id)] if uses else ())],
        locate=locate,
    )


def form_endpoint(scope: str, *, reads: Callable[[Request], Iterable[Ref[Any]]]) -> Endpoint:
    """As `endpoint`, for a body that is a form; it is handed over as a `Form`."""

    def locate(_desk: Desk, request: Request, caller: Caller) -> Form:
        caller.principal.demand(scope)
        return dict(request.form)

    return Endpoint(SURFACE, scope=scope, body=FORM, reads=reads, locate=locate)


def possession_endpoint() -> Endpoint:
    """An endpoint for whoever holds a token, which stands in the body as ``token``, in JSON or in a form, and is handed
    over as a `Presented`. Nobody is asked who they are."""

    def held(_desk: Desk, request: Request, _caller: Caller) -> Presented:
        return credentials.held(request)

    return Endpoint(_OpenSurface(), locate=held)


def link_endpoint(scope: str) -> Endpoint:
    """An endpoint about a one-time link of the key that the path names: read together with both, and handed over with
    the key as `LinkInPath`."""

    def locate(_desk: Desk, request: Request, caller: Caller) -> tuple[Key, Link | None]:
        caller.principal.demand(scope)
        key = lifecycle.own(caller.principal, caller.reading[_key_in_path(request)])
        return key, caller.reading[_link_in_path(request)]

    return Endpoint(SURFACE, scope=scope, reads=lambda each: [_key_in_path(each), _link_in_path(each)], locate=locate)


def _check_query(request: Request, parameters: Sequence[str]) -> None:
    """Raises FieldUnknown, FieldInvalid: a filter that was misspelt would find everything. An endpoint that has none
    does not look."""
    if not parameters:
        return
    names = [name for name, _ in request.query]
    for name in names:
        if name not in parameters:
            raise errors.FieldUnknown(field=name[:64], detail=f"There are: {', '.join(parameters)}.")
        if names.count(name) > 1:
            raise errors.FieldInvalid(field=name, detail="It was given twice.")


def _link_in_path(request: Request) -> LinkAt:
    link_id = request.path_parameters["link_id"]
    return LinkAt(LinkRef(_key_in_path(request).id, link_id if _LINK_ID.fullmatch(link_id) else "none"))


def _key_in_path(request: Request) -> KeyRef:
    """What can be no id of ours is looked up under no name: it may be a token that somebody put there by mistake."""
    key_id = request.path_parameters["key_id"]
    return KeyRef(key_id if _KEY_ID.fullmatch(key_id) else "none")


_LINK_ID: Final = re.compile(r"link_[0-9a-f]{24}")
_KEY_ID: Final = re.compile(r"[a-z]{1,16}_[0-9a-f]{24}")


KeyInPath = Annotated[Key, Found]
LinkInPath = Annotated[tuple[Key, Link | None], Found]


@cache
def openapi() -> str:
    """The description of the whole API, as `make openapi` wrote it."""
    return files("keywright").joinpath("openapi.json").read_text(encoding="utf-8")


def catch_all() -> CatchAll:
    return CatchAll(SURFACE, routes.under(PREFIX))


__all__ = [
    "JSON",
    "SURFACE",
    "Form",
    "KeyInPath",
    "LinkInPath",
    "catch_all",
    "endpoint",
    "form_endpoint",
    "key_endpoint",
    "link_endpoint",
    "openapi",
    "possession_endpoint",
]
