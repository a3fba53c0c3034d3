"""What the contract tests of the native API share: its endpoints, its problems, its views, word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from keywright import handover, issuing, rotation
from keywright.access import Principal
from keywright.issuing import Order
from keywright.model import Key, KeyKind, Link, OwnerRef
from keywright.ports import SaveLink
from keywright.registry import INSTALLATION_SCOPES
from tests.bundle import Answer, Bundle
from tests.world import World

PROBLEMS = {
    "path-unknown": (404, "There is nothing at this address."),
    "method-refused": (405, "This address does not answer to this method."),
    "content-type-refused": (415, "The body's content type is not accepted here."),
    "body-too-large": (413, "The body is larger than 64 kB."),
    "body-unreadable": (400, "The body is absent or cannot be read."),
    "idempotency-key-reused": (422, "The idempotency key was used for another request."),
    "credentials-missing": (401, "Credentials are absent or malformed."),
    "credentials-refused": (401, "The credentials are not valid."),
    "scope-missing": (403, "The credentials do not permit this."),
    "tenant-exists": (409, "There is such a tenant already."),
    "owner-not-found": (404, "There is no such owner."),
    "owner-not-eligible": (409, "The owner may not have a key of this kind."),
    "owner-exists": (409, "There is such an owner already."),
    "link-not-found": (404, "There is no such link."),
    "mail-not-sent": (502, "The key could not be mailed."),
    "key-not-found": (404, "There is no such key."),
    "key-exists": (409, "The owner has a key already."),
    "key-revoked": (409, "The key was revoked, and stays so."),
    "key-expired": (409, "The key has expired."),
    "key-goes-with-owner": (409, "The key goes with its owner, and is not deleted alone."),
    "key-not-rotatable": (409, "A key of this kind is not rotated."),
    "own-key": (403, "A key cannot rotate itself."),
    "rotation-under-way": (409, "The key is being rotated: its former secret still works."),
    "rotation-not-under-way": (409, "No rotation of the key is under way."),
    "limit-reached": (409, "The owner has as many keys as it may have."),
    "operator-disabled": (403, "The operator behind the credentials is disabled."),
    "conflict": (409, "The key is being changed by somebody else; try again."),
    "unavailable": (503, "Unable for the moment; try again."),
    "fault": (500, "Something went wrong on our side."),
}
MISSING = "A required field is missing."
UNKNOWN = "There is no such field."
INVALID = "A field has a wrong type or value."
SHORT = "A field is too short."
LONG = "A field is too long."
TYPE = "A field has a wrong type."
_FIELD_TYPES = {MISSING: ("field-missing", MISSING), UNKNOWN: ("field-unknown", UNKNOWN)}

GET, BATCH, QUERY, UPDATE = "GetItem", "BatchGetItem", "Query", "UpdateItem"
SEAL, REVEAL, COMMIT = "Encrypt", "Decrypt", "TransactWriteItems"


def refused(answer: Answer, slug: str, detail: str | None = None) -> None:
    """Exactly this problem. What its `detail` is where none is given, `_DETAILS` says."""
    status, title = PROBLEMS[slug]
    wanted = {"type": f"urn:keywright:problem:{slug}", "title": title, "status": status}
    if detail is None and slug in _DETAILS:
        detail = answer.json()["detail"]
        assert re.fullmatch(_DETAILS[slug], detail)
    # Where it may say which owner it is about, it does so only if that is more than the title does.
    if detail not in {None, title}:
        wanted["detail"] = detail
    assert (answer.status, answer.text) == (status, json.dumps(wanted))
    _is_problem(answer)


_DETAILS = {
    "scope-missing": "It takes the scope [a-z]+:[a-z]+[.]",
    "content-type-refused": "It takes application/[a-z-]+( and application/[a-z-]+)?[.]",
}


def fields_refused(answer: Answer, *fields: tuple[str, str], details: Sequence[str] = ()) -> None:
    """Exactly these fields are at fault, the first of them deciding; `details` are what is said to be right of those
    fields of which anything is, where it matters to the test."""
    slug, title = _FIELD_TYPES.get(fields[0][1], ("field-invalid", INVALID))
    found = answer.json()
    told = [each.pop("detail") for each in found["fields"] if "detail" in each]
    wanted = {
        "type": f"urn:keywright:problem:{slug}",
        "title": title,
        "status": 422,
        "fields": [{"field": name, "problem": problem} for name, problem in fields],
    }
    assert (answer.status, found) == (422, wanted)
    assert not details or told == [*details]
    _is_problem(answer)


def _is_problem(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers.get("www-authenticate") == ('Bearer realm="keywright"' if answer.status == 401 else None)


def answered(answer: Answer, status: int, body: Any) -> None:
    """Exactly this answer, its members in this order."""
    assert (answer.status, answer.text) == (status, json.dumps(body, separators=(",", ":")))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def rfc3339(ms: int | None) -> str | None:
    if ms is None:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def key_view(key: Key, state: str = "active") -> dict[str, Any]:
    return {
        "id": key.id,
        "kind": key.kind.value,
        "owner": {"kind": key.owner.kind.value, "id": key.owner.id},
        "description": key.description,
        "scopes": list(key.scopes),
        "state": state,
        "version": key.last_version,
        "versions": [
            {
                "version": version.number,
                "enabled": version.enabled,
                "created_at": rfc3339(version.created_at_ms),
                "created_by": version.creator.id,
                "retires_at": rfc3339(version.retires_at_ms),
            }
            for version in key.versions
        ],
        "created_at": rfc3339(key.created_at_ms),
        "created_by": key.creator.id,
        "modified_at": rfc3339(key.modified_at_ms),
        "expires_at": rfc3339(key.expires_at_ms),
        "revoked_at": rfc3339(key.revoked_at_ms),
        "revoked_reason": key.revoked_reason,
        "external_id": key.external_id,
        "metadata": dict(key.metadata),
        "allowed_cidrs": list(key.allowed_cidrs),
        "rate_limit": None if key.rate_limit is None else asdict(key.rate_limit),
        "quota": None if key.quota is None else asdict(key.quota),
        "cache_seconds": key.cache_seconds,
    }


def used_view(key: Key, state: str = "active", **last_used: Any) -> dict[str, Any]:
    """As one key is shown; `last_used` by version, as ``v1``."""
    view = key_view(key, state)
    versions = [{**each, "last_used": last_used.get(f"v{each['version']}")} for each in view["versions"]]
    return {**view, "versions": versions}


# --- callers -------------------------------------------------------------------------------------------------------


def holder_of(world: World, *scopes: str, owner: OwnerRef | None = None, **order: Any) -> dict[str, str]:
    """The header of a caller with these scopes, and be they beyond the tenant."""
    giver = Principal("test", KeyKind.NATIVE, world.operator.ref, INSTALLATION_SCOPES)
    wanted = Order(kind=KeyKind.NATIVE, owner=owner or world.operator.ref, scopes=scopes, **order)
    return {"Authorization": f"Bearer {issuing.issue(world.desk, giver, wanted).token.reveal()}"}


# --- endpoints -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operation:
    """An endpoint with a request that succeeds. ``{key_id}``, ``{app_id}`` and ``{operator_id}`` in the target are of
    the caller's tenant; the key is `linked`, with the link `LINK_ID`, or `rotating` where that is what the request is
    about."""

    method: str
    target: str
    scope: str
    body: Any = None
    status: int = 200
    body_may_be_absent: bool = False
    rotating: bool = False
    linked: bool = False
    form: Mapping[str, str] | None = None

    @property
    def takes_a_body(self) -> bool:
        return self.body is not None

    def ask(self, bundle: Bundle, world: World, headers: dict[str, str], **body: Any) -> Answer:
        """The request, with its usual body unless another is given."""
        target = self.target
        if self.form is not None and not body:
            body = {"form": self.form}
        if "{key_id}" in target:
            target = target.format(key_id=self.key(world).id)
        elif "{app_id}" in target:
            target = target.format(app_id=world.app().id)
        target = target.replace("{operator_id}", world.operator.id)
        if not body and self.takes_a_body:
            body = {"json_body": self.body_in(world)}
        return bundle.request(self.method, target, headers, **body)

    def key(self, world: World) -> Key:
        """One that the request is for."""
        key = world.issue(KeyKind.NATIVE, world.operator.ref).key
        if self.linked:
            link_to(world, key, LINK_ID)
        if not self.rotating:
            return key
        return rotation.rotate(world.desk, world.principal, key, overlap_ms=3_600_000).key

    def body_in(self, world: World) -> Any:
        """With an id that nothing has yet, and for the world's own operator."""
        own = {"id": f"next-{world.tenant}", "owner": operator_of(world)}
        return {**self.body, **{name: value for name, value in own.items() if name in self.body}}


def link_to(world: World, key: Key, link_id: str | None = None, **changes: Any) -> tuple[Link, str]:
    """A link as a caller makes it, with other attributes where a test cannot wait for them; and its token."""
    made = handover.draft(world.desk, world.principal, key, lifetime_ms=handover.USUAL_MS)
    link = replace(made.link, id=link_id or made.link.id, **changes)
    world.desk.store.commit(SaveLink(link))
    return link, made.token.reveal()


def operator_of(world: World) -> dict[str, str]:
    return {"kind": "operator", "id": world.operator.id}


OPEN = frozenset({"get_openapi", "revoke_self"})
"""Endpoints that anybody may call, of which nothing below is true."""

OPERATOR = {"kind": "operator", "id": "operator"}
"""An address as it should be; nobody has it."""
LINK_ID = "link_000000000000000000000001"
OPERATIONS = {
    "create_link": Operation("POST", "/v1/keys/{key_id}/links", "keys:reveal", {}, status=201, body_may_be_absent=True),
    "list_links": Operation("GET", "/v1/keys/{key_id}/links", "keys:read"),
    "revoke_link": Operation("DELETE", f"/v1/keys/{{key_id}}/links/{LINK_ID}", "keys:change", linked=True),
    "issue_key": Operation("POST", "/v1/keys", "keys:issue", {"owner": OPERATOR}, status=201),
    "list_keys": Operation("GET", "/v1/keys?owner_kind=operator&owner_id={operator_id}", "keys:read"),
    "list_audit_events": Operation("GET", "/v1/audit", "audit:read"),
    "get_key": Operation("GET", "/v1/keys/{key_id}", "keys:read"),
    "change_key": Operation("PATCH", "/v1/keys/{key_id}", "keys:change", {"description": "x"}, body_may_be_absent=True),
    "delete_key": Operation("DELETE", "/v1/keys/{key_id}", "keys:delete", status=204),
    "undelete_key": Operation("POST", "/v1/keys/{key_id}/undelete", "keys:delete", {}, body_may_be_absent=True),
    "rotate_key": Operation("POST", "/v1/keys/{key_id}/rotate", "keys:rotate", {}, body_may_be_absent=True),
    "extend_rotation": Operation(
        "POST", "/v1/keys/{key_id}/rotation/extend", "keys:rotate", {"overlap_seconds": 60}, rotating=True
    ),
    "cancel_rotation": Operation(
        "POST", "/v1/keys/{key_id}/rotation/cancel", "keys:rotate", {}, body_may_be_absent=True, rotating=True
    ),
    "finish_rotation": Operation(
        "POST", "/v1/keys/{key_id}/rotation/finish", "keys:rotate", {}, body_may_be_absent=True, rotating=True
    ),
    "disable_key": Operation("POST", "/v1/keys/{key_id}/disable", "keys:change", {}, body_may_be_absent=True),
    "enable_key": Operation("POST", "/v1/keys/{key_id}/enable", "keys:change", {}, body_may_be_absent=True),
    "revoke_key": Operation("POST", "/v1/keys/{key_id}/revoke", "keys:change", {}, body_may_be_absent=True),
    "verify_key": Operation("POST", "/v1/keys/verify", "keys:verify", {"token": "any"}),
    "verify_keys": Operation("POST", "/v1/keys/verify-batch", "keys:verify", {"keys": [{"token": "any"}]}),
    "introspect": Operation("POST", "/v1/introspect", "keys:verify", form={"token": "any"}),
    "verify_jwt": Operation("POST", "/v1/jwt/verify", "keys:verify", {"jwt": "any"}),
    "create_tenant": Operation(
        "POST",
        "/v1/tenants",
        "installation:tenants",
        {"id": "new", "name": "Riverside", "operator_name": "Ama"},
        status=201,
    ),
    "create_owner": Operation("POST", "/v1/owners", "owners:change", {"kind": "app", "name": "Orchard"}, status=201),
    "list_owners": Operation("GET", "/v1/owners?kind=operator", "owners:read"),
    "get_owner": Operation("GET", "/v1/owners/operator/{operator_id}", "owners:read"),
    "change_owner": Operation("PATCH", "/v1/owners/app/{app_id}", "owners:change", {"name": "Renamed"}),
    "delete_owner": Operation("DELETE", "/v1/owners/app/{app_id}", "owners:delete"),
}


def verdict(bundle: Bundle, world: World, token: str) -> dict[str, Any]:
    """What the tenant's operator is told of a token."""
    told: dict[str, Any] = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token}).json()
    return told
