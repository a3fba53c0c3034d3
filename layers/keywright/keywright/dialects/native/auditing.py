"""The audit on the wire of the native API: what may be asked, and how an event looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict, Field

from keywright import audit, errors
from keywright.dialects.native import wire
from keywright.model import EventType, OwnerKind, OwnerRef
from keywright.ports import AuditQuestion, Desk

PARAMETERS: Final = (
    *("key_id", "owner_kind", "owner_id", "operator", "actor"),
    *("from", "to", "order", "limit", "after"),
)


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"


KeyId = Annotated[str | None, Query(pattern="^[a-z]{1,16}_[0-9a-f]{24}$", description="Events about this key")]
OfKind = Annotated[OwnerKind | None, Query(description="With `owner_id`: events of this owner and of its keys")]
OfOwner = Annotated[wire.Name | None, Query(description="With `owner_kind`")]
By = Annotated[wire.Name | None, Query(description="What this operator's credentials did, whichever it was")]
Actor = Annotated[
    str | None,
    Query(pattern="^[A-Za-z0-9._-]{1,100}$", description="What this credential did, by its key id, or this function"),
]
From = Annotated[wire.Time | None, Query(alias="from", description="Not before this time")]
To = Annotated[wire.Time | None, Query(alias="to", description="Before this time")]
Sorted = Annotated[Order, Query()]
Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]


class EventView(BaseModel):
    """One event, as it is on the bus."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: str
    id: str
    type: EventType
    at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    tenant: str
    subject: str
    owner: wire.OwnerAddress
    actor: str
    actor_owner: wire.OwnerAddress | None
    key_version: int | None
    reason: str
    expires_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]
    warning_step_days: int | None
    days_left: int | None
    source_address: str
    link_id: str


class AuditPage(BaseModel):
    """A page may hold fewer events than `limit`, or none, and yet have a `next`."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    events: list[EventView]
    next: str | None


def page(desk: Desk, tenant: str, asked: Mapping[str, Any], *, limit: int, after: str | None) -> AuditPage:
    """`asked` are the filters by the names of the wire. Raises FieldMissing, FieldInvalid."""
    found = desk.store.audit(_question(tenant, **asked), limit=limit, after=after)
    return AuditPage(events=[EventView.model_validate(audit.told(event)) for event in found.items], next=found.next)


def _question(
    tenant: str,
    *,
    key_id: str | None,
    owner_kind: OwnerKind | None,
    owner_id: str | None,
    operator: str | None,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
    order: Order,
) -> AuditQuestion:
    if (owner_kind is None) is not (owner_id is None):
        raise errors.FieldMissing(field="owner_kind" if owner_kind is None else "owner_id")
    times = {name: _ms(time) for name, time in (("from_ms", since), ("until_ms", until)) if time is not None}
    if since is not None and until is not None and times["from_ms"] >= times["until_ms"]:
        raise errors.FieldInvalid(field="to", detail="It must be later than from.")
    return AuditQuestion(
        tenant=tenant,
        key_id=key_id,
        owner=None if owner_kind is None or owner_id is None else OwnerRef(tenant, owner_kind, owner_id),
        actor_owner=None if operator is None else OwnerRef(tenant, OwnerKind.OPERATOR, operator),
        actor=actor,
        newest_first=order is Order.NEWEST,
        **times,
    )


def _ms(time: datetime) -> int:
    """Within what the audit can hold."""
    return min(max((time - wire.EPOCH) // timedelta(milliseconds=1), 0), 10**13 - 1)
