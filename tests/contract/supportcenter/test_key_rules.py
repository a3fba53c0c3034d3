"""The life of a rep's key, rule by rule, whoever brings it about."""

from __future__ import annotations

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import SupportRep
from keywright.ports import SingleKeyRef
from tests.contract.supportcenter.administrator import UNKNOWN_KEY, Administrator, details_of, refused
from tests.contract.supportcenter.conftest import Meanwhile


@pytest.fixture
def meera(administrator: Administrator) -> SupportRep:
    return administrator.world.rep("meera.nair", name="Meera Nair")


@pytest.fixture
def issued(administrator: Administrator, meera: SupportRep) -> Issued:
    return administrator.key_of(meera)


def holds_a_key(administrator: Administrator, login: str) -> bool:
    return administrator.listed(supportRep=login) != []


# --- a key needs a rep with login enabled and a role ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "statuscode"), [({"login_enabled": False}, 5107), ({"role": None}, 5108), ({"role": ""}, 5108)]
)
def test_without_login_or_role_there_is_no_key_by_any_way(
    administrator: Administrator, attributes: dict[str, object], statuscode: int
) -> None:
    rep = administrator.world.rep("meera.nair", **attributes)
    order = {"owner": {"kind": "support_rep", "id": rep.id}, "kind": "rep_key"}

    native = administrator.bundle.request("POST", "/v1/keys", administrator.world.bearer, json_body=order)

    assert refused(administrator.generate(supportRep="meera.nair"), statuscode)
    assert (native.status, native.json()["type"]) == (409, "urn:keywright:problem:owner-not-eligible")
    assert not holds_a_key(administrator, "meera.nair")


# --- withdrawing the login deletes the key -------------------------------------------------------------------------


def test_withdrawing_the_login_deletes_the_key_with_the_same_write(
    administrator: Administrator, issued: Issued
) -> None:
    answer = administrator.bundle.request(
        "PATCH",
        "/v1/owners/support_rep/meera.nair",
        administrator.world.bearer,
        json_body={"login_enabled": False},
    )

    assert (answer.status, answer.json()["login_enabled"]) == (200, False)
    assert answer.calls == ("GetItem", "BatchGetItem", "TransactWriteItems")
    assert administrator.verify(issued.token.reveal()) == administrator.verify(UNKNOWN_KEY)
    assert not holds_a_key(administrator, "meera.nair")
    assert administrator.world.key(issued.key.id).deleted_at_ms is not None


def test_enabling_the_login_again_does_not_bring_the_key_back_and_another_can_be_generated(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.change("meera.nair", login_enabled=False)
    administrator.change("meera.nair", login_enabled=True)

    assert administrator.verify(issued.token.reveal()) == administrator.verify(UNKNOWN_KEY)
    assert refused(administrator.regenerate(supportRep="meera.nair"), 5110)
    new = details_of(administrator.generate(supportRep="meera.nair"))["apikey"]
    assert administrator.verify(new)["valid"] is True
    assert administrator.verify(issued.token.reveal())["valid"] is False


def test_a_key_that_has_expired_or_was_disabled_goes_with_the_login_too(administrator: Administrator) -> None:
    world = administrator.world
    expired = world.expire(administrator.key_of(world.rep("a")).key)
    disabled = lifecycle.disable(world.desk, world.principal, administrator.key_of(world.rep("b")).key)

    administrator.change("a", login_enabled=False)
    administrator.change("b", login_enabled=False)

    assert all(world.key(key.id).deleted_at_ms is not None for key in (expired, disabled))


def test_a_revoked_key_stays_revoked_when_the_login_goes(administrator: Administrator, issued: Issued) -> None:
    administrator.revoke(issued.key)

    administrator.change("meera.nair", login_enabled=False)

    assert administrator.verify(issued.token.reveal())["reason"] == "revoked"


@pytest.mark.usefixtures("meera")
def test_a_login_can_be_withdrawn_from_a_rep_without_a_key(administrator: Administrator) -> None:
    administrator.change("meera.nair", login_enabled=False)

    assert refused(administrator.generate(supportRep="meera.nair"), 5107)


def test_other_changes_leave_the_key_alone(administrator: Administrator, issued: Issued) -> None:
    administrator.change("meera.nair", name="Meera N.", business_unit="Trade", login_enabled=True)

    assert administrator.world.key(issued.key.id) == issued.key


def test_a_key_generated_while_the_login_is_being_withdrawn_goes_with_it(
    administrator: Administrator, meera: SupportRep, meanwhile: Meanwhile
) -> None:
    """Who withdraws it saw no key; the write finds one, and the change is made anew."""
    made: list[Issued] = []
    meanwhile(lambda: made.append(administrator.key_of(meera)))

    answer = administrator.bundle.request(
        "PATCH",
        "/v1/owners/support_rep/meera.nair",
        administrator.world.bearer,
        json_body={"login_enabled": False},
    )

    assert answer.status == 200
    assert answer.calls.count("BatchGetItem") == 2
    assert administrator.verify(made[0].token.reveal())["reason"] == "unknown"
    ref = SingleKeyRef(meera.ref)
    assert administrator.world.desk.store.read(ref)[ref] is None


def test_a_login_withdrawn_while_a_key_is_being_generated_leaves_none(
    administrator: Administrator, meera: SupportRep, meanwhile: Meanwhile
) -> None:
    meanwhile(lambda: administrator.world.change(meera, login_enabled=False))

    answer = administrator.generate(supportRep="meera.nair")

    assert answer.json()["response"]["result"]["statuscode"] == 5107
    ref = SingleKeyRef(meera.ref)
    assert administrator.world.desk.store.read(ref)[ref] is None


# --- deleting the rep ends the key ---------------------------------------------------------------------------------


def test_com_4_deleting_the_rep_ends_the_key_and_another_rep_of_that_login_has_none(
    administrator: Administrator, issued: Issued
) -> None:
    path = "/v1/owners/support_rep/meera.nair"

    assert administrator.bundle.request("DELETE", path, administrator.world.bearer).status == 200

    assert administrator.verify(issued.token.reveal())["valid"] is False
    assert refused(administrator.ask_for_list(supportRep="meera.nair"), 5106)
    for deed in (administrator.generate, administrator.regenerate, administrator.delete):
        assert refused(deed(supportRep="meera.nair"), 5106)
    administrator.world.rep("meera.nair")
    assert not holds_a_key(administrator, "meera.nair")
    assert administrator.verify(issued.token.reveal())["valid"] is False


def test_an_administrator_who_was_deleted_is_5102(administrator: Administrator) -> None:
    path = "/v1/owners/support_rep/priya.rao"

    assert administrator.bundle.request("DELETE", path, administrator.world.bearer).status == 200

    assert refused(administrator.ask_for_list(), 5102)


# --- the key has the rights of the rep's role, as it is at that moment ---------------------------------------------


def test_scp_9_without_a_role_verification_fails_and_the_key_stays(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.change("meera.nair", role=None)

    assert administrator.verify(issued.token.reveal())["reason"] == "owner_not_eligible"
    assert holds_a_key(administrator, "meera.nair")

    administrator.change("meera.nair", role="SDGuest")
    assert administrator.verify(issued.token.reveal())["valid"] is True


def test_scp_9_a_change_of_role_acts_at_once(administrator: Administrator, issued: Issued) -> None:
    own = issued.token.reveal()
    for role, statuscode in (("SDGuest", 5103), ("SDAdmin", 200), ("SDCoordinator", 5103)):
        administrator.change("meera.nair", role=role)

        assert administrator.verify(own)["roles"] == [role]
        assert administrator.ask_for_list(apikey=own).json()["response"]["result"]["statuscode"] == statuscode


# --- one key a rep -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("meera")
def test_whatever_is_done_a_rep_has_one_key_at_most(administrator: Administrator) -> None:
    deeds = [administrator.generate, administrator.regenerate, administrator.delete]
    for deed in (0, 0, 1, 0, 1, 2, 2, 1, 0, 1, 0, 2, 0):
        deeds[deed](supportRep="meera.nair")
        assert len(administrator.listed(supportRep="meera.nair")) <= 1
    assert holds_a_key(administrator, "meera.nair")


# --- a key expires at a date and time, or never --------------------------------------------------------------------


def test_an_expired_key_is_listed_and_blocks_generating_until_it_is_regenerated_or_deleted(
    administrator: Administrator, issued: Issued
) -> None:
    administrator.world.expire(issued.key)

    assert administrator.verify(issued.token.reveal())["reason"] == "expired"
    assert holds_a_key(administrator, "meera.nair")
    assert refused(administrator.generate(supportRep="meera.nair"), 5109)
    assert refused(administrator.regenerate(supportRep="meera.nair"), 5104, "Mandatory parameter missing: expiresOn")
    administrator.delete(supportRep="meera.nair")
    assert details_of(administrator.generate(supportRep="meera.nair"))["expiresOn"] == "-1"
