"""The operations that run against each other, and what one record would answer that did one after the other.

Each deed is what an endpoint does: it reads, decides, commits, and begins anew where somebody else was faster. Its
result is "done", perhaps with the version that it made, or the name of the refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

from keywright import errors, issuing, lifecycle, rotation, sweeping, verification
from keywright.access import Principal
from keywright.issuing import Order
from keywright.model import Key, KeyKind, OwnerRef
from keywright.ports import Desk, KeyRef, Stale
from keywright.verification import Presented
from tests.reliability.histories import Operation, Spec
from tests.reliability.interleaving import Deed, Gate
from tests.reliability.stand_ins import Cloud, Plan, Snapshot, no_fault
from tests.reliability.tables import new_table
from tests.world import World

HOUR_MS: Final = 3_600_000
_ATTEMPTS: Final = 5
"""As many as the edge makes."""


class Result(NamedTuple):
    said: str
    version: int = 0


DONE: Final = "done"


@dataclass(slots=True)
class Scene:
    """One key and its owner, laid out on a table that each run begins with anew. `tokens` are by version; what the
    deeds of a run make is added."""

    cloud: Cloud
    caller: Principal
    owner: OwnerRef
    key: Key
    held: Snapshot
    first_tokens: dict[int, str]
    taken: int = 0
    tokens: dict[int, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> list[str]:
        return [*self.tokens.values(), *self.others]

    def again(self) -> None:
        self.cloud.table.restore(self.held)
        self.tokens = dict(self.first_tokens)
        self.others = []

    @property
    def buckets(self) -> frozenset[str]:
        """The parts of the index in which something is due, or may come to be."""
        return frozenset({bucket for bucket, held in self.held.due.items() if held})

    @property
    def kind(self) -> KeyKind:
        return self.key.kind


def scene(kind: KeyKind, state: str = "active", *, others: int = 0) -> Scene:
    """A key that is active, deleted, or due to be marked as expired; `others` of its kind stand beside it."""
    cloud = Cloud(new_table())
    world = World(cloud.desk())
    owner = world.app("Orchard").ref
    issued = world.issue(kind, owner)
    key = issued.key
    for _ in range(others):
        world.issue(kind, owner)
    if state == "deleted":
        key = lifecycle.delete(world.desk, world.principal, key)
    elif state == "due":
        key = world.overwrite(key, expires_at_ms=cloud.clock.ms - 1)
    taken = 0 if key.rules.limit is None else others + int(state != "deleted")
    return Scene(cloud, world.principal, owner, key, cloud.table.snapshot(), {1: issued.token.reveal()}, taken)


# --- what is done --------------------------------------------------------------------------------------------------

Act = Callable[[Scene, Desk], Result]


def _create(at: Scene, desk: Desk) -> Result:
    issued = issuing.issue(desk, at.caller, Order(kind=at.kind, owner=at.owner))
    at.others.append(issued.token.reveal())
    return Result(DONE)


def _own(at: Scene, desk: Desk) -> Key:
    ref = KeyRef(at.key.id)
    return lifecycle.own(at.caller, desk.store.read(ref)[ref])


def _new_secret(at: Scene, desk: Desk, overlap_ms: int) -> Result:
    """Rotated, or the next version issued where the kind's secrets are not rotated."""
    key = _own(at, desk)
    if key.revoked_at_ms is not None and not key.rules.single:
        raise errors.KeyRevoked
    if key.rules.longest_overlap_ms is None:
        issued = issuing.issue_version(desk, at.caller, key, creator=at.caller.creator())
    else:
        issued = rotation.rotate(desk, at.caller, key, overlap_ms=overlap_ms)
    at.tokens[issued.key.last_version] = issued.token.reveal()
    return Result(DONE, issued.key.last_version)


def _rotate(at: Scene, desk: Desk) -> Result:
    return _new_secret(at, desk, 0)


def _overlap(at: Scene, desk: Desk) -> Result:
    return _new_secret(at, desk, HOUR_MS)


def _revoke(at: Scene, desk: Desk) -> Result:
    lifecycle.revoke(desk, at.caller, _own(at, desk))
    return Result(DONE)


def _change(at: Scene, desk: Desk) -> Result:
    lifecycle.change(desk, at.caller, _own(at, desk), {"description": "changed"})
    return Result(DONE)


def _delete(at: Scene, desk: Desk) -> Result:
    lifecycle.delete_alone(desk, at.caller, _own(at, desk))
    return Result(DONE)


def _undelete(at: Scene, desk: Desk) -> Result:
    ref = KeyRef(at.key.id)
    lifecycle.undelete(desk, at.caller, lifecycle.deleted_own(desk, at.caller, desk.store.read(ref)[ref]))
    return Result(DONE)


def _verify(at: Scene, desk: Desk) -> Result:
    return verify_version(at, desk, 1)


def verify_version(at: Scene, desk: Desk, version: int) -> Result:
    verdict = verification.verify(desk, at.caller.tenant, Presented.token(at.tokens[version]))
    return Result(DONE if verdict.valid else "refused", version)


def _sweep(_: Scene, desk: Desk) -> Result:
    swept = sweeping.sweep(desk, time_is_up=lambda: False, until_ms=0)
    assert swept.failed == 0
    return Result("marked" if swept.expired else DONE)


DEEDS: Final[dict[str, Act]] = {
    "create": _create,
    "rotate": _rotate,
    "revoke": _revoke,
    "change": _change,
    "delete": _delete,
    "undelete": _undelete,
    "verify": _verify,
    "sweep": _sweep,
    "overlap": _overlap,
}
EIGHT: Final = ("create", "rotate", "revoke", "change", "delete", "undelete", "verify", "sweep")


def settled(act: Act, at: Scene, desk: Desk) -> Result:
    """As the edge does it."""
    for _ in range(_ATTEMPTS):
        try:
            return act(at, desk)
        except Stale:
            continue
        except errors.KeywrightError as refusal:
            return Result(type(refusal).__name__)
    return Result(errors.Conflict.__name__)


def _is_private(at: Scene, operation: str, request: Mapping[str, Any]) -> bool:
    """The sweep's lease, which is over before it began and keeps nobody out, and its look where nothing is due."""
    if operation == "UpdateItem":
        return True
    return operation == "Query" and request["ExpressionAttributeValues"][":bucket"]["S"] not in at.buckets


def deed(at: Scene, name: str, plan: Plan = no_fault) -> Deed:
    def done(gate: Gate) -> Result:
        return settled(DEEDS[name], at, at.cloud.desk(gate, plan, partial(_is_private, at)))

    return done


# --- what one record would answer ----------------------------------------------------------------------------------


class State(NamedTuple):
    """The key, and how many places its owner's keys take. `working` are the versions whose tokens open it."""

    working: tuple[int, ...] = (1,)
    last: int = 1
    overlaps: bool = False
    deleted: bool = False
    revoked: bool = False
    expired: bool = False
    marked: bool = False
    taken: int = 0


def first_state(at: Scene) -> State:
    return State(
        deleted=at.key.deleted_at_ms is not None,
        expired=at.key.has_expired(at.cloud.clock.ms),
        taken=at.taken,
    )


UNKNOWN: Final = Result("unknown")
_MAY_ALWAYS_FAIL: Final = frozenset({"Conflict", "Unavailable", "Fault"})
"""Nothing came of these, which the state afterwards shows. Unavailable leaves it open, and is UNKNOWN."""


def spec(at: Scene) -> Spec[State]:  # noqa: C901  eight operations
    counts = at.key.rules.limit is not None
    rotatable = at.key.rules.longest_overlap_ms is not None
    limit = at.key.rules.limit or 10**9

    def took(state: State, by: int) -> State:
        return state._replace(taken=state.taken + by) if counts else state

    def answers(state: State, name: str) -> Sequence[tuple[Result, State]]:  # noqa: C901, PLR0912
        """All that may be answered in this state, and the state that it leads to."""
        standing = not (state.deleted or state.revoked)
        place = -int(standing and not state.marked)
        match name.partition(" ")[0]:
            case "create":
                if counts and state.taken >= limit:
                    return [(Result("LimitReached"), state)]
                return [(Result(DONE), took(state, 1))]
            case "verify":
                version = int(name.partition(" ")[2] or 1)
                good = standing and not state.expired and version in state.working
                return [(Result(DONE if good else "refused", version), state)]
            case "sweep":
                if standing and state.expired and not state.marked:
                    return [(Result("marked"), took(state._replace(marked=True), -1)), (Result(DONE), state)]
                return [(Result(DONE), state)]
            case "undelete" if state.deleted:
                if not state.revoked and not state.marked and counts and state.taken >= limit:
                    return [(Result("LimitReached"), state)]
                back = not state.revoked and not state.marked
                return [(Result(DONE), took(state._replace(deleted=False), int(back)))]
            case "undelete":
                return [(Result(DONE), state)]
        if state.deleted:
            return [(Result("KeyNotFound"), state)]
        match name:
            case "delete":
                return [(Result(DONE), took(state._replace(deleted=True), place))]
            case "revoke":
                return [(Result(DONE), took(state._replace(revoked=True), place))]
            case "change":
                return [(Result("KeyRevoked" if state.revoked else DONE), state)]
        if state.revoked:
            # Where a kind's secrets are not rotated, the next version of a revoked key is its successor's.
            return [(Result("KeyRevoked"), state)]
        if rotatable and state.expired:
            return [(Result("KeyExpired"), state)]
        if name == "overlap" and rotatable and state.overlaps:
            return [(Result("RotationUnderWay"), state)]
        following = state.last + 1
        overlaps = name == "overlap" and rotatable
        working = (state.working[-1], following) if overlaps else (following,)
        return [(Result(DONE, following), state._replace(working=working, last=following, overlaps=overlaps))]

    def after(state: State, operation: Operation) -> Sequence[State]:
        if operation.seen == UNKNOWN:
            return [then for _, then in answers(state, operation.name)]
        if operation.seen.said in _MAY_ALWAYS_FAIL:
            return [state]
        return [then for result, then in answers(state, operation.name) if result == operation.seen]

    return Spec(first_state(at), after)


def last_looks(at: Scene, step: int) -> list[Operation]:
    """Every token that was given out is verified when all is over: what is left must be explained as well."""
    desk = at.cloud.desk()
    looks = []
    for n, version in enumerate(sorted(at.tokens)):
        seen = verify_version(at, desk, version)
        looks.append(Operation(f"verify {version}", seen, step + 1 + n, step + 1 + n))
    return looks
