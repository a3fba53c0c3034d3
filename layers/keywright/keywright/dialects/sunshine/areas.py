"""Where a key is good, by what of the vendor's API was called: its owner says for which app, provisioning takes an
account, and an integration's key is for four areas alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from keywright.access import permits
from keywright.model import Grant, Integration, KeyKind

_AREAS: Final = frozenset({"users", "conversations", "attachments"})
"""And an integration's own webhooks."""


def allows(grant: Grant, uri: str) -> bool:
    """Whether the key may call that: a path with or without ``/sc``, a host and a query. What cannot be understood is
    allowed to an account alone, since whoever serves it may understand it otherwise."""
    if grant.kind is KeyKind.ACCOUNT_SECRET:
        return True
    segments = _segments(uri)
    if segments is None:
        return False
    match segments, grant.kind:
        case ["v2", "apps", app_id, *_], KeyKind.SERVICE_ACCOUNT_SECRET:
            return permits(grant.scopes, f"app:{app_id}")
        case ["v2", "apps", *rest], KeyKind.APP_SECRET:
            return len(rest) > 1 and rest[0] == grant.owner.id and rest[1] != "keys"
        case ["v2", "apps", app_id, "integrations", integration_id, "webhooks", *_], KeyKind.INTEGRATION_SECRET:
            return Integration.id_of(app_id, integration_id) == grant.owner.id
        case ["v2", "apps", app_id, area, *_], KeyKind.INTEGRATION_SECRET:
            return area in _AREAS and grant.owner.id.startswith(Integration.id_of(app_id, ""))
    return grant.kind is not KeyKind.INTEGRATION_SECRET


def _segments(uri: str) -> Sequence[str] | None:
    """None where a segment is empty, a dot or two, or holds a slash."""
    try:
        parts = urlsplit(uri).path.removeprefix("/sc/").strip("/").split("/")
    except ValueError:
        return None
    segments = [unquote(part) for part in parts]
    return None if any(each in {"", ".", ".."} or "/" in each or "\\" in each for each in segments) else segments
