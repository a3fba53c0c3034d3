"""A tenant of a test's own, with support reps, as it is seen from outside the console."""

from __future__ import annotations

import email
import time
import uuid
from email.policy import default
from typing import Any

from tests.e2e.conftest import Running, checkout
from tests.e2e.gateway_client import Client


class Centre:
    """A tenant of the test's own: its reps and their keys, made and looked at from outside the console."""

    def __init__(self, running: Running) -> None:
        order = {
            "id": f"centre-{uuid.uuid4().hex[:12]}",
            "name": "Orchard support",
            "operator_name": "Imani",
            "operator_email": "imani@example.com",
        }
        self._client = Client(running, Client(running).ask("POST", "/v1/tenants", order).json()["key"]["token"])
        self._outbox = checkout() / ".local/outbox"
        self.administrator = self.rep("priya.rao", "Priya Rao", role="SDAdmin", business_unit="Retail")

    def rep(self, login: str, name: str, *, expires_at: str | None = None, **attributes: Any) -> str:
        """The rep's API key."""
        self.rep_without_key(login, name, **attributes)
        order = {"owner": {"kind": "support_rep", "id": login}, "kind": "rep_key", "expires_at": expires_at}
        answer = self._client.ask("POST", "/v1/keys", order)
        assert answer.status == 201, answer
        return str(answer.json()["token"])

    def rep_without_key(self, login: str, name: str, **attributes: Any) -> None:
        order = {"kind": "support_rep", "id": login, "name": name, "role": "SDCoordinator", **attributes}
        answer = self._client.ask("POST", "/v1/owners", {k: v for k, v in order.items() if v is not None})
        assert answer.status == 201, answer

    def rep_with_expired_key(self, login: str, name: str) -> str:
        moment = time.time() + 1.2
        spelled = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
        key = self.rep(login, name, expires_at=f"{spelled}.{int(moment % 1 * 1000):03}Z")
        time.sleep(max(0.0, moment - time.time()) + 0.05)
        return key

    def change(self, login: str, **attributes: Any) -> None:
        assert self._client.ask("PATCH", f"/v1/owners/support_rep/{login}", attributes).status == 200

    def is_valid(self, key: str) -> bool:
        return bool(self._client.verify(token=key)["valid"])

    def mails(self, address: str) -> list[str]:
        """The texts of the mails to one address."""
        found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in self._outbox.glob("*.eml")]
        return [mail.get_content() for mail in found if mail["To"] == address]
