"""The application that a request names, and whoever asks: looked at in the vendor's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keywright import errors
from keywright.access import Principal
from keywright.dialects.voltmx import credentials, wire
from keywright.edge import Caller, Request
from keywright.model import PUBLISHED, App, Key, KeyKind, Operator, Owner, OwnerKind, OwnerRef
from keywright.ports import AppsNamed, Desk, OwnerAt


@dataclass(frozen=True, slots=True)
class Addressed:
    """A published application, and what was sent with its name."""

    app: App
    operator: Operator
    sent: wire.Fields


def addressed(desk: Desk, request: Request, caller: Caller) -> Addressed:
    """The application that an operator names in a form.

    Raises what refuses the operator, then FieldMissing and what makes a form unreadable, AppNotFound, NotPublished.
    """
    search = _Search(desk, caller.principal, wire.named_app_early(request))
    operator = credentials.admit_operator(search.caller)
    sent = wire.form(request)
    wire.demand_app(sent)
    wire.demand_expiry(sent)
    app = search.app()
    PUBLISHED.check(app)
    return Addressed(app, operator, sent)


def asked_for(desk: Desk, request: Request, caller: Caller) -> App:
    """The application that anybody names in the query; one that asks by its own key can name itself only, and must be
    published for its key to be good.

    Raises what refuses the caller, then FieldMissing, AppNotFound, NotPublished.
    """
    sent = wire.query(request)
    search = _Search(desk, caller.principal, wire.named_app(sent))
    credentials.admit(caller.principal, search.caller)
    wire.demand_app(sent)
    app = search.app()
    if credentials.is_application(caller.principal):
        if app.ref != caller.principal.owner:
            raise errors.AppNotFound
        PUBLISHED.check(app)
    return app


def keys(desk: Desk, app: App) -> Sequence[Key]:
    """The application's keys, oldest first, expired ones too; what was revoked is no key any more.

    Raises KeyNotFound where there are none: for this vendor that is an error.
    """
    found: list[Key] = []
    after = None
    while True:
        page = desk.store.keys_of(app.ref, KeyKind.APP_API_KEY, after=after)
        found += [key for key in page.items if key.revoked_at_ms is None]
        if (after := page.next) is None:
            break
    if not found:
        raise errors.KeyNotFound
    return found


class _Search:
    """One read of whoever asks, of the application of this id, and of the applications of this name."""

    def __init__(self, desk: Desk, principal: Principal, named: str | None) -> None:
        self._desk, self._named = desk, named
        caller = OwnerAt(principal.owner)
        self._app_at, self._names = _app_at(principal.tenant, named or ""), AppsNamed(principal.tenant, named or "")
        self._reading = desk.store.read(caller, *((self._app_at, self._names) if named else ()))
        self.caller = self._reading[caller]

    def app(self) -> App:
        """An id wins over a name. Raises AppNotFound."""
        if self._named is None:
            raise errors.AppNotFound
        app = self._reading[self._app_at] or self._of_name()
        if not isinstance(app, App):
            raise errors.AppNotFound
        return app

    def _of_name(self) -> Owner | None:
        """The one application of a name. A key is not for one of several, so a name that they share names none."""
        ids = self._reading[self._names]
        if ids is None or len(ids) != 1:
            return None
        ref = _app_at(self._names.tenant, next(iter(ids)))
        app = self._desk.store.read(ref)[ref]
        # It may have been renamed between the two reads.
        return app if app is not None and app.name == self._names.name else None


def _app_at(tenant: str, app_id: str) -> OwnerAt:
    return OwnerAt(OwnerRef(tenant, OwnerKind.APP, app_id))
