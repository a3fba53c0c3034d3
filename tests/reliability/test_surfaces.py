"""R13: a model test through every surface. Three tenants issue, list, verify, switch, rotate, end, delete, have back
and change keys, each time in the words of some surface that can; owners lose what their keys need, the clock goes on,
the sweep runs, and calls of AWS fail. Beside it a ledger of dicts says what must be true, and after every step the
verdict of each known token, the lists of every surface, the view of another tenant and the table agree with it.

An outcome that nobody knows is read, must be one of the two that it can be, and is held to from there on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from keywright.bootstrap import SystemClock
from keywright.model import Key, KeyKind
from local import demo
from tests.description import refuses
from tests.quick_table import Crash
from tests.reliability.endpoints import Rig, rig
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.ledger import DAY_MS, SINGLE, Kept, Ledger, Owner
from tests.reliability.stand_ins import Fault, Snapshot
from tests.reliability.tenants import Asked, Tenant, expiry_of_voltmx, rfc3339, tokens_in

EXAMPLES, STEPS = (500, 50) if NIGHTLY else (60, 20)
SHARES: Final = 10 if NIGHTLY else 4
"""Into so many tests the examples are cut, so that every core has some."""
START_MS: Final = 1_790_000_000_000
LONGEST_MS: Final = 25 * DAY_MS
"""Short of when anything is purged."""
HOUR_MS: Final = 3_600_000
KINDS: Final = (
    KeyKind.NATIVE,
    KeyKind.ANDROID_ACCESS_KEY,
    KeyKind.REP_KEY,
    KeyKind.APP_SECRET,
    KeyKind.INTEGRATION_SECRET,
    KeyKind.APP_API_KEY,
)
STYLES: Final = ("json", "xml")
FAULTS: Final = st.one_of(st.none(), st.tuples(st.integers(0, 4), st.sampled_from(Fault)))
ANY: Final = st.integers(0, 10_000)


class Stage:
    """The bundle with the three tenants laid out, and a clock that stands still until it is moved."""

    def __init__(self, at: Rig, patch: pytest.MonkeyPatch) -> None:
        self.at, self.now_ms = at, START_MS
        patch.setattr(SystemClock, "now_ms", lambda _: self.now_ms)
        desk = demo.desk(at.stack)
        self.tenants = [Tenant(desk, number) for number in range(3)]
        self.held: Snapshot = at.table.snapshot()
        self.steps = self.requests = self.unclear = 0

    def begin(self) -> Ledger:
        self.at.table.restore(self.held)
        self.at.stack.aws._tokens.clear()
        self.at.injector.arm()
        self.at.new_environment()
        self.now_ms = START_MS
        ledger = Ledger()
        for tenant in self.tenants:
            tenant.enter(ledger, self.now_ms)
        return ledger

    def ask(self, asked: Asked, fault: tuple[int, Fault] | None = None) -> Reply:
        self.at.injector.arm({} if fault is None else {fault[0]: fault[1]})
        self.requests += 1
        try:
            answer = self.at.bundle.request(
                asked.method, asked.target, asked.headers, json_body=asked.json_body, form=asked.form
            )
        except Crash:
            self.at.new_environment()
            self.unclear += 1
            return Reply(None, "", unclear=True)
        finally:
            hit = self.at.injector.hit
            self.at.injector.arm()
        refused = refuses(answer)
        unclear = bool(hit) and refused
        self.unclear += unclear
        assert unclear or answer.status < 500, answer.text
        return Reply(not refused, answer.text, unclear=unclear)

    def stored(self, key_id: str) -> Kept | None:
        item = self.at.table.items.get((f"KEY#{key_id}", "KEY"))
        return None if item is None else Kept.seen(self.at.inspector._built(Key, item), self.now_ms)

    def all_ids(self, owner: Owner, kind: KeyKind) -> set[str]:
        found = (
            self.at.inspector._built(Key, item)
            for (pk, _), item in self.at.table.items.items()
            if pk.startswith("KEY#")
        )
        return {key.id for key in found if (key.tenant, key.owner.kind, key.owner.id) == owner and key.kind is kind}


class Reply:
    """`done` is None where nobody knows."""

    def __init__(self, done: bool | None, text: str, *, unclear: bool) -> None:
        self.done = None if unclear else done
        self.text = text


STAGE: Stage
"""Of the run; hypothesis makes its machines itself, without arguments."""


class Surfaces(RuleBasedStateMachine):
    @initialize()
    def lay_out(self) -> None:
        self.ledger = STAGE.begin()
        self.touched: set[Owner] = {STAGE.tenants[0].owner(kind) for kind in KINDS}

    @property
    def now_ms(self) -> int:
        return STAGE.now_ms

    def tenant_of(self, key: Kept) -> Tenant:
        return next(tenant for tenant in STAGE.tenants if tenant.name == key.owner[0])

    def pick(self, n: int, *kinds: KeyKind, where: Callable[[Kept], bool] = lambda _: True) -> Kept | None:
        """Of the newest, so that what was made in this run is picked often."""
        found = [key.at(self.now_ms) for key in self.ledger.keys.values() if not kinds or key.kind in kinds]
        found = [key for key in reversed(found) if where(key)]
        return found[n % min(len(found), 40)] if found else None

    # --- what an outcome does to the ledger --------------------------------------------------------------------------

    def settle(self, reply: Reply, before: Kept, after: Kept | None) -> bool:
        """`after` is the key when it was done, None where it must be refused. Whether it was done."""
        self.touched.add(before.owner)
        if reply.done is None and after is not None:
            seen = STAGE.stored(before.id)
            assert seen in (before, after), f"neither {before} nor {after}: {seen}"
            done = seen == after
        else:
            done = bool(reply.done)
            assert done is (after is not None), f"{'done' if done else 'refused'}: {before}, {reply.text}"
        if done and after is not None:
            self.ledger.put(after)
            assert STAGE.stored(before.id) == after
        else:
            assert STAGE.stored(before.id) == before
        return done

    def settle_new(self, reply: Reply, owner: Owner, kind: KeyKind, expires: int | None, *, may: bool) -> None:
        self.touched.add(owner)
        made = STAGE.all_ids(owner, kind) - self.ledger.keys.keys()
        assert len(made) == 1 if reply.done and may else len(made) <= int(reply.done is None and may), reply.text
        assert reply.done is not True or may, f"accepted: {kind} of {owner}"
        assert reply.done is not False or not may, f"refused: {kind} of {owner}: {reply.text}"
        for key_id in made:
            expected = Kept(key_id, kind, owner, expires=expires)
            assert STAGE.stored(key_id) == expected
            self.ledger.put(expected)
            if reply.done:
                self.ledger.tokens[key_id, 1] = tokens_in(reply.text, kind)

    # --- what is done ------------------------------------------------------------------------------------------------

    @rule(
        t=st.integers(0, 2),
        kind=st.sampled_from(KINDS),
        rep=st.integers(0, 1),
        days=st.integers(0, 3),
        n=ANY,
        fault=FAULTS,
    )
    def issue(self, t: int, kind: KeyKind, rep: int, days: int, n: int, fault: tuple[int, Fault] | None) -> None:
        tenant = STAGE.tenants[t]
        owner = tenant.owner(kind, rep)
        if kind is KeyKind.ANDROID_ACCESS_KEY:
            self.issue_access_key(tenant, owner, fault)
            return
        expires = (self.now_ms // 1000 + days * 86_400) * 1000 if days else None
        through_native = kind is KeyKind.NATIVE or n % 3 == 0
        if kind in {KeyKind.APP_SECRET, KeyKind.INTEGRATION_SECRET} and not through_native:
            expires = None
        if through_native:
            asked = tenant.issue_native(kind, owner, expires)
        else:
            asked = tenant.issue(kind, rep, expires, STYLES[n % 2])
        may = self.ledger.has_room(owner, kind)
        if kind in SINGLE:
            may = self.ledger.living(owner) is None
        if kind in {KeyKind.REP_KEY, KeyKind.APP_API_KEY}:
            may = may and owner not in self.ledger.not_eligible
        self.settle_new(STAGE.ask(asked, fault), owner, kind, expires, may=may)

    def issue_access_key(self, tenant: Tenant, owner: Owner, fault: tuple[int, Fault] | None) -> None:
        """The next version; of a revoked key, its successor's."""
        reply = STAGE.ask(tenant.salesiq("POST", "/accesskeys"), fault)
        before = self.ledger.keys[self.ledger.holder[owner]].at(self.now_ms)
        if not before.revoked:
            after = before.next_version(keep=2)
            if self.settle(reply, before, after) and reply.done:
                self.ledger.tokens[after.id, after.last] = tokens_in(reply.text, before.kind)
            return
        self.touched.add(owner)
        made = STAGE.all_ids(owner, before.kind) - self.ledger.keys.keys()
        assert len(made) == 1 if reply.done else len(made) <= int(reply.done is None)
        for key_id in made:
            self.ledger.put(Kept(key_id, before.kind, owner, working=(before.last + 1,), last=before.last + 1))
            self.ledger.holder[owner] = key_id
            assert STAGE.stored(key_id) == self.ledger.keys[key_id]
            if reply.done:
                self.ledger.tokens[key_id, before.last + 1] = tokens_in(reply.text, before.kind)

    @rule(n=ANY, overlaps=st.booleans(), fault=FAULTS)
    def rotate(self, n: int, overlaps: bool, fault: tuple[int, Fault] | None) -> None:
        key = self.pick(n, KeyKind.NATIVE)
        if key is None:
            return
        asked = self.tenant_of(key).native(
            "POST", f"/keys/{key.id}/rotate", {"overlap_seconds": 3_600 if overlaps else 0}
        )
        after = None
        if key.stands and not key.has_expired(self.now_ms) and not (overlaps and key.until):
            after = key.next_version(retires_at_ms=self.now_ms + HOUR_MS if overlaps else None)
        reply = STAGE.ask(asked, fault)
        if self.settle(reply, key, after) and reply.done and after is not None:
            self.ledger.tokens[key.id, after.last] = tokens_in(reply.text, key.kind)

    @rule(n=ANY, deed=st.sampled_from(("finish", "cancel")), fault=FAULTS)
    def end_rotation(self, n: int, deed: str, fault: tuple[int, Fault] | None) -> None:
        key = self.pick(n, KeyKind.NATIVE, where=lambda each: bool(each.until)) or self.pick(n, KeyKind.NATIVE)
        if key is None:
            return
        after = None
        if key.stands and key.until:
            after = replace(key, working=key.working[-1:] if deed == "finish" else key.working[:1], until=())
        reply = STAGE.ask(self.tenant_of(key).native("POST", f"/keys/{key.id}/rotation/{deed}", {}), fault)
        self.settle(reply, key, after)

    @rule(n=ANY, days=st.integers(0, 3), fault=FAULTS)
    def regenerate(self, n: int, days: int, fault: tuple[int, Fault] | None) -> None:
        key = self.pick(n, KeyKind.REP_KEY)
        if key is None:
            return
        expires = (self.now_ms + days * DAY_MS) if days else key.expires
        more = {"expiresOn": str(expires)} if days else {}
        living, after = self.ledger.living(key.owner), None
        key = living.at(self.now_ms) if living is not None else key
        if (
            living is not None
            and key.owner not in self.ledger.not_eligible
            and (days or not key.has_expired(self.now_ms))
        ):
            after = key.next_version()
            if days:
                after = replace(after, expires=expires, marked=after.marked and expires == key.expires)
        asked = self.tenant_of(key).supportcenter("regenerateApiKey", STYLES[n % 2], supportRep=key.owner[2], **more)
        reply = STAGE.ask(asked, fault)
        if self.settle(reply, key, after) and reply.done and after is not None:
            self.ledger.tokens[key.id, after.last] = tokens_in(reply.text, key.kind)

    @rule(n=ANY, on=st.booleans(), fault=FAULTS)
    def switch(self, n: int, on: bool, fault: tuple[int, Fault] | None) -> None:
        if (key := self.pick(n)) is None:
            return
        asked = self.tenant_of(key).native("POST", f"/keys/{key.id}/{'enable' if on else 'disable'}", {})
        self.settle(STAGE.ask(asked, fault), key, replace(key, enabled=on) if key.stands else None)

    @rule(n=ANY, deed=st.sampled_from(("on", "off", "gone")), fault=FAULTS)
    def access_key(self, n: int, deed: str, fault: tuple[int, Fault] | None) -> None:
        """One version of a channel's key."""
        tenant = STAGE.tenants[n % 3]
        key = self.ledger.keys[self.ledger.holder[tenant.owner(KeyKind.ANDROID_ACCESS_KEY)]].at(self.now_ms)
        number = 1 + n % key.last
        path = f"/accesskeys/{number}"
        asked = (
            tenant.salesiq("DELETE", path) if deed == "gone" else tenant.salesiq("PUT", path, {"enabled": deed == "on"})
        )
        after = None
        if key.stands and number in key.working:
            off = key.off - {number} if deed in {"on", "gone"} else key.off | {number}
            working = tuple(each for each in key.working if each != number) if deed == "gone" else key.working
            after = replace(key, off=off, working=working)
        self.settle(STAGE.ask(asked, fault), key, after)

    @rule(n=ANY, fault=FAULTS)
    def revoke(self, n: int, fault: tuple[int, Fault] | None) -> None:
        if (key := self.pick(n)) is None:
            return
        reply = STAGE.ask(self.tenant_of(key).native("POST", f"/keys/{key.id}/revoke", {"reason": "lost"}), fault)
        self.settle(reply, key, None if key.deleted else replace(key, revoked=True))

    @rule(n=ANY, fault=FAULTS)
    def revoke_by_possession(self, n: int, fault: tuple[int, Fault] | None) -> None:
        known = [*self.ledger.tokens]
        key_id, version = known[-1 - n % min(len(known), 40)]
        key = self.ledger.keys[key_id].at(self.now_ms)
        asked = Asked("POST", "/v1/keys/revoke-self", {}, form={"token": self.ledger.tokens[key_id, version]})
        after = key
        if self.ledger.verdict(key_id, version, self.now_ms) not in {"unknown", "revoked"}:
            after = replace(key, revoked=True)
            if key.kind is KeyKind.ANDROID_ACCESS_KEY and len(key.working) > 1:
                working = tuple(each for each in key.working if each != version)
                after = replace(key, working=working, off=key.off - {version})
        self.settle(STAGE.ask(asked, fault), key, after)

    @rule(n=ANY, fault=FAULTS)
    def delete(self, n: int, fault: tuple[int, Fault] | None) -> None:
        if (key := self.pick(n)) is None:
            return
        tenant = self.tenant_of(key)
        after = None if key.deleted or key.kind is KeyKind.ANDROID_ACCESS_KEY else replace(key, deleted=True)
        asked = tenant.native("DELETE", f"/keys/{key.id}")
        if n % 2:
            token = self.ledger.tokens.get((key.id, key.working[-1] if key.working else 0))
            if (own := tenant.delete(key, token, STYLES[n % 4 // 2])) is not None:
                asked = own
                match key.kind:
                    case KeyKind.REP_KEY:  # which names the rep, and so the rep's one living key
                        living = self.ledger.living(key.owner)
                        key = key if living is None else living.at(self.now_ms)
                        after = None if living is None else replace(key, deleted=True)
                    case KeyKind.APP_SECRET | KeyKind.INTEGRATION_SECRET:
                        after = after if key.takes_a_place else None
                    case KeyKind.APP_API_KEY:
                        after = None if key.revoked else after
        self.settle(STAGE.ask(asked, fault), key, after)

    @rule(n=ANY, fault=FAULTS)
    def undelete(self, n: int, fault: tuple[int, Fault] | None) -> None:
        key = self.pick(n, where=lambda each: each.deleted) or self.pick(n)
        if key is None:
            return
        back = replace(key, deleted=False)
        may = not key.deleted or not back.takes_a_place or self.ledger.has_room(key.owner, key.kind)
        if key.deleted and back.stands:
            if key.kind in SINGLE:
                may = may and self.ledger.living(key.owner) is None
            if key.kind in {KeyKind.REP_KEY, KeyKind.APP_API_KEY}:
                may = may and key.owner not in self.ledger.not_eligible
        reply = STAGE.ask(self.tenant_of(key).native("POST", f"/keys/{key.id}/undelete", {}), fault)
        self.settle(reply, key, back if may else None)

    @rule(n=ANY, days=st.integers(0, 3), fault=FAULTS)
    def change_expiry(self, n: int, days: int, fault: tuple[int, Fault] | None) -> None:
        if (key := self.pick(n)) is None:
            return
        expires = (self.now_ms // 1000 + days * 86_400) * 1000 if days else None
        after = None
        if key.stands:
            marked = key.marked and expires == key.expires
            after = replace(key, expires=expires, marked=marked)
            if after.takes_a_place and not key.takes_a_place and not self.ledger.has_room(key.owner, key.kind):
                after = None
        tenant = self.tenant_of(key)
        asked = tenant.native("PATCH", f"/keys/{key.id}", {"expires_at": expires and rfc3339(expires)})
        token = self.ledger.tokens.get((key.id, 1))
        if key.kind is KeyKind.APP_API_KEY and n % 2 and expires is not None and token is not None:
            asked = tenant.voltmx("POST", f"/{token}", **expiry_of_voltmx(expires))
        self.settle(STAGE.ask(asked, fault), key, after)

    @rule(
        t=st.integers(0, 2),
        kind=st.sampled_from((KeyKind.ANDROID_ACCESS_KEY, KeyKind.REP_KEY, KeyKind.APP_API_KEY)),
        n=ANY,
    )
    def turn_owner(self, t: int, kind: KeyKind, n: int) -> None:
        """A login withdrawn, an app unpublished, a channel switched off; or back again."""
        tenant = STAGE.tenants[t]
        owner = tenant.owner(kind, n % 2)
        eligible = owner in self.ledger.not_eligible
        member = {"channel": "enabled", "support_rep": "login_enabled", "app": "published"}[owner[1]]
        asked = tenant.native("PATCH", f"/owners/{owner[1]}/{owner[2]}", {member: eligible})
        if kind is KeyKind.ANDROID_ACCESS_KEY and n % 2:
            asked = tenant.salesiq("PUT", "", {"enabled": eligible})
        reply = STAGE.ask(asked)
        assert reply.done, reply.text
        (self.ledger.not_eligible.discard if eligible else self.ledger.not_eligible.add)(owner)
        if kind is KeyKind.REP_KEY and not eligible and (key := self.ledger.living(owner)) is not None:
            self.ledger.put(replace(key.at(self.now_ms), deleted=True))  # and it does not come back with the login
        self.touched.add(owner)

    @precondition(lambda self: STAGE.now_ms < START_MS + LONGEST_MS)
    @rule(by=st.sampled_from((1, 999, HOUR_MS, DAY_MS, 2 * DAY_MS)))
    def wait(self, by: int) -> None:
        STAGE.now_ms += by
        self.touched |= {key.owner for key in self.ledger.keys.values() if key.expires is not None or key.until}

    @rule()
    def sweep(self) -> None:
        STAGE.at.injector.arm()
        STAGE.at.bundle.invoke("ScheduledSweepExpiredKeys", STAGE.at.event("ScheduledSweepExpiredKeys"))
        self.ledger.swept(self.now_ms)
        STAGE.now_ms += HOUR_MS  # by then its lease is over
        self.touched |= {key.owner for key in self.ledger.keys.values() if key.marked}

    @rule(n=ANY, t=st.integers(0, 2))
    def look_from_elsewhere(self, n: int, t: int) -> None:
        """Another tenant's deeds at this key: it is not there."""
        if (key := self.pick(n)) is None or (other := STAGE.tenants[t]).name == key.owner[0]:
            return
        deeds = [
            ("GET", "", None), ("DELETE", "", None), ("PATCH", "", {"description": "mine"}), ("POST", "/revoke", {}),
            ("POST", "/disable", {}), ("POST", "/undelete", {}), ("POST", "/rotate", {"overlap_seconds": 0}),
        ]  # fmt: skip
        method, tail, body = deeds[n % len(deeds)]
        reply = STAGE.ask(other.native(method, f"/keys/{key.id}{tail}", body))
        unknown = STAGE.ask(other.native(method, f"/keys/{key.id[:-1]}{'0' if key.id[-1] != '0' else '1'}{tail}", body))
        assert (reply.done, reply.text) == (False, unknown.text)
        assert STAGE.stored(key.id) == key

    # --- what is always so -------------------------------------------------------------------------------------------

    def check_invariants(self, *_: Any, **__: Any) -> None:
        """After every step; hypothesis asks for it by this name. As an @invariant it would be a function each."""
        if not hasattr(self, "ledger"):
            return
        STAGE.steps += 1
        for owner in sorted(self.touched):
            self.check_owner(owner)
        self.touched.clear()
        at = STAGE.at
        secrets = [*self.ledger.tokens.values()]
        found = at.inspector.violations(at.table.items, self.now_ms, secrets=secrets, commits=at.table.commits)
        at.table.commits.clear()
        assert found == []

    def check_owner(self, owner: Owner) -> None:
        tenant = next(each for each in STAGE.tenants if each.name == owner[0])
        known = [each for each in self.ledger.tokens if self.ledger.keys[each[0]].owner == owner][-50:]
        if known:
            asked = [self.ledger.tokens[each] for each in known]
            said = _results(STAGE.ask(tenant.verify(asked)))
            expected = [self.ledger.verdict(*each, self.now_ms) for each in known]
            assert [result.get("reason") or "good" for result in said] == expected, known
            other = STAGE.tenants[(STAGE.tenants.index(tenant) + 1 + STAGE.steps % 2) % 3]
            assert {result["reason"] for result in _results(STAGE.ask(other.verify(asked)))} == {"unknown"}
        listed = _json(STAGE.ask(tenant.list(owner)))["keys"]
        shown = {
            each["id"]: (each["state"], each["version"], tuple(v["version"] for v in each["versions"]))
            for each in listed
        }
        expected_list = {
            key.id: (key.state(self.now_ms), key.last, key.at(self.now_ms).working) for key in self.ledger.listed(owner)
        }
        assert shown == expected_list
        self.check_vendors_list(tenant, owner)

    def check_vendors_list(self, tenant: Tenant, owner: Owner) -> None:
        mine = [key for key in self.ledger.keys.values() if key.owner == owner]
        match owner[1]:
            case "channel":
                living = self.ledger.living(owner)
                rows = _json(STAGE.ask(tenant.salesiq("GET", "/accesskeys")))["data"]
                assert [int(row["version"]) for row in rows] == [*reversed(living.working if living else ())]
            case "support_rep":
                reply = STAGE.ask(tenant.supportcenter("listApiKeys", "json", supportRep=owner[2]))
                shown = [row["apikey"] for row in _json(reply)["response"].get("details", [])]
                living = self.ledger.living(owner)
                expected = (
                    [] if living is None else [self.ledger.tokens.get((living.id, living.last), shown[:1] and shown[0])]
                )
                assert shown == expected
            case "integration":
                self.check_sunshine(tenant, KeyKind.INTEGRATION_SECRET, mine)
            case "app":
                self.check_sunshine(tenant, KeyKind.APP_SECRET, mine)
                if owner not in self.ledger.not_eligible:
                    asked = Asked("GET", f"/api/v1/applications/key?appId={tenant.app.id}", tenant._voltmx)
                    reply = STAGE.ask(asked)
                    tokens = {row["appAPIKey"] for row in _json(reply)["result"]} if reply.done else set()
                    of_these = [key for key in mine if key.kind is KeyKind.APP_API_KEY and key.stands]
                    assert len(tokens) == len(of_these)
                    assert {
                        self.ledger.tokens[key.id, 1] for key in of_these if (key.id, 1) in self.ledger.tokens
                    } <= tokens

    def check_sunshine(self, tenant: Tenant, kind: KeyKind, mine: list[Kept]) -> None:
        rows = _json(STAGE.ask(tenant.sunshine("GET", kind)))["keys"]
        assert {row["id"] for row in rows} == {key.id for key in mine if key.kind is kind and key.takes_a_place}


def _json(reply: Reply) -> Any:
    assert reply.done, reply.text
    return json.loads(reply.text)


def _results(reply: Reply) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", _json(reply)["results"])


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    global STAGE  # noqa: PLW0603
    with ExitStack() as stack:
        at = stack.enter_context(rig("333344445555", nearby=True))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        STAGE = Stage(at, patch)
        yield STAGE


@pytest.mark.parametrize("share", range(SHARES))
def test_every_surface_says_what_the_ledger_says(stage: Stage, share: int, figures: Figures) -> None:
    before = stage.steps, stage.requests, stage.unclear
    run_state_machine_as_test(
        seed(20261130 + share)(Surfaces),
        settings=settings(
            max_examples=EXAMPLES // SHARES,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[*HealthCheck],
        ),
    )
    figures.add(
        "R13",
        examples=EXAMPLES // SHARES,
        steps=stage.steps - before[0],
        requests=stage.requests - before[1],
        outcomes_unknown=stage.unclear - before[2],
    )
    figures.note("R13", surfaces=5, tenants=3, disagreements=0)
