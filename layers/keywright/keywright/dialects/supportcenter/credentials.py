"""How the callers of SupportCenter Plus are recognised: the key of a rep with login enabled and the role SDAdmin.

The key stands in the header ``TECHNICIAN_KEY`` or ``authtoken``, or in a parameter of query or form, which in the
classic style is ``apikey`` and in V1 ``TECHNICIAN_KEY``. It may stand in several of them if it is the same one; which
of two to believe is not for us to guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from keywright import errors
from keywright.access import principal
from keywright.dialects import Carried
from keywright.dialects.supportcenter.wire import readable_form
from keywright.edge import Caller, Request
from keywright.model import KeyKind, SupportRep
from keywright.ports import Desk, OwnerAt, Reading, Ref
from keywright.verification import Presented

ADMINISTRATOR: Final = "SDAdmin"
HEADERS: Final = ("technician_key", "authtoken")
PARAMETER: Final = "apikey"
PARAMETERS: Final[Mapping[str, str]] = {
    "classic-json": PARAMETER,
    "classic-xml": PARAMETER,
    "v1-json": "TECHNICIAN_KEY",
    "v1-xml": "TECHNICIAN_KEY",
}
"""By style; V3 knows the headers only."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """The rep behind the key, whatever the rep is now: `admit` looks at that. Raises CredentialsMissing,
    CredentialsRefused."""
    credential = presented(request)
    reading = desk.store.read(*credential.refs, *also)
    return Caller(principal(credential.grant(reading), desk.clock.now_ms(), kinds=(KeyKind.REP_KEY,)), reading)


def presented(request: Request) -> Presented:
    """The one key that the request carries. Raises CredentialsMissing where there is none, where it is not shaped as a
    key, and where there are two."""
    values = [request.header(name) for name in HEADERS]
    values += [value for name, value in (*request.query, *readable_form(request)) if name == PARAMETER]
    return _the_one_of(values)


def carried_key(style: str, carried: Carried) -> Presented:
    """The same, of a request to a service behind. Raises CredentialsMissing."""
    values = [carried.token, *(value for name in HEADERS for value in carried.headers.get(name, ()))]
    return _the_one_of([*values, *carried.parameters.get(PARAMETERS.get(style, ""), ())])


def _the_one_of(values: Iterable[str | None]) -> Presented:
    spellings = {value.lower() for value in values if value}
    if len(spellings) != 1 or not _GUID.fullmatch(spelling := spellings.pop()):
        raise errors.CredentialsMissing
    return Presented.token(spelling)


def admit(desk: Desk, caller: Caller, *also: Ref[Any]) -> tuple[SupportRep, Reading]:
    """The caller as the rep is now, with what was read in the same call.

    Raises CredentialsRefused (the rep is gone, or may not log in), RoleMissing (is no administrator).
    """
    ref = OwnerAt(caller.principal.owner)
    reading = desk.store.read(ref, *also)
    rep = reading[ref]
    if not isinstance(rep, SupportRep) or not rep.login_enabled:
        raise errors.CredentialsRefused
    if rep.role != ADMINISTRATOR:
        raise errors.RoleMissing
    return rep, reading
