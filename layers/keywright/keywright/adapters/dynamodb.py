"""KeyStore over one DynamoDB table.

| record       | pk                              | sk                                    |
| ------------ | ------------------------------- | ------------------------------------- |
| token        | TOKEN#<digest>                  | TOKEN                                 |
| key          | KEY#<key id>                    | KEY                                   |
| tenant       | TENANT#<tenant>                 | TENANT                                |
| owner        | OWNERS#<tenant>#<owner kind>    | <owner id>                            |
| listed key   | KEYS#<tenant>#<kind>#<owner id> | <key kind>#<issued at>#<key id>       |
| ... of a channel or a support rep, beside its owner: |          |                      |
|              | OWNERS#<tenant>#<owner kind>    | <owner id> US <key kind>#<issued at>#<key id> |
| ... its single key |  the same                 | <owner id> US                         |
| deleted key  | KEYS#<tenant>#<kind>#<owner id> US deleted | <key kind>#<issued at>#<key id> |
| apps of a name | OWNERS#<tenant>#app#names     | <name>                                |
| event        | EVENTS#<tenant>#<kind>#<owner id> | <at ms>#<event id>                  |
| link         | LINKS#<key id>                  | <link id>                             |
| ... by its token | LINK#<digest>               | LINK                                  |
| kept answer  | IDEMPOTENCY#<id>                | IDEMPOTENCY                           |
| limits       | LIMIT#<key id>                  | LIMIT                                 |
| last uses    | USE#<key id>                    | USE                                   |

| refused uses | REFUSALS#<key id>               | <start of the minute, ms>             |

US is the control character U+001F, which no id may hold: a rep's key follows the rep at once, and no login name can be
made to look like another's key.

Access patterns, strongly consistent but for those that name an index:

| question                                     | by                                                    |
| -------------------------------------------- | ----------------------------------------------------- |
| what is this token? (verify, every caller)   | GetItem or BatchGetItem, token                        |
| the key of this id                           | GetItem or BatchGetItem, key                          |
| this owner, this tenant                      | GetItem or BatchGetItem, owner, tenant                |
| the one key of this channel or rep           | GetItem or BatchGetItem, listed key                   |
| which apps bear this name?                   | GetItem or BatchGetItem, apps of a name               |
| what was this answered with before?          | BatchGetItem with the caller, kept answer             |
| which link is this? what became of it?       | GetItem, link by its token; BatchGetItem, link        |
| a key's one-time links, oldest first         | Query, link                                           |
| when was this key used last?                 | BatchGetItem with the key, last uses                  |
| an owner's keys, by kind, oldest first       | Query, listed key                                     |
| an owner's deleted keys, by kind, oldest first | Query, deleted key                                  |
| a tenant's owners of a kind, by id           | Query, owner                                          |
| all reps with their keys, by login name      | Query, owner: the keys lie beside the reps            |
| which keys have something due?               | Query on `by_due`: KEYS_ONLY, and sparse              |
| what happened to this owner and its keys?    | Query, event                                          |
| what happened to this key?                   | Query on `by_key`, event                              |
| what did somebody's credentials do?          | Query on `by_actor`, event                            |
| what happened in this tenant?                | Query on `by_tenant`, event                           |

`by_due` is sparse because only the key rows that something will come due of have a `due_bucket`: a warning, an expiry,
the end of a former version or of the retention, whichever is next. That moment is `due_at_ms`.

The events lie with their owner; three sparse indexes, in which nothing else is, have them by the same sort key under
their subject, the owner of the credential that did it, and the tenant. Each partition begins with the tenant. One takes
1,000 events a second, and a tenant therefore has no more.

A refused use is noted together with a count of those of its key and minute, so there are never more than ten; the count
goes by `purge_at`.

The apps of a name are a set of ids in one item. An update that adds an element or takes one away depends on nobody
else's, so two apps of one name need no condition and no read before. The item's 400 kB hold 6,000 apps of one name.

The rows of a transient key carry `purge_at`, epoch seconds, after which DynamoDB's time to live takes them, each in its
own time: by then the key has long expired, and every reader compares the clock itself.

The rows of a key's limits and last uses are the only ones written outside a transaction, by an UpdateItem each:
`keywright.adapters.metering` says how. They carry `purge_at` too.

A key is written in three places: the key row, its listing, and a row for each live token. They are made from one value
by `_rows`, and every change writes them together, so none can lag behind the others. The listing of a revoked key of a
kind that is `single` may be its successor's by now: a change then leaves that one out.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, Final, TypeVar, cast

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.grants import DynamoDBGrantStore, address_of, back_off, built_owner, decoded, named
from keywright.adapters.items import US, Item, build, can_be, item_key, owners_of, plain_item, wire_item
from keywright.adapters.metering import uses_address, uses_of
from keywright.model import (
    DAY_MS,
    OWNER_NOT_FOUND,
    RULES,
    App,
    Event,
    Grant,
    Key,
    KeyKind,
    Link,
    LinkRef,
    Owner,
    OwnerKind,
    OwnerRef,
    Tenant,
    Terms,
)
from keywright.ports import (
    MOST_EVENTS_LOOKED_AT,
    AnswerRef,
    AppsNamed,
    AuditQuestion,
    KeepAnswer,
    KeptAnswer,
    KeyRef,
    Lease,
    LinkAt,
    LinkNamed,
    OwnerAt,
    Page,
    Record,
    Ref,
    RemoveOwner,
    Require,
    RequireNoKey,
    SaveKey,
    SaveLink,
    SaveOwner,
    SaveTenant,
    SingleKeyRef,
    Stale,
    TenantRef,
    TokenRef,
    UsesOf,
    Write,
)

T = TypeVar("T")
_KEYS_BESIDE_OWNER: Final = frozenset(kind for rules in RULES.values() if rules.single for kind in rules.owners)
_DUE_BUCKETS: Final = 4
_ONE_CURSOR: Final = "It is what next said on the page before, asked for with the same filters."
"""One index partition takes 1,000 writes a second: four of them are no bottleneck for issuing keys that expire."""
_STORED_AS_IS: Final = frozenset({str, int, bool, bytes})
_CONFLICT_ATTEMPTS: Final = 6


class DynamoDBKeyStore(DynamoDBGrantStore):
    """See the module's docstring for the layout, and `KeyStore` for the contract."""

    def __init__(self, service: JsonService, table: str, terms: Terms | None = None) -> None:
        super().__init__(service, table)
        self._terms = terms or Terms()

    # --- reading ---------------------------------------------------------------------------------------------------

    def _address(self, ref: Ref[Any]) -> tuple[str, str]:
        return _address(ref)

    def _decode(self, ref: Ref[Any], item: Item | None) -> Any:
        return _decode(ref, item)

    def keys_of(
        self,
        owner: OwnerRef,
        kind: KeyKind | None = None,
        *,
        where: Callable[[Key], bool] = lambda _: True,
        deleted: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Key]:
        pk, prefix = _deleted_listing(owner) if deleted else _listing(owner)
        if kind is not None:
            prefix += f"{kind}#" if deleted else _slot_prefix(kind)

        def wanted(item: Item) -> Key | None:
            key: Key = build(Key, item)
            # The prefix of a single key is that of all the keys beside it.
            return key if kind in (None, key.kind) and where(key) else None

        return self._page(pk, prefix, wanted, limit, after)

    def owners(
        self,
        tenant: str,
        kind: OwnerKind,
        *,
        prefix: str = "",
        leaving: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Owner]:
        def wanted(item: Item) -> Owner | None:
            if US in item["sk"]:
                return None
            owner = built_owner(kind, item)
            return owner if leaving or not owner.leaving else None

        return self._page(owners_of(tenant, kind), prefix, wanted, limit, after)

    def _page(self, pk: str, prefix: str, wanted: Callable[[Item], T | None], limit: int, after: str | None) -> Page[T]:
        found: list[T] = []
        while True:
            items, following = self._query(pk, prefix, limit, after)
            for n, item in enumerate(items):
                if (value := wanted(item)) is None:
                    continue
                found.append(value)
                if len(found) == limit:
                    return Page(found, item["sk"] if following or n + 1 < len(items) else None)
            if following is None:
                return Page(found)
            after = following

    def owners_with_single_keys(self, tenant: str, kind: OwnerKind) -> Sequence[tuple[Owner, Key | None]]:
        owners: dict[str, Owner] = {}
        keys: dict[str, Key] = {}
        after = None
        while True:
            items, after = self._query(owners_of(tenant, kind), "", 1000, after)
            for item in items:
                owner_id, beside, slot = item["sk"].partition(US)
                if not beside:
                    owners[owner_id] = built_owner(kind, item)
                elif not slot:
                    keys[owner_id] = build(Key, item)
            if after is None:
                return [(owner, keys.get(owner_id)) for owner_id, owner in owners.items() if not owner.leaving]

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        bucket, start = (0, None) if after is None else json.loads(after)
        answer = self._call(
            "Query",
            IndexName="by_due",
            KeyConditionExpression="due_bucket = :bucket AND due_at_ms <= :until",
            ExpressionAttributeValues=wire_item({":bucket": f"DUE#{bucket}", ":until": until_ms}),
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        ids = [item["pk"]["S"].removeprefix("KEY#") for item in answer["Items"]]
        if following := answer.get("LastEvaluatedKey"):
            return Page(ids, json.dumps([bucket, following]))
        return Page(ids, json.dumps([bucket + 1, None]) if bucket + 1 < _DUE_BUCKETS else None)

    def audit(self, question: AuditQuestion, *, limit: int = 100, after: str | None = None) -> Page[Event]:
        start = None if after is None else _place_in_audit(question, after)
        # Without a further condition every event that is found is wanted, so no more are read than that.
        at_once = limit if _is_one_partition(question) else MOST_EVENTS_LOOKED_AT
        found: list[Event] = []
        looked_at = 0
        while True:
            answer = self._call("Query", **_audit_query(question, start), Limit=at_once)
            events, start = [event_of(wire) for wire in answer["Items"]], answer.get("LastEvaluatedKey")
            for n, event in enumerate(events):
                if question.asks_for(event):
                    found.append(event)
                    if len(found) == limit:
                        is_last = n + 1 == len(events) and start is None
                        return Page(found, None if is_last else _audit_cursor(event))
            looked_at += len(events)
            if start is None:
                return Page(found)
            if looked_at >= MOST_EVENTS_LOOKED_AT:
                return Page(found, _audit_cursor(events[-1]))

    def _query(self, pk: str, prefix: str, limit: int, after: str | None) -> tuple[list[Item], str | None]:
        if after and not (after.startswith(prefix) and can_be((pk, after))):
            raise errors.FieldInvalid(field="after", detail=_ONE_CURSOR)
        condition, values = "pk = :pk", {":pk": pk}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": prefix}
        answer = self._call(
            "Query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=wire_item(values),
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": item_key((pk, after))} if after else {}),
        )
        following = answer.get("LastEvaluatedKey")
        return [plain_item(item) for item in answer["Items"]], following and following["sk"]["S"]

    def links_of(self, key_id: str, *, limit: int = 100, after: str | None = None) -> Page[Link]:
        return self._page(_links(key_id), "", lambda item: build(Link, item), limit, after)

    # --- writing ---------------------------------------------------------------------------------------------------

    def commit(self, *writes: Write) -> None:
        operation = uuid.uuid4().hex
        actions = [action for write in writes for action in _actions(write, operation, self._terms)]
        token = operation
        for attempt in range(_CONFLICT_ATTEMPTS):
            items = [{action.verb: {"TableName": self._table, **action.body}} for action in actions]
            try:
                self._service.call("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": token})
                return
            except (ServiceError, Unreachable) as failure:
                if not isinstance(failure, ServiceError) or failure.code != "TransactionCanceledException":
                    raise named(failure) from failure
                reasons: Sequence[Mapping[str, Any]] = failure.body["CancellationReasons"]
                # The wire may have lost our own success, and the client repeats what it got no answer to.
                if any(reason.get("Item", {}).get("operation") == {"S": operation} for reason in reasons):
                    return
                _refuse(actions, reasons)
                if len(left := _not_in_vain(actions, reasons)) < len(actions):
                    # Another transaction, so it needs a token of its own; its rows are still known by the operation.
                    actions, token = left, uuid.uuid4().hex
                    continue
            back_off(attempt)
        raise errors.Conflict

    def note(self, event: Event, *, at_most: int, within_ms: int) -> None:
        operation = uuid.uuid4().hex
        actions = [_counted(event, at_most, within_ms), *_actions(Record(event), operation, self._terms)]
        items = [{action.verb: {"TableName": self._table, **action.body}} for action in actions]
        try:
            self._service.call("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": operation})
        except (ServiceError, Unreachable) as failure:
            if not isinstance(failure, ServiceError) or failure.code != "TransactionCanceledException":
                raise named(failure) from failure
            reasons = failure.body["CancellationReasons"]
            if any(reason.get("Item", {}).get("operation") == {"S": operation} for reason in reasons):
                return
            if reasons[0]["Code"] == _REFUSED:
                raise errors.LimitReached(limit=at_most) from failure
            _refuse(actions, reasons)
            raise errors.Conflict from failure

    # --- leases ----------------------------------------------------------------------------------------------------

    def take_lease(self, name: str, *, holder: str, now_ms: int, until_ms: int) -> Lease | None:
        try:
            answer = self._update_lease(
                name,
                "SET holder = :holder, until_ms = :until",
                f"{_NEW} OR attribute_not_exists(until_ms) OR until_ms <= :now OR holder = :holder",
                {":holder": holder, ":until": until_ms, ":now": now_ms},
                ReturnValues="ALL_NEW",
            )
        except Stale:
            return None
        return Lease(name, holder, plain_item(answer["Attributes"]).get("checkpoint"))

    def keep_checkpoint(self, lease: Lease, checkpoint: str | None, *, release: bool = False) -> None:
        noted = "SET checkpoint = :checkpoint" if checkpoint is not None else ""
        gone = [*(["checkpoint"] if checkpoint is None else []), *(["until_ms"] if release else [])]
        expression = " ".join([noted, *(["REMOVE " + ", ".join(gone)] if gone else [])]).strip()
        values = {":checkpoint": checkpoint} if checkpoint is not None else {}
        # The holder's name stays after the release, so that its own write is known again where the answer was lost.
        self._update_lease(lease.name, expression, "holder = :holder", {**values, ":holder": lease.holder})

    def _update_lease(self, name: str, expression: str, condition: str, values: Item, **request: Any) -> dict[str, Any]:
        """One item and no event, so no transaction. Raises Stale where the condition does not hold."""
        request |= {
            "TableName": self._table,
            "Key": item_key((f"LEASE#{name}", "LEASE")),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": wire_item(values),
        }
        try:
            return self._service.call("UpdateItem", request)
        except (ServiceError, Unreachable) as failure:
            if isinstance(failure, ServiceError) and failure.code == "ConditionalCheckFailedException":
                raise Stale from failure
            raise named(failure) from failure


# --- addresses -----------------------------------------------------------------------------------------------------


def _address(ref: Ref[Any]) -> tuple[str, str]:
    match ref:
        case TokenRef() | OwnerAt():
            return address_of(ref)
        case KeyRef(key_id):
            return f"KEY#{key_id}", "KEY"
        case TenantRef(tenant):
            return f"TENANT#{tenant}", "TENANT"
        case AnswerRef(answer_id):
            return f"IDEMPOTENCY#{answer_id}", "IDEMPOTENCY"
        case LinkNamed(digest):
            return f"LINK#{digest}", "LINK"
        case LinkAt(link):
            return _links(link.key_id), link.id
        case UsesOf(key_id):
            return uses_address(key_id)
        case AppsNamed(tenant, name):
            return f"{owners_of(tenant, OwnerKind.APP)}#names", name
        case SingleKeyRef(owner):
            return _listing(owner)
    raise TypeError(ref)


def _listing(owner: OwnerRef) -> tuple[str, str]:
    """The partition and the prefix under which an owner's keys are listed."""
    if owner.kind in _KEYS_BESIDE_OWNER:
        return owners_of(owner.tenant, owner.kind), f"{owner.id}{US}"
    return f"KEYS#{owner.tenant}#{owner.kind}#{owner.id}", ""


def _deleted_listing(owner: OwnerRef) -> tuple[str, str]:
    return f"KEYS#{owner.tenant}#{owner.kind}#{owner.id}{US}deleted", ""


def _links(key_id: str) -> str:
    return f"LINKS#{key_id}"


def _slot_prefix(kind: KeyKind) -> str:
    return "" if RULES[kind].single else f"{kind}#"


def _events(tenant: str, *parts: str) -> str:
    return "#".join(("EVENTS", tenant, *parts))


def _event_address(event: Event) -> tuple[str, str]:
    return _events(event.tenant, event.owner.kind, event.owner.id), f"{event.at_ms:013d}#{event.id}"


def _audited(event: Event) -> Item:
    """The partitions of the indexes that an event is in, beside its owner's own."""
    item = {"audited_tenant": _events(event.tenant), "audited_key": _events(event.tenant, event.subject)}
    if (by := event.actor_owner) is not None:
        item["audited_actor"] = _events(event.tenant, by.kind, by.id)
    return item


def event_of(image: Mapping[str, Any]) -> Event:
    """An event, of its item as the table's stream shows it. Raises KeyError, TypeError or ValueError for anything
    else."""
    return build(Event, plain_item(image))


# --- the audit -----------------------------------------------------------------------------------------------------


def _audit_partition(question: AuditQuestion) -> tuple[str | None, str, str]:
    """The index, its partition key and the partition that holds the fewest events; `asks_for` does the rest."""
    tenant = question.tenant
    if question.key_id is not None:
        return "by_key", "audited_key", _events(tenant, question.key_id)
    if (owner := question.owner) is not None:
        return None, "pk", _events(tenant, owner.kind, owner.id)
    if (by := question.actor_owner) is not None:
        return "by_actor", "audited_actor", _events(tenant, by.kind, by.id)
    return "by_tenant", "audited_tenant", _events(tenant)


def _audit_query(question: AuditQuestion, start: Any) -> dict[str, Any]:
    index, name, partition = _audit_partition(question)
    values = {":partition": partition, ":from": f"{question.from_ms:013d}", ":until": f"{question.until_ms:013d}"}
    return {
        "KeyConditionExpression": f"{name} = :partition AND sk BETWEEN :from AND :until",
        "ExpressionAttributeValues": wire_item(values),
        "ScanIndexForward": not question.newest_first,
        **({"ConsistentRead": True} if index is None else {"IndexName": index}),
        **({} if start is None else {"ExclusiveStartKey": start}),
    }


def _is_one_partition(question: AuditQuestion) -> bool:
    """Whether a partition holds what is asked for and nothing else."""
    narrowed = (question.key_id, question.owner, question.actor_owner)
    return question.actor is None and sum(each is not None for each in narrowed) <= 1


def _audit_cursor(event: Event) -> str:
    """Where an event stands: its owner and its sort key."""
    place = json.dumps([event.owner.kind, event.owner.id, _event_address(event)[1]])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place_in_audit(question: AuditQuestion, cursor: str) -> dict[str, Any]:
    """The key to start behind. The tenant and the partition are the question's, whatever the cursor says. Raises
    FieldInvalid."""
    try:
        kind, owner_id, sk = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        owner = OwnerRef(question.tenant, OwnerKind(kind), owner_id)
        # DynamoDB answers a start outside of what is asked for with an error.
        is_there = _EVENT_SK.fullmatch(sk) and question.from_ms <= int(sk[:13]) < question.until_ms
    except (ValueError, TypeError, RecursionError) as odd:
        raise errors.FieldInvalid(field="after", detail=_ONE_CURSOR) from odd
    pk = _events(owner.tenant, owner.kind, str(owner.id))
    if not is_there or not can_be((pk, sk)) or (question.owner is not None and question.owner != owner):
        raise errors.FieldInvalid(field="after", detail=_ONE_CURSOR)
    index, name, partition = _audit_partition(question)
    return item_key((pk, sk)) if index is None else {**item_key((pk, sk)), name: {"S": partition}}


_EVENT_SK: Final = re.compile(r"\d{13}#evt_[0-9A-Z]{26}")


def _counted(event: Event, at_most: int, within_ms: int) -> _Action:
    begins_ms = event.at_ms // within_ms * within_ms
    body = {
        "Key": item_key((f"REFUSALS#{event.subject}", f"{begins_ms:013d}")),
        "UpdateExpression": "ADD noted :one SET purge_at = :purge_at",
        "ConditionExpression": "attribute_not_exists(noted) OR noted < :most",
        "ExpressionAttributeValues": wire_item(
            {":one": 1, ":most": at_most, ":purge_at": (begins_ms + within_ms + DAY_MS) // 1000}
        ),
    }
    return _Action("Update", body)


# --- what is written -----------------------------------------------------------------------------------------------

_REFUSED: Final = "ConditionalCheckFailed"
Refusal = Callable[[Mapping[str, Any] | None], Exception]
"""What a failed condition means, given the item that failed it."""


@dataclass(frozen=True, slots=True)
class _Action:
    """One item of a transaction. An `optional` one is left out where its condition fails."""

    verb: str
    body: dict[str, Any]
    refusal: Refusal = lambda _: Stale()
    optional: bool = False


def _actions(write: Write, operation: str, terms: Terms) -> Iterator[_Action]:
    match write:
        case SaveTenant(tenant):
            address = _address(TenantRef(tenant.id))
            yield _put(address, _flat(tenant), operation, _NEW, refusal=lambda _: errors.TenantExists())
        case SaveOwner(owner, None):
            address = _address(OwnerAt(owner.ref))
            yield _put(address, _flat(owner), operation, _NEW, refusal=lambda _: errors.OwnerExists())
            yield from _names(owner, None)
        case SaveOwner(owner, before):
            yield _replace_attributes(owner, cast("Owner", before), operation)
            yield from _names(owner, before)
        case RemoveOwner(owner):
            yield _remove_owner(owner)
            yield from _names(None, owner)
        case SaveKey():
            yield from _save_key(write, operation, terms)
        case Require():
            yield _require(write, operation)
        case RequireNoKey(owner_ref):
            body = {"Key": item_key(_address(SingleKeyRef(owner_ref))), "ConditionExpression": _NO_LIVING_KEY}
            yield _Action("ConditionCheck", body)
        case Record(event):
            # Nobody ever writes this row again: that it is there already tells a repetition of this very operation,
            # whatever has become of the other rows since.
            yield _put(_event_address(event), {**_flat(event), **_audited(event)}, operation, _NEW)

        case SaveLink(link, None):
            yield _put(_address(LinkAt(link.ref)), _lasting(link), operation, _NEW)
            yield _put(_address(LinkNamed(link.digest)), _lasting(link.ref, link.purge_at_ms), operation, _NEW)
        case SaveLink(link, Link() as former):
            revision = {":before": former.revision}
            yield _put(_address(LinkAt(link.ref)), _lasting(link), operation, "revision = :before", revision)
        case KeepAnswer(answer, now_ms):
            address, now = _address(AnswerRef(answer.id)), {":now": now_ms}
            item = _lasting(answer, answer.expires_at_ms)
            yield _put(address, item, operation, f"{_NEW} OR expires_at_ms <= :now", now)


def _lasting(value: Link | LinkRef | KeptAnswer, until_ms: int | None = None) -> Item:
    """An item that DynamoDB forgets some time after `until_ms`, or else after the link's own time."""
    purge_at_ms = value.purge_at_ms if isinstance(value, Link) else cast("int", until_ms)
    return {**_flat(value), "purge_at": purge_at_ms // 1000}


_NEW: Final = "attribute_not_exists(pk)"
_NO_LIVING_KEY: Final = f"{_NEW} OR attribute_exists(revoked_at_ms)"
"""A revoked key makes room for its successor."""
_OWN_PLACE: Final = "id = :id"
"""The place of a single key that was revoked may be its successor's by now, which no reading can rule out."""


def _save_key(write: SaveKey, operation: str, terms: Terms) -> Iterator[_Action]:
    key, before = write.key, write.before
    rows = _rows(key, terms)
    former = {} if before is None else _rows(before, terms)
    place = _list_address(key)

    def changed(_: Mapping[str, Any] | None) -> Exception:
        return errors.Conflict() if write.once else Stale()

    for address, item in rows.items():
        if before is not None and address == _address(KeyRef(key.id)):
            yield _put(address, item, operation, "revision = :before", {":before": before.revision}, changed)
        elif address in former and not (key.rules.single and address == place):
            yield _put(address, item, operation)
        elif address in former:
            yield _put(address, item, operation, _OWN_PLACE, {":id": key.id}, optional=True)
        elif key.rules.single and address == place and key.revoked_at_ms is not None:
            yield _put(address, item, operation, _NEW, optional=True)
        elif key.rules.single and address == place:
            yield _put(address, item, operation, _NO_LIVING_KEY, refusal=lambda _: errors.KeyExists())
        else:
            yield _put(address, item, operation, _NEW)
    for address in former.keys() - rows.keys():
        yield _delete(address, key.id if key.rules.single and address == place else None)


def _delete(address: tuple[str, str], key_id: str | None) -> _Action:
    """With a key's id, only as long as that key is there: it may be a successor's place by now."""
    body: dict[str, Any] = {"Key": item_key(address)}
    if key_id is not None:
        body["ConditionExpression"] = _OWN_PLACE
        body["ExpressionAttributeValues"] = wire_item({":id": key_id})
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return _Action("Delete", body, optional=key_id is not None)


def _rows(key: Key, terms: Terms) -> dict[tuple[str, str], Item]:
    """Every row that a key is written in: of a purged one, only the record; of a deleted one, that and the one by which
    it is found to be had back."""
    record = _flat(key)
    record.pop("due_at_ms", None)
    due = {}
    if (due_at_ms := key.comes_due_at_ms(terms)) is not None:
        due = {"due_bucket": f"DUE#{zlib.crc32(key.id.encode()) % _DUE_BUCKETS}", "due_at_ms": due_at_ms}
    rows = {_address(KeyRef(key.id)): {**record, **due}}
    if key.deleted_at_ms is None and key.purged_at_ms is None:
        rows[_list_address(key)] = record
        rows |= {_address(TokenRef(version.digest)): _sparse(Grant.of(key, version)) for version in key.versions}
    elif key.purged_at_ms is None:
        return {**rows, _deleted_address(key): record}
    if (purge_at_ms := key.purge_at_ms) is not None:
        rows = {address: {**row, "purge_at": purge_at_ms // 1000} for address, row in rows.items()}
    return rows


def _list_address(key: Key) -> tuple[str, str]:
    pk, prefix = _listing(key.owner)
    return pk, prefix if key.rules.single else f"{prefix}{key.kind}#{key.created_at_ms:013d}#{key.id}"


def _deleted_address(key: Key) -> tuple[str, str]:
    pk, _ = _deleted_listing(key.owner)
    return pk, f"{key.kind}#{key.created_at_ms:013d}#{key.id}"


def _replace_attributes(owner: Owner, before: Owner, operation: str) -> _Action:
    # The owner's row also counts its keys, so it is updated and never put again.
    attributes = {**_flat(owner), "operation": operation}
    gone = _flat(before).keys() - attributes.keys()
    names = {f"#a{n}": name for n, name in enumerate([*attributes, *gone])}
    alias = {name: short for short, name in names.items()}
    expression = "SET " + ", ".join(f"{alias[name]} = :{alias[name][1:]}" for name in attributes)
    if gone:
        expression += " REMOVE " + ", ".join(alias[name] for name in gone)
    values = {f":{alias[name][1:]}": value for name, value in attributes.items()}
    body = {
        "Key": item_key(_address(OwnerAt(owner.ref))),
        "UpdateExpression": expression,
        "ConditionExpression": f"{alias['revision']} = :before",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": wire_item({**values, ":before": before.revision}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return _Action("Update", body)


def _remove_owner(owner: Owner) -> _Action:
    body = {
        "Key": item_key(_address(OwnerAt(owner.ref))),
        "ConditionExpression": "leaving = :leaving AND revision = :before",
        "ExpressionAttributeValues": wire_item({":leaving": True, ":before": owner.revision}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return _Action("Delete", body)


def _names(owner: Owner | None, before: Owner | None) -> Iterator[_Action]:
    """An app's place under its name."""
    if owner is not None and before is not None and owner.name == before.name:
        return
    if isinstance(owner, App):
        yield _name("ADD", owner)
    if isinstance(before, App):
        yield _name("DELETE", before)


def _name(verb: str, app: Owner) -> _Action:
    body = {
        "Key": item_key(_address(AppsNamed(app.tenant, app.name))),
        "UpdateExpression": f"{verb} app_ids :id",
        "ExpressionAttributeValues": wire_item({":id": {app.id}}),
    }
    return _Action("Update", body)


def _require(write: Require, operation: str) -> _Action:
    conditions, names, values = ["attribute_exists(pk)"], {}, Item()
    if write.by > 0:
        conditions.append("leaving = :stays")
        values[":stays"] = False
    if write.there_by_ms is not None:
        conditions.append("created_at_ms <= :there_by")
        values[":there_by"] = write.there_by_ms
    for n, requirement in enumerate(write.requirements):
        names[f"#r{n}"] = requirement.attribute
        if requirement.value is None:
            values[f":r{n}"] = ""
            conditions.append(f"attribute_exists(#r{n}) AND #r{n} <> :r{n}")
        else:
            values[f":r{n}"] = requirement.value
            conditions.append(f"#r{n} = :r{n}")
    body: dict[str, Any] = {"Key": item_key(_address(OwnerAt(write.owner)))}
    if write.count is not None:
        names["#live"], names["#operation"] = _counter(write.count), "operation"
        values |= {":by": write.by, ":operation": operation}
        body["UpdateExpression"] = "SET #operation = :operation ADD #live :by"
        limit = RULES[write.count].limit
        if limit is not None and write.by > 0:
            values[":limit"] = limit
            conditions.append("(attribute_not_exists(#live) OR #live < :limit)")
    body["ConditionExpression"] = " AND ".join(conditions)
    body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if names:
        body["ExpressionAttributeNames"] = names
    if values:
        body["ExpressionAttributeValues"] = wire_item(values)
    return _Action("ConditionCheck" if write.count is None else "Update", body, lambda item: _refused(write, item))


def _refused(write: Require, wire: Mapping[str, Any] | None) -> Exception:
    """Which of the requirements the owner fails."""
    owner = None if wire is None else built_owner(write.owner.kind, plain_item(wire))
    if owner is None or owner.leaving or _came_late(write, owner):
        return OWNER_NOT_FOUND[write.owner.kind]()
    for requirement in write.requirements:
        try:
            requirement.check(owner)
        except errors.KeywrightError as refusal:
            return refusal
    return errors.LimitReached(limit=RULES[write.count].limit or 0) if write.count else Stale()


def _came_late(write: Require, owner: Owner) -> bool:
    return write.there_by_ms is not None and owner.created_at_ms > write.there_by_ms


def _counter(kind: KeyKind) -> str:
    return f"live_{kind}"


def _put(
    address: tuple[str, str],
    item: Item,
    operation: str,
    condition: str | None = None,
    values: Item | None = None,
    refusal: Refusal = lambda _: Stale(),
    *,
    optional: bool = False,
) -> _Action:
    pk, sk = address
    body: dict[str, Any] = {"Item": wire_item({**item, "pk": pk, "sk": sk, "operation": operation})}
    if condition is not None:
        body["ConditionExpression"] = condition
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            body["ExpressionAttributeValues"] = wire_item(values)
    return _Action("Put", body, refusal, optional)


# --- what is refused -----------------------------------------------------------------------------------------------


def _refuse(actions: Sequence[_Action], reasons: Sequence[Mapping[str, Any]]) -> None:
    """Raises what the first refused action says; returns where only another transaction was in the way, or the refused
    ones are optional."""
    for action, reason in zip(actions, reasons, strict=True):
        if reason["Code"] == _REFUSED and not action.optional:
            raise action.refusal(reason.get("Item"))
    codes = {reason["Code"] for reason in reasons} - {"None", "TransactionConflict", _REFUSED}
    if codes & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        raise errors.Unavailable
    if codes:
        raise errors.Fault


def _not_in_vain(actions: Sequence[_Action], reasons: Sequence[Mapping[str, Any]]) -> list[_Action]:
    return [action for action, reason in zip(actions, reasons, strict=True) if reason["Code"] != _REFUSED]


# --- values and items ----------------------------------------------------------------------------------------------


def _decode(ref: Ref[Any], item: Item | None) -> Any:
    if item is None:
        return None
    match ref:
        case TokenRef() | OwnerAt():
            return decoded(ref, item)
        case KeyRef() | SingleKeyRef():
            # What is left of a purged key is there until DynamoDB gets round to it, and is for nobody.
            return None if "purged_at_ms" in item else build(Key, item)
        case TenantRef():
            return build(Tenant, item)
        case AnswerRef():
            return build(KeptAnswer, item)
        case LinkNamed():
            return build(LinkRef, item)
        case LinkAt():
            return build(Link, item)
        case UsesOf():
            return uses_of(item)
        case AppsNamed():
            return frozenset(item.get("app_ids", ())) or None
    raise TypeError(ref)


def _flat(value: Any) -> Item:
    """A dataclass as an item's attributes. What is None is left out: indexes and conditions then see it as absent."""
    cls: Any = type(value)
    names, values_of = _attributes_of(cls)
    pairs = zip(names, values_of(value), strict=True)
    return {name: _storable(each) for name, each in pairs if each is not None}


def _sparse(grant: Grant) -> Item:
    """Without what is as it is by default: a token's row is read a thousand times for each that it is written."""
    return {name: value for name, value in _flat(grant).items() if name not in _UNSAID or value != _UNSAID[name]}


_UNSAID: Final[Mapping[str, Any]] = {
    "scopes": [],
    "creator_id": "",
    "external_id": "",
    "metadata": {},
    "allowed_cidrs": [],
    "cache_seconds": 0,
}


@cache
def _attributes_of(cls: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(each.name for each in fields(cls))
    return names, attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)


def _storable(value: Any) -> Any:
    cls: Any = type(value)
    return value if cls in _STORED_AS_IS else _storer(cls)(value)


@cache
def _storer(cls: Any) -> Callable[[Any], Any]:
    """How values of a type are stored. As with `_builder`, once will do."""
    if is_dataclass(cls):
        return _flat
    if issubclass(cls, Mapping):
        return lambda value: {name: _storable(each) for name, each in value.items()}
    if issubclass(cls, tuple | list):
        return lambda value: [_storable(each) for each in value]
    return attrgetter("value") if issubclass(cls, Enum) else lambda value: value
