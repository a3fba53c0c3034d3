"""What only the adapter can meet: throttling, denials, lost answers, conflicting transactions, keys left unread."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from keywright import errors, issuing, lifecycle, registry, rotation
from keywright.adapters import dynamodb
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.model import KeyKind, OwnerKind, OwnerRef, Tenant
from keywright.ports import KeyRef, OwnerAt, Require, SaveKey, SaveOwner, SaveTenant, SingleKeyRef, Stale, TenantRef
from local.aws import Fault, error
from local.iam import Call
from local.server import Response
from local.stack import Stack
from tests.integration.conftest import Connect, Faults
from tests.world import World

TRANSACT = "TransactWriteItems"


@pytest.fixture
def store(connect: Connect, table: str) -> DynamoDBKeyStore:
    return DynamoDBKeyStore(connect("dynamodb"), table)


def hit(operation: str, *faults: Fault | None) -> Callable[[Call], Fault | None]:
    """The first calls of an operation meet these faults, one each; the others meet none."""
    left = iter(faults)
    return lambda call: next(left, None) if call.operation == operation else None


def always(operation: str, fault: Fault) -> Callable[[Call], Fault | None]:
    return lambda call: fault if call.operation == operation else None


def operations(stack: Stack, name: str) -> list[Call]:
    return [call for call in stack.aws.calls if call.operation == name]


# --- how it is asked -----------------------------------------------------------------------------------------------


def test_reads_are_strongly_consistent_and_keyed(stack: Stack, store: DynamoDBKeyStore, world: World) -> None:
    stack.aws.clear()
    store.read(TenantRef(world.tenant))
    store.read(TenantRef(world.tenant), OwnerAt(world.operator.ref))
    store.keys_of(world.operator.ref)
    store.owners(world.tenant, OwnerKind.APP)
    store.owners_with_single_keys(world.tenant, OwnerKind.SUPPORT_REP)
    get, batch, *queries = stack.aws.calls
    assert [get.operation, batch.operation, *(query.operation for query in queries)] == [
        "GetItem",
        "BatchGetItem",
        "Query",
        "Query",
        "Query",
    ]
    assert get.request["ConsistentRead"] is True
    assert all(query.request["ConsistentRead"] is True for query in queries)
    (wanted,) = batch.request["RequestItems"].values()
    assert wanted["ConsistentRead"] is True


def test_every_change_is_one_transaction(stack: Stack, world: World) -> None:
    opened = world.channel(world.app())
    rep_key = world.issue(KeyKind.REP_KEY, world.rep().ref).key
    stack.aws.clear()
    registry.change(world.desk, world.principal, opened.app, {"name": "Renamed"})
    issued = issuing.issue_version(world.desk, world.principal, opened.key, creator=world.principal.creator())
    lifecycle.disable(world.desk, world.principal, issued.key)
    lifecycle.revoke(world.desk, world.principal, rep_key)
    assert [call.operation for call in stack.aws.calls] == [TRANSACT] * 4


def test_asking_for_one_record_twice_is_one_get(stack: Stack, store: DynamoDBKeyStore, world: World) -> None:
    stack.aws.clear()
    store.read(TenantRef(world.tenant), TenantRef(world.tenant))
    assert [call.operation for call in stack.aws.calls] == ["GetItem"]


def test_reading_nothing_asks_nothing(stack: Stack, store: DynamoDBKeyStore) -> None:
    stack.aws.clear()
    store.read()
    assert stack.aws.calls == []


@pytest.mark.parametrize("owner_id", ["", "x" * 1025, "\N{GRINNING FACE}" * 257])
def test_what_no_sort_key_can_hold_is_nowhere_and_not_asked_for(
    stack: Stack, store: DynamoDBKeyStore, world: World, owner_id: str
) -> None:
    ref = OwnerAt(OwnerRef(world.tenant, OwnerKind.APP, owner_id))
    stack.aws.clear()
    assert store.read(ref)[ref] is None
    assert stack.aws.calls == []
    reading = store.read(ref, TenantRef(world.tenant), KeyRef("k" * 2048))
    assert reading[ref] is None
    assert reading[KeyRef("k" * 2048)] is None
    assert reading[TenantRef(world.tenant)] is not None


def test_another_call_is_not_made_because_a_record_cannot_be_there(stack: Stack, store: DynamoDBKeyStore) -> None:
    """A function that reads a key together with its caller may only BatchGetItem."""
    stack.aws.clear()
    store.read(TenantRef("any"), KeyRef("k" * 3000))
    assert [call.operation for call in stack.aws.calls] == ["BatchGetItem"]


@pytest.mark.parametrize("after", ["zzz", "meera\x1f" + "x" * 1100])
def test_a_cursor_that_no_page_gave_is_refused(store: DynamoDBKeyStore, world: World, after: str) -> None:
    rep = world.rep("meera")
    with pytest.raises(errors.FieldInvalid) as refused:
        store.keys_of(rep.ref, after=after)
    assert refused.value.field == "after"


# --- keys that were not processed ----------------------------------------------------------------------------------


def unprocessed(call: Call) -> Fault:
    body = {"Responses": {}, "UnprocessedKeys": call.request["RequestItems"]}
    return Fault(Response(200, (("content-type", "application/x-amz-json-1.0"),), json.dumps(body).encode()))


def test_unprocessed_keys_are_asked_for_again(
    stack: Stack, store: DynamoDBKeyStore, world: World, faults: Faults
) -> None:
    calls = count()
    faults(lambda call: unprocessed(call) if call.operation == "BatchGetItem" and next(calls) < 3 else None)
    stack.aws.clear()
    reading = store.read(TenantRef(world.tenant), OwnerAt(world.operator.ref))
    assert reading[OwnerAt(world.operator.ref)] == world.operator
    assert reading[TenantRef(world.tenant)] is not None
    assert len(stack.aws.calls) == 4


def test_a_key_that_stays_unprocessed_is_not_a_key_that_does_not_exist(
    store: DynamoDBKeyStore, world: World, faults: Faults
) -> None:
    faults(lambda call: unprocessed(call) if call.operation == "BatchGetItem" else None)
    with pytest.raises(errors.Unavailable):
        store.read(TenantRef(world.tenant), OwnerAt(world.operator.ref))


# --- transactions in the way ---------------------------------------------------------------------------------------


def cancelled(*codes: str) -> Fault:
    reasons = [{"Code": code} for code in codes]
    return Fault(error("TransactionCanceledException", CancellationReasons=reasons))


def test_a_transaction_in_the_way_is_waited_for(stack: Stack, world: World, faults: Faults) -> None:
    conflict = cancelled("TransactionConflict", "None", "None", "None", "None")
    faults(hit(TRANSACT, conflict, conflict))
    stack.aws.clear()
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    assert world.key(issued.key.id) == issued.key
    assert len(operations(stack, TRANSACT)) == 3


def test_transactions_that_stay_in_the_way_are_a_conflict(
    store: DynamoDBKeyStore, world: World, faults: Faults
) -> None:
    faults(always(TRANSACT, cancelled("TransactionConflict", "None")))
    with pytest.raises(errors.Conflict):
        store.commit(Require(world.operator.ref), SaveTenant(Tenant(f"{world.tenant}-next", "Next", 1)))


@pytest.mark.parametrize(
    ("code", "error_"),
    [
        ("ThrottlingError", errors.Unavailable),
        ("ProvisionedThroughputExceeded", errors.Unavailable),
        ("ItemCollectionSizeLimitExceeded", errors.Fault),
        ("ValidationError", errors.Fault),
    ],
)
def test_other_reasons_of_a_cancellation(
    store: DynamoDBKeyStore, world: World, faults: Faults, code: str, error_: type[Exception]
) -> None:
    faults(always(TRANSACT, cancelled("TransactionConflict", code)))
    with pytest.raises(error_):
        store.commit(Require(world.operator.ref), SaveTenant(Tenant(f"{world.tenant}-next", "Next", 1)))


def test_a_refusal_decides_even_beside_a_conflict(store: DynamoDBKeyStore, world: World, faults: Faults) -> None:
    faults(always(TRANSACT, cancelled("TransactionConflict", "ConditionalCheckFailed")))
    with pytest.raises(errors.TenantExists):
        store.commit(Require(world.operator.ref), SaveTenant(Tenant(world.tenant, "Again", 1)))


# --- answers that were lost ----------------------------------------------------------------------------------------

LOST = Fault(None, committed=True)


def deeds(world: World) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each change there is, on records of its own."""
    desk, caller = world.desk, world.principal
    app, rep, zoe = world.app(), world.rep(), world.rep("zoe")
    channel, secret = world.channel(world.app()), world.issue(KeyKind.APP_SECRET, app.ref).key
    native = [world.issue(KeyKind.NATIVE, rep.ref).key for _ in range(4)]
    issued = (world.issue(KeyKind.NATIVE, rep.ref).key for _ in range(4))
    rotating = [rotation.rotate(desk, caller, key, overlap_ms=5_000).key for key in issued]
    deleted = lifecycle.delete(desk, caller, world.issue(KeyKind.APP_SECRET, app.ref).key)
    yield "open a tenant", lambda: World(desk)
    yield "add an owner", lambda: world.rep("tomas")
    yield "change an owner", lambda: registry.change(desk, caller, rep, {"role": None})
    yield "rename an app", lambda: registry.change(desk, caller, channel.app, {"name": "Renamed"})
    yield "add a channel", lambda: world.channel(app)
    yield "issue", lambda: world.issue(KeyKind.NATIVE, world.operator.ref)
    yield "issue under a limit", lambda: world.issue(KeyKind.APP_SECRET, app.ref)
    yield "issue a single key", lambda: world.issue(KeyKind.REP_KEY, zoe.ref)
    yield "issue a version", lambda: issuing.issue_version(desk, caller, channel.key, creator=caller.creator())
    yield "disable", lambda: lifecycle.disable(desk, caller, native[0])
    yield "revoke", lambda: lifecycle.revoke(desk, caller, native[1])
    yield "revoke under a limit", lambda: lifecycle.revoke(desk, caller, secret)
    yield "delete", lambda: lifecycle.delete(desk, caller, native[2])
    yield "undelete", lambda: lifecycle.undelete(desk, caller, world.key(native[2].id))
    yield "undelete under a limit", lambda: lifecycle.undelete(desk, caller, deleted)
    yield "amend", lambda: lifecycle.change(desk, caller, rotating[0], {"description": "tills"})
    yield "rotate", lambda: rotation.rotate(desk, caller, world.key(native[0].id), overlap_ms=0)
    yield "extend", lambda: rotation.extend(desk, caller, rotating[1], overlap_ms=5)
    yield "cancel", lambda: rotation.cancel(desk, caller, rotating[2])
    yield "finish", lambda: rotation.finish(desk, caller, rotating[3])
    yield "mark", lambda: desk.store.commit(SaveKey(native[3].marked_expired(5), native[3]))


@pytest.mark.parametrize("honours_request_tokens", [True, False])
def test_a_success_whose_answer_was_lost_stays_a_success(
    stack: Stack, world: World, faults: Faults, honours_request_tokens: bool
) -> None:
    """The SDK sends the committed transaction again. DynamoDB recognises it by its request token, for ten minutes; if
    it should not, the conditions fail, and the operation id in the rows tells that it was us."""
    stack.aws.honours_request_tokens = honours_request_tokens
    for name, deed in deeds(world):
        faults(lambda _: None)
        stack.aws.clear()
        faults(hit(TRANSACT, LOST))
        deed()
        sent = operations(stack, TRANSACT)
        assert len(sent) == 2, name
        assert sent[0].request == sent[1].request, name


@pytest.mark.parametrize("honours_request_tokens", [True, False])
def test_a_lost_success_beside_a_successor_stays_a_success(
    stack: Stack, world: World, faults: Faults, honours_request_tokens: bool
) -> None:
    """Here the first transaction is refused for the place alone, the second commits without it, and is lost."""
    stack.aws.honours_request_tokens = honours_request_tokens
    rep = world.rep()
    first = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    second = world.issue(KeyKind.REP_KEY, rep.ref).key
    stack.aws.clear()
    faults(hit(TRANSACT, None, LOST))
    gone = lifecycle.delete(world.desk, world.principal, first)
    assert len(operations(stack, TRANSACT)) == 3
    faults(lambda _: None)
    assert world.key(first.id) == gone
    ref = SingleKeyRef(rep.ref)
    assert world.desk.store.read(ref)[ref] == second


def test_a_change_of_somebody_else_between_a_lost_success_and_its_repetition_is_stale(
    stack: Stack, world: World, faults: Faults, store: DynamoDBKeyStore
) -> None:
    """Then nobody can tell; the deed is done again from the reading on, and finds itself done."""
    stack.aws.honours_request_tokens = False
    rep = world.rep()
    ours = rep.changed(5, role=None)
    theirs = ours.changed(6, role="SDGuest")
    sent = count()

    def meet(call: Call) -> Fault | None:
        match next(sent):
            case 0:
                return LOST
            case 1:
                store.commit(SaveOwner(theirs, ours))
        return None

    faults(meet)
    with pytest.raises(Stale):
        store.commit(SaveOwner(ours, rep))
    faults(lambda _: None)
    assert store.read(OwnerAt(rep.ref))[OwnerAt(rep.ref)] == theirs


def test_an_answer_lost_before_the_commit_is_made_up_for(stack: Stack, world: World, faults: Faults) -> None:
    faults(hit(TRANSACT, Fault(None)))
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    assert world.key(issued.key.id) == issued.key


def test_another_operations_row_is_not_taken_for_our_success(world: World, faults: Faults) -> None:
    faults(hit(TRANSACT, Fault(None)))
    with pytest.raises(errors.TenantExists):
        World(world.desk, world.tenant)


# --- errors of the service -----------------------------------------------------------------------------------------

ERRORS = [
    (Fault(error("ThrottlingException")), errors.Unavailable),
    (Fault(error("ProvisionedThroughputExceededException")), errors.Unavailable),
    (Fault(error("RequestLimitExceeded")), errors.Unavailable),
    (Fault(error("InternalServerError", 500)), errors.Unavailable),
    (Fault(error("ServiceUnavailable", 503)), errors.Unavailable),
    (Fault(Response(502, (), b"<html>bad gateway</html>")), errors.Unavailable),
    (Fault(None), errors.Unavailable),
    (Fault(error("AccessDeniedException", 400, "not authorized")), errors.Fault),
    (Fault(error("ValidationException", 400, "no")), errors.Fault),
    (Fault(error("ResourceNotFoundException", 400, "no")), errors.Fault),
]


@pytest.mark.parametrize(("fault", "error_"), ERRORS)
def test_an_error_of_the_service_is_unavailable_or_our_fault_and_never_an_answer(
    stack: Stack, store: DynamoDBKeyStore, world: World, faults: Faults, fault: Fault, error_: type[Exception]
) -> None:
    rep = world.rep()
    asked: dict[str, Callable[[], object]] = {
        "GetItem": lambda: store.read(TenantRef(world.tenant)),
        "BatchGetItem": lambda: store.read(TenantRef(world.tenant), SingleKeyRef(rep.ref)),
        "Query": lambda: store.keys_of(rep.ref),
        TRANSACT: lambda: store.commit(SaveOwner(rep.changed(5, role=None), rep)),
    }
    for operation, ask in asked.items():
        faults(always(operation, fault))
        with pytest.raises(error_):
            ask()
    faults(lambda _: None)
    assert store.read(OwnerAt(rep.ref))[OwnerAt(rep.ref)] == rep


@pytest.mark.parametrize(
    ("fault", "attempts"),
    [(Fault(error("ThrottlingException")), 3), (Fault(None), 3), (Fault(error("AccessDeniedException")), 1)],
)
def test_what_may_pass_is_tried_three_times_and_a_denial_once(
    stack: Stack, store: DynamoDBKeyStore, world: World, faults: Faults, fault: Fault, attempts: int
) -> None:
    faults(always("GetItem", fault))
    stack.aws.clear()
    with pytest.raises(errors.KeywrightError):
        store.read(TenantRef(world.tenant))
    assert len(stack.aws.calls) == attempts


def test_the_cause_stands_in_the_chain_and_not_in_the_message(
    store: DynamoDBKeyStore, world: World, faults: Faults
) -> None:
    faults(always("GetItem", Fault(error("ValidationException", 400, "the value kw_live_secret is no key"))))
    with pytest.raises(errors.Fault) as raised:
        store.read(TenantRef(world.tenant))
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is not None


# --- what an item looks like ---------------------------------------------------------------------------------------


def test_the_secret_is_in_no_attribute_but_its_ciphertext(stack: Stack, table: str, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    rows = {
        "key": {"pk": {"S": f"KEY#{issued.key.id}"}, "sk": {"S": "KEY"}},
        "token": {"pk": {"S": f"TOKEN#{issued.token.digest}"}, "sk": {"S": "TOKEN"}},
    }
    items = {name: stack.client("dynamodb").get_item(TableName=table, Key=key)["Item"] for name, key in rows.items()}
    assert issued.token.reveal() not in json.dumps(items["token"])
    assert "sealed" not in items["token"]
    (version,) = items["key"].pop("versions")["L"]
    assert version["M"].pop("sealed").keys() == {"B"}
    assert issued.token.reveal() not in json.dumps([items["key"], version])


def test_only_keys_that_something_will_come_due_of_are_in_the_sparse_index(
    stack: Stack, table: str, world: World
) -> None:
    def bucket(key_id: str) -> str | None:
        item = stack.client("dynamodb").get_item(
            TableName=table, Key={"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}}
        )
        found: str | None = item["Item"].get("due_bucket", {}).get("S")
        return found

    forever = world.issue(KeyKind.NATIVE, world.operator.ref).key
    expiring = world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=world.desk.clock.now_ms() + 5).key
    assert bucket(forever.id) is None
    assert bucket(expiring.id) in {f"DUE#{number}" for number in range(dynamodb._DUE_BUCKETS)}
    tills = world.app()
    kept = world.issue(KeyKind.APP_API_KEY, tills.ref, expires_at_ms=world.desk.clock.now_ms() + 5).key
    assert bucket(world.overwrite(kept, expiry_marked_at_ms=9).id) is None
    marked = world.overwrite(expiring, expiry_marked_at_ms=9)
    assert bucket(marked.id) is not None
    assert bucket(world.overwrite(marked, versions=(), purged_at_ms=9).id) is None
