"""How dialects recognise their callers, where the table cannot show it; the rest is in `tests/contract`."""

from __future__ import annotations

import pytest

from keywright import errors
from keywright.dialects.salesiq import credentials as salesiq
from keywright.dialects.voltmx import credentials as voltmx
from keywright.edge import Request
from keywright.model import KeyKind
from keywright.ports import KeyRef
from local.gateway import Router, http_event
from local.server import Request as HttpRequest
from local.template import Route
from tests.fakes import Fakes
from tests.world import World


def request(**headers: str) -> Request:
    match = Router([Route("GET", "/", "Any")]).match("GET", "/")
    assert match is not None
    return Request(http_event(HttpRequest("GET", "/", tuple(headers.items()), b""), match, "/", ""))


def test_for_a_stranger_nothing_is_read_that_would_be_read_with_a_caller(world: World, fakes: Fakes) -> None:
    asked = request(authorization="Zoho-oauthtoken no-token")
    fakes.store.calls.clear()
    with pytest.raises(errors.CredentialsRefused):
        salesiq.authenticate(world.desk, asked, [KeyRef("key_1")])
    assert fakes.store.calls == []


def test_a_native_key_of_an_app_is_no_claims_token(world: World) -> None:
    theirs = world.issue(KeyKind.NATIVE, world.app().ref, scopes=("*",)).token.reveal()
    with pytest.raises(errors.CredentialsRefused):
        voltmx.operator(world.desk, None, theirs)
    ours = voltmx.operator(world.desk, world.operator.id, world.operator_token)
    assert ours.principal.owner == world.operator.ref
    with pytest.raises(errors.CredentialsRefused):
        voltmx.operator(world.desk, "somebody-else", world.operator_token)
