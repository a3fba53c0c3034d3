"""Removing owners, on the adapter and on the fake: whatever breaks off, the next call ends it."""

from __future__ import annotations

import pytest

from keywright import errors, removal
from keywright.model import KeyKind, OwnerKind, OwnerRef, Platform
from keywright.ports import AppsNamed, Desk, KeyStore, OwnerAt, RemoveOwner, Require, SaveOwner, Stale
from tests.world import World


def never() -> bool:
    return False


def test_a_leaving_owner_is_found_and_listed_only_by_who_asks_for_it(store: KeyStore, world: World) -> None:
    app = world.app()
    leaving = app.changed(1, leaving=True)
    store.commit(SaveOwner(leaving, app))

    seen, unseen = OwnerAt(app.ref, leaving=True), OwnerAt(app.ref)
    reading = store.read(seen, unseen)
    assert (reading[seen], reading[unseen]) == (leaving, None)
    assert store.owners(world.tenant, OwnerKind.APP).items == []
    assert store.owners(world.tenant, OwnerKind.APP, leaving=True).items == [leaving]


def test_a_leaving_owner_gets_no_key_but_its_keys_are_counted_down(store: KeyStore, world: World) -> None:
    app = world.app()
    world.issue(KeyKind.APP_SECRET, app.ref)
    store.commit(SaveOwner(app.changed(1, leaving=True), app))

    with pytest.raises(errors.AppNotFound):
        store.commit(Require(app.ref, count=KeyKind.APP_SECRET))
    with pytest.raises(errors.AppNotFound):
        store.commit(Require(app.ref))
    store.commit(Require(app.ref, count=KeyKind.APP_SECRET, by=-1))


def test_a_leaving_rep_is_in_no_list_of_reps(store: KeyStore, world: World) -> None:
    rep = world.rep()
    world.issue(KeyKind.REP_KEY, rep.ref)
    store.commit(SaveOwner(rep.changed(1, leaving=True), rep))

    assert list(store.owners_with_single_keys(world.tenant, OwnerKind.SUPPORT_REP)) == []


def test_only_an_owner_that_is_leaving_as_it_was_read_is_taken_away(store: KeyStore, world: World) -> None:
    app = world.app()
    with pytest.raises(Stale):
        store.commit(RemoveOwner(app))
    leaving = app.changed(1, leaving=True)
    store.commit(SaveOwner(leaving, app))
    with pytest.raises(Stale):
        store.commit(RemoveOwner(leaving.changed(2)))

    store.commit(RemoveOwner(leaving))

    ref, named = OwnerAt(app.ref, leaving=True), AppsNamed(world.tenant, app.name)
    reading = store.read(ref, named)
    assert (reading[ref], reading[named]) == (None, None)


def test_owners_are_listed_by_the_beginning_of_their_ids(store: KeyStore, world: World) -> None:
    for login in ("ann", "anna", "bob"):
        world.rep(login)

    found = store.owners(world.tenant, OwnerKind.SUPPORT_REP, prefix="ann")

    assert [owner.id for owner in found.items] == ["ann", "anna"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_page_is_full_whatever_is_left_out_of_it(store: KeyStore, world: World, limit: int) -> None:
    app = world.app()
    wanted = []
    for n in range(7):
        issued = world.issue(KeyKind.NATIVE, app.ref, description=str(n))
        wanted += [issued.key.id] if n % 2 else []

    pages, after = [], None
    while True:
        page = store.keys_of(app.ref, where=lambda key: int(key.description) % 2 == 1, limit=limit, after=after)
        pages.append([key.id for key in page.items])
        if (after := page.next) is None:
            break

    assert sorted(key_id for page in pages for key_id in page) == sorted(wanted)
    assert all(len(page) == limit for page in pages[:-1])


def test_a_removal_that_time_cut_off_anywhere_is_ended_by_the_next(store: KeyStore, world: World, desk: Desk) -> None:
    for cut in (0, 1, 3, 5, 8):
        app = world.app(id=f"app-{cut}")
        android = world.channel(app)
        world.channel(android.app, Platform.IOS)
        world.issue(KeyKind.INTEGRATION_SECRET, world.integration(app).ref)
        for _ in range(2):
            world.issue(KeyKind.NATIVE, app.ref)
        looks = iter([*[False] * cut, *[True] * 20])

        if not removal.remove(desk, world.principal, app.ref, time_is_up=lambda looks=looks: next(looks)):  # type: ignore[misc]
            assert removal.remove(desk, world.principal, app.ref, time_is_up=never)

        with pytest.raises(errors.AppNotFound):
            removal.remove(desk, world.principal, app.ref, time_is_up=never)
        for kind in (OwnerKind.CHANNEL, OwnerKind.INTEGRATION):
            assert store.owners(world.tenant, kind, leaving=True).items == []
        assert store.keys_of(OwnerRef(world.tenant, OwnerKind.APP, app.id)).items == []
