"""GrantStore over the table of `keywright.adapters.dynamodb`: what the functions do that verify and nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.adapters.items import US, Item, build, can_be, item_key, owners_of, plain_item
from keywright.adapters.metering import Meter
from keywright.grants import Grant
from keywright.kinds import OwnerKind
from keywright.limits import Limits, Spending
from keywright.reading import OwnerAt, Reading, Ref, TokenRef
from keywright.usage import LastUse

if TYPE_CHECKING:
    from keywright.model import Event, Owner

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


class DynamoDBGrantStore:
    """See `GrantStore` for the contract. Of records it reads tokens and owners."""

    def __init__(self, service: JsonService, table: str) -> None:
        self._service = service
        self._table = table
        self._meter = Meter(service, table)

    def read(self, *refs: Ref[Any]) -> Reading:
        wanted = {ref: self._address(ref) for ref in refs}
        items = self._items(list(dict.fromkeys(wanted.values())))
        return Reading({ref: self._decode(ref, items.get(address)) for ref, address in wanted.items()})

    def spend(self, key_id: str, limits: Limits, cost: int, now_ms: int) -> Spending:
        try:
            return self._meter.spend(key_id, limits, cost, now_ms)
        except (ServiceError, Unreachable) as failure:
            raise named(failure) from failure

    def note_use(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None:
        try:
            self._meter.note(key_id, version, use, unless_since_ms=unless_since_ms)
        except (ServiceError, Unreachable) as failure:
            raise named(failure) from failure

    def note(self, event: Event, *, at_most: int, within_ms: int) -> None:
        # Loaded here, because most functions that verify never see a credential that was good once.
        from keywright.adapters.dynamodb import DynamoDBKeyStore  # noqa: PLC0415

        DynamoDBKeyStore(self._service, self._table).note(event, at_most=at_most, within_ms=within_ms)

    def _address(self, ref: Ref[Any]) -> tuple[str, str]:
        return address_of(ref)

    def _decode(self, ref: Ref[Any], item: Item | None) -> Any:
        return None if item is None else decoded(ref, item)

    def _items(self, addresses: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        keys = [item_key(address) for address in addresses if can_be(address)]
        if not keys:
            return {}
        # Which of the two calls is made depends on what was asked for, as that is what a function's policy is made for.
        if len(addresses) == 1:
            answer = self._call("GetItem", Key=item_key(addresses[0]), ConsistentRead=True)
            return {addresses[0]: plain_item(answer["Item"])} if "Item" in answer else {}
        found: dict[tuple[str, str], Item] = {}
        for attempt in range(_BATCH_ATTEMPTS):
            answer = self._call("BatchGetItem", RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}})
            for wire in answer["Responses"].get(self._table, ()):
                item = plain_item(wire)
                found[item["pk"], item["sk"]] = item
            if not (unprocessed := answer.get("UnprocessedKeys")):
                return found
            keys = unprocessed[self._table]["Keys"]
            back_off(attempt)
        # A key that was not processed is not a key that does not exist.
        raise errors.Unavailable

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        if "RequestItems" not in request:
            request["TableName"] = self._table
        try:
            return self._service.call(operation, request)
        except (ServiceError, Unreachable) as failure:
            raise named(failure) from failure


def address_of(ref: Ref[Any]) -> tuple[str, str]:
    match ref:
        case TokenRef(digest):
            return f"TOKEN#{digest}", "TOKEN"
        case OwnerAt(owner):
            return owners_of(owner.tenant, owner.kind), owner.id
    raise TypeError(ref)


def decoded(ref: Ref[Any], item: Item) -> Any:
    match ref:
        case TokenRef():
            return build(Grant, item)
        case OwnerAt(owner, leaving):
            # Under such an id lies a key beside its owner.
            found = None if US in owner.id else built_owner(owner.kind, item)
            return found if leaving or (found and not found.leaving) else None
    raise TypeError(ref)


def built_owner(kind: OwnerKind, item: Item) -> Owner:
    from keywright.model import OWNERS  # noqa: PLC0415  most kinds of key are verified without their owner

    return build(OWNERS[kind], item)


def named(failure: ServiceError | Unreachable) -> errors.KeywrightError:
    """What a failed call means."""
    if isinstance(failure, ServiceError) and failure.code not in _TRANSIENT and failure.status < 500:
        return errors.Fault()
    return errors.Unavailable()


def back_off(attempt: int) -> None:
    """Full jitter, from 10 ms up; see "Exponential Backoff And Jitter" in the AWS Architecture Blog."""
    time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311  no secret hangs on this
