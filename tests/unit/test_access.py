from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright import errors
from keywright.access import Principal, contain, permits, presented, principal
from keywright.model import Creator, Grant, KeyKind, OwnerKind, OwnerRef

WORDS = st.sampled_from(["keys", "issue", "SalesIQ", "apps", "installation", "tenants", "*"])
SCOPE = st.lists(WORDS, min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from([":", "."]).map(lambda between: between.join(words))
)
SCOPES = st.lists(SCOPE, max_size=4)

OPERATOR = OwnerRef("orchard", OwnerKind.OPERATOR, "operator")
GRANT = Grant(
    key_id="key_1", kind=KeyKind.NATIVE, owner=OPERATOR, version=1, enabled=True, revoked=False, scopes=("keys:issue",)
)


@pytest.mark.parametrize(
    ("granted", "needed", "permitted"),
    [
        ("keys:issue", "keys:issue", True),
        ("keys:issue", "keys.issue", True),
        ("keys:issue", "keys:read", False),
        ("keys:issue", "keys", False),
        ("keys", "keys:issue", False),
        ("keys:*", "keys:issue", True),
        ("keys:*", "keys:issue:native", True),
        ("keys:*", "keys:*", True),
        ("keys:*", "keys", False),
        ("keys:*", "keysmith:issue", False),
        ("keys:issue", "keys:*", False),
        ("SalesIQ.apps.*", "SalesIQ.apps.CREATE", True),
        ("SalesIQ.*", "SalesIQ.apps.CREATE", True),
        ("SalesIQ.apps.CREATE", "salesiq.apps.create", False),
        ("*:issue", "keys:issue", False),
        ("*", "keys:issue", True),
        ("*", "*", True),
        ("*", "installation", False),
        ("*", "installation:tenants", False),
        ("*", "installation.tenants", False),
        ("*", "installation:*", False),
        ("*:*", "installation:tenants", False),
        ("*.*", "keys:issue", False),
        ("installation:*", "installation:tenants", True),
        ("installation:*", "keys:issue", False),
        ("installation:tenants", "installation:tenants", True),
        ("", "keys:issue", False),
        ("orders:*:read", "orders:7:read", True),
        ("orders:*:read", "orders:7:write", False),
        ("orders:*:read", "orders:read", False),
        ("orders:*:read", "orders:7:8:read", False),
        ("orders:*:read", "orders:*:read", True),
        ("orders:*:read", "orders:7:*", False),
        ("orders:7:read", "orders:*:read", False),
        ("orders:*:*", "orders:7:read", True),
        ("orders:*:*", "orders:7:read:all", True),
        ("orders:*:*", "orders:7", False),
        ("orders:*:*", "orders:*", False),
        ("orders:*", "orders:*:read", True),
        ("orders:*.lines:*", "orders:7:lines:read:all", True),
    ],
)
def test_a_scope_covers_itself_and_what_its_last_star_stands_for(granted: str, needed: str, permitted: bool) -> None:
    assert permits([granted], needed) is permitted
    assert permits(["else:where", granted], needed) is permitted


def test_no_scope_permits_nothing() -> None:
    assert not permits([], "keys:issue")
    assert not permits([], "*")


def test_nobody_hands_out_more_than_they_have() -> None:
    contain(["keys:*"], ["keys:issue", "keys:read"])
    with pytest.raises(errors.ScopeMissing) as refused:
        contain(["keys:*"], ["keys:issue", "owners:read"])
    assert refused.value.field == "scopes"
    with pytest.raises(errors.ScopeMissing):
        contain(["*"], ["installation:tenants"])


@given(SCOPES)
def test_everybody_may_hand_out_what_they_have(scopes: list[str]) -> None:
    held = [scope for scope in scopes if scope.split(":")[0].split(".")[0] != "*" or scope == "*"]
    contain(held, held)


@given(SCOPES, SCOPES, SCOPES)
def test_more_scopes_never_permit_less(granted: list[str], more: list[str], wanted: list[str]) -> None:
    def allowed(scopes: list[str]) -> bool:
        try:
            contain(scopes, wanted)
        except errors.ScopeMissing:
            return False
        return True

    assert allowed(granted) <= allowed([*granted, *more])


@given(SCOPES, SCOPES, SCOPE)
def test_what_was_handed_out_opens_nothing_that_its_giver_could_not_open(
    granted: list[str], handed: list[str], needed: str
) -> None:
    try:
        contain(granted, handed)
    except errors.ScopeMissing:
        return
    assert permits(handed, needed) <= permits(granted, needed)


@given(SCOPES, SCOPE)
def test_nothing_beyond_the_tenant_is_permitted_but_by_name(granted: list[str], needed: str) -> None:
    beyond = f"installation:{needed}"
    named = [scope for scope in granted if scope.replace(".", ":").split(":")[0] == "installation"]
    assert permits(granted, beyond) == permits(named, beyond)


def test_a_principal_is_what_its_grant_says() -> None:
    caller = principal(GRANT, 5, {KeyKind.NATIVE})
    assert caller == Principal("key_1", KeyKind.NATIVE, OPERATOR, ("keys:issue",))
    assert caller.tenant == "orchard"
    assert caller.may("keys:issue")
    caller.demand("keys:issue")
    with pytest.raises(errors.ScopeMissing):
        caller.demand("keys:read")
    assert caller.creator() == Creator("operator", "operator")
    assert caller.creator("Imani") == Creator("operator", "Imani")


@pytest.mark.parametrize(
    "grant",
    [
        None,
        replace(GRANT, kind=KeyKind.APP_SECRET),
        replace(GRANT, enabled=False),
        replace(GRANT, revoked=True),
        replace(GRANT, expires_at_ms=5),
    ],
)
def test_every_bad_credential_is_refused_alike(grant: Grant | None) -> None:
    with pytest.raises(errors.CredentialsRefused) as refused:
        principal(grant, 5, {KeyKind.NATIVE})
    assert str(refused.value) == errors.CredentialsRefused.message
    assert refused.value.__cause__ is None


def test_a_caller_is_let_in_from_the_addresses_of_its_key_and_from_nowhere_else() -> None:
    anywhere = principal(GRANT, 5, {KeyKind.NATIVE})
    anywhere.check_address("198.51.100.7")
    within = principal(replace(GRANT, allowed_cidrs=("192.0.2.0/24",)), 5, {KeyKind.NATIVE})
    within.check_address("192.0.2.7")
    with pytest.raises(errors.CredentialsRefused):
        within.check_address("198.51.100.7")


def test_whose_credential_was_refused_is_known_to_the_refusal_or_to_what_caused_it() -> None:
    with pytest.raises(errors.CredentialsRefused) as refused:
        principal(replace(GRANT, revoked=True), 5, {KeyKind.NATIVE})
    wrapped = errors.CredentialsRefused(field="header")
    wrapped.__cause__ = refused.value
    assert presented(refused.value) == presented(wrapped) == replace(GRANT, revoked=True)
    for nobodys in (None, errors.CredentialsRefused(), errors.ScopeMissing(), ValueError()):
        assert presented(nobodys) is None
