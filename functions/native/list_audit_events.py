"""GET /v1/audit: what happened in the tenant, newest first or oldest first.

Every change, every reveal of a stored secret, and uses of keys that had expired or were revoked. All filters that are
given must hold.
"""

from keywright.dialects import native
from keywright.dialects.native import auditing
from keywright.edge import CurrentDesk, CurrentPrincipal

endpoint = native.endpoint("audit:read", parameters=auditing.PARAMETERS)
app = endpoint.app


@app.get("/v1/audit")
def list_audit_events(
    caller: CurrentPrincipal,
    desk: CurrentDesk,
    key_id: auditing.KeyId = None,
    owner_kind: auditing.OfKind = None,
    owner_id: auditing.OfOwner = None,
    operator: auditing.By = None,
    actor: auditing.Actor = None,
    since: auditing.From = None,
    until: auditing.To = None,
    order: auditing.Sorted = auditing.Order.NEWEST,
    limit: auditing.Limit = 100,
    after: auditing.After = None,
) -> auditing.AuditPage:
    asked = {
        "key_id": key_id,
        "owner_kind": owner_kind,
        "owner_id": owner_id,
        "operator": operator,
        "actor": actor,
        "since": since,
        "until": until,
        "order": order,
    }
    return auditing.page(desk, caller.tenant, asked, limit=limit, after=after)


handler = endpoint
