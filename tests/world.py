"""A tenant of its own for a test, with owners and callers made by the core as an administrator."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, TypeVar

from keywright import issuing, registry
from keywright.access import Principal
from keywright.issuing import Issued, Order
from keywright.model import App, Integration, Key, KeyKind, Operator, Owner, OwnerRef, Platform, SupportRep
from keywright.ports import Desk, KeyRef, SaveKey
from keywright.registry import OpenedChannel

OwnerT = TypeVar("OwnerT", bound=Owner)


class World:
    """One tenant. `operator` is its first operator's token, which may do everything within the tenant."""

    def __init__(self, desk: Desk, tenant: str | None = None) -> None:
        self.desk = desk
        self.tenant = tenant or f"t-{secrets.token_hex(6)}"
        opened = registry.open_tenant(
            desk,
            tenant_id=self.tenant,
            name="Orchard Labs",
            operator_name="Imani",
            email="imani@example.com",
            actor="test",
            scopes=registry.TENANT_SCOPES,
        )
        key = opened.issued.key
        self.operator: Operator = opened.operator
        self.operator_token = opened.issued.token.reveal()
        self.principal = Principal(key.id, key.kind, key.owner, key.scopes)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.operator_token}"}

    def add_operator(self, name: str = "Ama", **attributes: Any) -> Operator:
        return registry.add_operator(self.desk, self.principal, id=None, name=name, **attributes)

    def app(self, name: str = "Orchard", *, id: str | None = None, published: bool = True) -> App:
        return registry.add_app(self.desk, self.principal, id=id, name=name, published=published)

    def channel(self, app: App, platform: Platform = Platform.ANDROID) -> OpenedChannel:
        return registry.add_channel(
            self.desk,
            self.principal,
            app,
            platform=platform,
            bundle_name="com.example.orchard",
            creator=self.principal.creator(self.operator.name),
        )

    def integration(self, app: App, *, id: str | None = None, type: str = "custom") -> Integration:
        return registry.add_integration(self.desk, self.principal, id=id, app_id=app.id, name="Bot", type=type)

    def rep(self, login: str = "meera.nair", **attributes: Any) -> SupportRep:
        defaults = {"name": "Meera Nair", "role": "SDAdmin", "business_unit": "Retail"}
        return registry.add_support_rep(self.desk, self.principal, id=login, **{**defaults, **attributes})

    def change(self, owner: OwnerT, **attributes: Any) -> OwnerT:
        """As it is now, with what is given instead."""
        before, key = registry.owner_with_key(self.desk, owner.ref)
        changed = registry.change(self.desk, self.principal, before, attributes, key=key)
        assert isinstance(changed, type(owner))
        return changed

    def issue(self, kind: KeyKind, owner: OwnerRef, **order: Any) -> Issued:
        return issuing.issue(self.desk, self.principal, Order(kind=kind, owner=owner, **order))

    def access_token(self, *scopes: str, operator: Operator | None = None) -> str:
        owner = (operator or self.operator).ref
        return self.issue(KeyKind.ACCESS_TOKEN, owner, scopes=scopes).token.reveal()

    def key(self, key_id: str) -> Key:
        """As it stands in the table now."""
        ref = KeyRef(key_id)
        found = self.desk.store.read(ref)[ref]
        assert found is not None
        return found

    def overwrite(self, key: Key, **attributes: Any) -> Key:
        """Puts a key into a state that a test cannot wait for."""
        changed = replace(key, **attributes, revision=key.revision + 1)
        self.desk.store.commit(SaveKey(changed, key))
        return changed

    def expire(self, key: Key) -> Key:
        return self.overwrite(key, expires_at_ms=self.desk.clock.now_ms() - 1)
