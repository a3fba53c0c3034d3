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
| apps of a name | OWNERS#<tenant>#app#names     | <name>                                |
| event        | EVENTS#<tenant>#<kind>#<owner id> | <at ms>#<operation id>              |

US is the control character U+001F, which no id may hold: a rep's key follows the rep at once, and no login name can be
made to look like another's key.

Access patterns, all on the base table and strongly consistent, but for the last one:

| question                                     | by                                                    |
| -------------------------------------------- | ----------------------------------------------------- |
| what is this token? (verify, every caller)   | GetItem or BatchGetItem, token                        |
| the key of this id                           | GetItem or BatchGetItem, key                          |
| this owner, this tenant                      | GetItem or BatchGetItem, owner, tenant                |
| the one key of this channel or rep           | GetItem or BatchGetItem, listed key                   |
| which apps bear this name?                   | GetItem or BatchGetItem, apps of a name               |
| an owner's keys, by kind, oldest first       | Query, listed key                                     |
| a tenant's owners of a kind, by id           | Query, owner                                          |
| all reps with their keys, by login name      | Query, owner: the keys lie beside the reps            |
| which keys are due to expire?                | Query on `by_expiry`: KEYS_ONLY, and sparse           |

`by_expiry` is sparse because only the key rows whose expiry is not marked yet have an `expiry_bucket`.

The apps of a name are a set of ids in one item. An update that adds an element or takes one away depends on nobody
else's, so two apps of one name need no condition and no read before. The item's 400 kB hold 6,000 apps of one name.

The rows of a transient key carry `purge_at`, epoch seconds, after which DynamoDB's time to live takes them, each in its
own time: by then the key has long expired, and every reader compares the clock itself.

A key is written in three places: the key row, its listing, and a row for each live token. They are made from one value
by `_rows`, and every change writes them together, so none can lag behind the others.
"""

from __future__ import annotations

import json
import random
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from keywright import errors
from keywright.adapters.attributes import from_wire, to_wire
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.model import (
    OWNER_NOT_FOUND,
    OWNERS,
    RULES,
    App,
    Grant,
    Key,
    KeyKind,
    Owner,
    OwnerKind,
    OwnerRef,
    Tenant,
)
from keywright.ports import (
    AppsNamed,
    KeyRef,
    OwnerAt,
    Page,
    Reading,
    Record,
    Ref,
    RemoveOwner,
    Require,
    RequireNoKey,
    SaveKey,
    SaveOwner,
    SaveTenant,
    SingleKeyRef,
    Stale,
    TenantRef,
    TokenRef,
    Write,
)

T = TypeVar("T")
Item = dict[str, Any]
"""An item with plain values; on the wire each is wrapped in its type."""

_US: Final = "\x1f"
_KEYS_BESIDE_OWNER: Final = frozenset(kind for rules in RULES.values() if rules.single for kind in rules.owners)
_EXPIRY_BUCKETS: Final = 4
"""One index partition takes 1,000 writes a second: four of them are no bottleneck for issuing keys that expire."""
_STORED_AS_IS: Final = frozenset({str, int, bool, bytes})
_CONFLICT_ATTEMPTS: Final = 6
_BATCH_ATTEMPTS: Final = 4
_TRANSIENT: Final = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "ServiceUnavailable",
        "ThrottlingException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "LimitExceededException",
        "RequestTimeout",
    }
)


class DynamoDBKeyStore:
    """See the module's docstring for the layout, and `KeyStore` for the contract."""

    def __init__(self, service: JsonService, table: str) -> None:
        self._service = service
        self._table = table

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, *refs: Ref[Any]) -> Reading:
        wanted = {ref: _address(ref) for ref in refs}
        items = self._items(list(dict.fromkeys(wanted.values())))
        return Reading({ref: _decode(ref, items.get(address)) for ref, address in wanted.items()})

    def keys_of(
        self,
        owner: OwnerRef,
        kind: KeyKind | None = None,
        *,
        where: Callable[[Key], bool] = lambda _: True,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Key]:
        pk, prefix = _listing(owner)

        def wanted(item: Item) -> Key | None:
            key: Key = _build(Key, item)
            # The prefix of a single key is that of all the keys beside it.
            return key if kind in (None, key.kind) and where(key) else None

        return self._page(pk, prefix if kind is None else f"{prefix}{_slot_prefix(kind)}", wanted, limit, after)

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
            if _US in item["sk"]:
                return None
            owner = _owner(kind, item)
            return owner if leaving or not owner.leaving else None

        return self._page(_owners(tenant, kind), prefix, wanted, limit, after)

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
            items, after = self._query(_owners(tenant, kind), "", 1000, after)
            for item in items:
                owner_id, beside, slot = item["sk"].partition(_US)
                if not beside:
                    owners[owner_id] = _owner(kind, item)
                elif not slot:
                    keys[owner_id] = _build(Key, item)
            if after is None:
                return [(owner, keys.get(owner_id)) for owner_id, owner in owners.items() if not owner.leaving]

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        bucket, start = (0, None) if after is None else json.loads(after)
        answer = self._call(
            "Query",
            IndexName="by_expiry",
            KeyConditionExpression="expiry_bucket = :bucket AND expires_at_ms <= :until",
            ExpressionAttributeValues=_wire({":bucket": f"EXPIRY#{bucket}", ":until": until_ms}),
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        ids = [item["pk"]["S"].removeprefix("KEY#") for item in answer["Items"]]
        if following := answer.get("LastEvaluatedKey"):
            return Page(ids, json.dumps([bucket, following]))
        return Page(ids, json.dumps([bucket + 1, None]) if bucket + 1 < _EXPIRY_BUCKETS else None)

    def _items(self, addresses: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        keys = [_key(address) for address in addresses if _can_be(address)]
        if not keys:
            return {}
        # Which of the two calls is made depends on what was asked for, as that is what a function's policy is made for.
        if len(addresses) == 1:
            answer = self._call("GetItem", Key=_key(addresses[0]), ConsistentRead=True)
            return {addresses[0]: _plain(answer["Item"])} if "Item" in answer else {}
        found: dict[tuple[str, str], Item] = {}
        for attempt in range(_BATCH_ATTEMPTS):
            answer = self._call("BatchGetItem", RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            for wire in answer["Responses"].get(self._table, ()):
                item = _plain(wire)
                found[item["pk"], item["sk"]] = item
            if not (unprocessed := answer.get("UnprocessedKeys")):
                return found
            keys = unprocessed[self._table]["Keys"]
            _back_off(attempt)
        # A key that was not processed is not a key that does not exist.
        raise errors.Unavailable

    def _query(self, pk: str, prefix: str, limit: int, after: str | None) -> tuple[list[Item], str | None]:
        if after and not (after.startswith(prefix) and _can_be((pk, after))):
            raise errors.FieldInvalid(field="after")
        condition, values = "pk = :pk", {":pk": pk}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": prefix}
        answer = self._call(
            "Query",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=_wire(values),
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": _key((pk, after))} if after else {}),
        )
        following = answer.get("LastEvaluatedKey")
        return [_plain(item) for item in answer["Items"]], following and following["sk"]["S"]

    # --- writing ---------------------------------------------------------------------------------------------------

    def commit(self, *writes: Write) -> None:
        operation = uuid.uuid4().hex
        actions = [action for write in writes for action in _actions(write, operation)]
        items = [{action.verb: {"TableName": self._table, **action.body}} for action in actions]
        for attempt in range(_CONFLICT_ATTEMPTS):
            try:
                self._service.call("TransactWriteItems", {"TransactItems": items, "ClientRequestToken": operation})
                return
            except (ServiceError, Unreachable) as failure:
                if not isinstance(failure, ServiceError) or failure.code != "TransactionCanceledException":
                    raise _named(failure) from failure
                reasons: Sequence[Mapping[str, Any]] = failure.body["CancellationReasons"]
                # The wire may have lost our own success, and the client repeats what it got no answer to.
                if any(reason.get("Item", {}).get("operation") == {"S": operation} for reason in reasons):
                    return
                _refuse(actions, reasons)
            _back_off(attempt)
        raise errors.Conflict

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        if "RequestItems" not in request:
            request["TableName"] = self._table
        try:
            return self._service.call(operation, request)
        except (ServiceError, Unreachable) as failure:
            raise _named(failure) from failure


# --- addresses -----------------------------------------------------------------------------------------------------


def _address(ref: Ref[Any]) -> tuple[str, str]:
    match ref:
        case TokenRef(digest):
            return f"TOKEN#{digest}", "TOKEN"
        case KeyRef(key_id):
            return f"KEY#{key_id}", "KEY"
        case TenantRef(tenant):
            return f"TENANT#{tenant}", "TENANT"
        case OwnerAt(owner):
            return _owners(owner.tenant, owner.kind), owner.id
        case AppsNamed(tenant, name):
            return f"{_owners(tenant, OwnerKind.APP)}#names", name
        case SingleKeyRef(owner):
            return _listing(owner)
    raise TypeError(ref)


def _can_be(address: tuple[str, str]) -> bool:
    """Whether anything can be there: DynamoDB takes sort keys of 1 to 1,024 bytes and partition keys of up to 2,048,
    and answers anything else with an error."""
    pk, sk = address
    return len(pk.encode()) <= 2048 and 0 < len(sk.encode()) <= 1024


def _owners(tenant: str, kind: OwnerKind) -> str:
    return f"OWNERS#{tenant}#{kind}"


def _listing(owner: OwnerRef) -> tuple[str, str]:
    """The partition and the prefix under which an owner's keys are listed."""
    if owner.kind in _KEYS_BESIDE_OWNER:
        return _owners(owner.tenant, owner.kind), f"{owner.id}{_US}"
    return f"KEYS#{owner.tenant}#{owner.kind}#{owner.id}", ""


def _slot_prefix(kind: KeyKind) -> str:
    return "" if RULES[kind].single else f"{kind}#"


# --- what is written -----------------------------------------------------------------------------------------------

Refusal = Callable[[Mapping[str, Any] | None], Exception]
"""What a failed condition means, given the item that failed it."""


@dataclass(frozen=True, slots=True)
class _Action:
    """One item of a transaction."""

    verb: str
    body: dict[str, Any]
    refusal: Refusal = lambda _: Stale()


def _actions(write: Write, operation: str) -> Iterator[_Action]:
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
        case SaveKey(key, before_key):
            yield from _save_key(key, before_key, operation)
        case Require():
            yield _require(write, operation)
        case RequireNoKey(owner_ref):
            body = {"Key": _key(_address(SingleKeyRef(owner_ref))), "ConditionExpression": _NO_LIVING_KEY}
            yield _Action("ConditionCheck", body)
        case Record(event):
            ref = event.owner
            address = (f"EVENTS#{ref.tenant}#{ref.kind}#{ref.id}", f"{event.at_ms:013d}#{operation}#{event.type}")
            yield _put(address, _flat(event), operation)


_NEW: Final = "attribute_not_exists(pk)"
_NO_LIVING_KEY: Final = f"{_NEW} OR attribute_exists(revoked_at_ms)"
"""A revoked key makes room for its successor."""


def _save_key(key: Key, before: Key | None, operation: str) -> Iterator[_Action]:
    rows = _rows(key)
    former = {} if before is None else _rows(before)
    for address, item in rows.items():
        if before is not None and address == _address(KeyRef(key.id)):
            yield _put(address, item, operation, "revision = :before", {":before": before.revision})
        elif address in former:
            yield _put(address, item, operation)
        elif key.rules.single and address == _list_address(key):
            yield _put(address, item, operation, _NO_LIVING_KEY, refusal=lambda _: errors.KeyExists())
        else:
            yield _put(address, item, operation, _NEW)
    for address in former.keys() - rows.keys():
        yield _Action("Delete", {"Key": _key(address)})


def _rows(key: Key) -> dict[tuple[str, str], Item]:
    """Every row that a key is written in: of a deleted one, only the record that it can be had back from."""
    record = _flat(key)
    if key.deleted_at_ms is not None:
        return {_address(KeyRef(key.id)): record}
    to_be_marked = key.expires_at_ms is not None and key.expiry_marked_at_ms is None and key.revoked_at_ms is None
    bucket = {"expiry_bucket": f"EXPIRY#{zlib.crc32(key.id.encode()) % _EXPIRY_BUCKETS}"} if to_be_marked else {}
    rows = {_address(KeyRef(key.id)): {**record, **bucket}, _list_address(key): record}
    for version in key.versions:
        rows[_address(TokenRef(version.digest))] = _flat(Grant.of(key, version))
    if (purge_at_ms := key.purge_at_ms) is not None:
        rows = {address: {**row, "purge_at": purge_at_ms // 1000} for address, row in rows.items()}
    return rows


def _list_address(key: Key) -> tuple[str, str]:
    pk, prefix = _listing(key.owner)
    return pk, prefix if key.rules.single else f"{prefix}{key.kind}#{key.created_at_ms:013d}#{key.id}"


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
        "Key": _key(_address(OwnerAt(owner.ref))),
        "UpdateExpression": expression,
        "ConditionExpression": f"{alias['revision']} = :before",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": _wire({**values, ":before": before.revision}),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return _Action("Update", body)


def _remove_owner(owner: Owner) -> _Action:
    body = {
        "Key": _key(_address(OwnerAt(owner.ref))),
        "ConditionExpression": "leaving = :leaving AND revision = :before",
        "ExpressionAttributeValues": _wire({":leaving": True, ":before": owner.revision}),
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
        "Key": _key(_address(AppsNamed(app.tenant, app.name))),
        "UpdateExpression": f"{verb} app_ids :id",
        "ExpressionAttributeValues": _wire({":id": {app.id}}),
    }
    return _Action("Update", body)


def _require(write: Require, operation: str) -> _Action:
    conditions, names, values = ["attribute_exists(pk)"], {}, Item()
    if write.by > 0:
        conditions.append("leaving = :stays")
        values[":stays"] = False
    for n, requirement in enumerate(write.requirements):
        names[f"#r{n}"] = requirement.attribute
        if requirement.value is None:
            values[f":r{n}"] = ""
            conditions.append(f"attribute_exists(#r{n}) AND #r{n} <> :r{n}")
        else:
            values[f":r{n}"] = requirement.value
            conditions.append(f"#r{n} = :r{n}")
    body: dict[str, Any] = {"Key": _key(_address(OwnerAt(write.owner)))}
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
        body["ExpressionAttributeValues"] = _wire(values)
    return _Action("ConditionCheck" if write.count is None else "Update", body, lambda item: _refused(write, item))


def _refused(write: Require, wire: Mapping[str, Any] | None) -> Exception:
    """Which of the requirements the owner fails."""
    owner = None if wire is None else _owner(write.owner.kind, _plain(wire))
    if owner is None or owner.leaving:
        return OWNER_NOT_FOUND[write.owner.kind]()
    for requirement in write.requirements:
        try:
            requirement.check(owner)
        except errors.KeywrightError as refusal:
            return refusal
    return errors.LimitReached(limit=RULES[write.count].limit or 0) if write.count else Stale()


def _counter(kind: KeyKind) -> str:
    return f"live_{kind}"


def _put(
    address: tuple[str, str],
    item: Item,
    operation: str,
    condition: str | None = None,
    values: Item | None = None,
    refusal: Refusal = lambda _: Stale(),
) -> _Action:
    pk, sk = address
    body: dict[str, Any] = {"Item": _wire({**item, "pk": pk, "sk": sk, "operation": operation})}
    if condition is not None:
        body["ConditionExpression"] = condition
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            body["ExpressionAttributeValues"] = _wire(values)
    return _Action("Put", body, refusal)


# --- what is refused -----------------------------------------------------------------------------------------------


def _refuse(actions: Sequence[_Action], reasons: Sequence[Mapping[str, Any]]) -> None:
    """Raises what the first refused action says; returns where only another transaction was in the way."""
    for action, reason in zip(actions, reasons, strict=True):
        if reason["Code"] == "ConditionalCheckFailed":
            raise action.refusal(reason.get("Item"))
    codes = {reason["Code"] for reason in reasons} - {"None", "TransactionConflict"}
    if codes & {"ThrottlingError", "ProvisionedThroughputExceeded"}:
        raise errors.Unavailable
    if codes:
        raise errors.Fault


def _named(failure: ServiceError | Unreachable) -> errors.KeywrightError:
    if isinstance(failure, ServiceError) and failure.code not in _TRANSIENT and failure.status < 500:
        return errors.Fault()
    return errors.Unavailable()


def _back_off(attempt: int) -> None:
    """Full jitter, from 10 ms up; see "Exponential Backoff And Jitter" in the AWS Architecture Blog."""
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  no secret hangs on this


# --- values and items ----------------------------------------------------------------------------------------------


def _decode(ref: Ref[Any], item: Item | None) -> Any:
    if item is None:
        return None
    match ref:
        case TokenRef():
            return _build(Grant, item)
        case KeyRef() | SingleKeyRef():
            return _build(Key, item)
        case TenantRef():
            return _build(Tenant, item)
        case OwnerAt(owner, leaving):
            # Under such an id lies a key beside its owner.
            found = None if _US in owner.id else _owner(owner.kind, item)
            return found if leaving or (found and not found.leaving) else None
        case AppsNamed():
            return frozenset(item.get("app_ids", ())) or None
    raise TypeError(ref)


def _owner(kind: OwnerKind, item: Item) -> Owner:
    return _build(OWNERS[kind], item)


def _flat(value: Any) -> Item:
    """A dataclass as an item's attributes. What is None is left out: indexes and conditions then see it as absent."""
    cls: Any = type(value)
    pairs = ((name, getattr(value, name)) for name in _names_of(cls))
    return {name: _storable(each) for name, each in pairs if each is not None}


@cache
def _names_of(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls))


def _storable(value: Any) -> Any:
    if type(value) in _STORED_AS_IS:
        return value
    if is_dataclass(value):
        return _flat(value)
    if isinstance(value, Mapping):
        return {name: _storable(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_storable(each) for each in value]
    return value.value if isinstance(value, Enum) else value


@cache
def _builder(annotation: Any) -> Callable[[Any], Any]:
    """The inverse of `_flat` for one declared type. Reading declarations takes longer than building: once will do."""
    if is_dataclass(annotation):
        cls, hints = cast("Any", annotation), get_type_hints(annotation)
        members = [(each.name, _builder(hints[each.name])) for each in fields(annotation)]
        return lambda value: cls(**{name: build(value[name]) for name, build in members if name in value})
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return _builder(next(arg for arg in get_args(annotation) if arg is not type(None)))
    if origin is tuple:
        build = _builder(get_args(annotation)[0])
        return lambda value: tuple(map(build, value))
    if isinstance(annotation, type) and issubclass(annotation, Enum | int | bytes) and annotation is not bool:
        return annotation
    return lambda value: value


def _build(cls: type[T], value: Item) -> T:
    return cast("T", _builder(cast("Any", cls))(value))


def _wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_wire(value) for name, value in item.items()}


def _plain(wire: Mapping[str, Any]) -> Item:
    return {name: from_wire(value) for name, value in wire.items()}


def _key(address: tuple[str, str]) -> dict[str, Any]:
    return {"pk": {"S": address[0]}, "sk": {"S": address[1]}}
