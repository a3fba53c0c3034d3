"""Three tenants with one of everything, whose keys are managed through every surface, each in its own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from keywright.model import KeyKind, Platform
from keywright.ports import Desk
from tests.contract.sunshine.place import basic
from tests.reliability.ledger import Kept, Ledger, Owner
from tests.world import World

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and in which style."""

    method: str
    target: str
    headers: Mapping[str, str]
    json_body: Any = None
    form: Mapping[str, str] | None = None


class Tenant:
    """What was laid out is in `ledger`, too."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.world = world = World(desk, f"tenant-{number}")
        self.name = world.tenant
        self.app = world.app(id=f"7000000002100{number}")
        self.bot = world.integration(self.app, id="bot")
        self.reps = [world.rep("meera.nair"), world.rep("lea.brun")]
        self._administrator = world.issue(KeyKind.REP_KEY, world.rep("priya.rao").ref).token.reveal()
        self._account = basic(world.issue(KeyKind.ACCOUNT_SECRET, world.operator.ref))
        self._salesiq = {"Authorization": f"Zoho-oauthtoken {world.access_token('SalesIQ.apps.ALL')}"}
        self._voltmx = {"X-VoltMX-Authorization": world.operator_token}
        opened = world.channel(self.app)
        self.channel = f"{self.app.id}:{Platform.ANDROID}"
        self.first = [(opened.key, opened.token.reveal())]
        for kind, owner, how_many in ((KeyKind.APP_SECRET, self.app, 8), (KeyKind.INTEGRATION_SECRET, self.bot, 9)):
            issued = [world.issue(kind, owner.ref) for _ in range(how_many)]
            self.first += [(each.key, each.token.reveal()) for each in issued]

    def owner(self, kind: KeyKind, rep: int = 0) -> Owner:
        match kind:
            case KeyKind.ANDROID_ACCESS_KEY:
                return self.name, "channel", self.channel
            case KeyKind.REP_KEY:
                return self.name, "support_rep", self.reps[rep].id
            case KeyKind.INTEGRATION_SECRET:
                return self.name, "integration", self.bot.id
        return self.name, "app", self.app.id

    def enter(self, ledger: Ledger, now_ms: int) -> None:
        for key, token in self.first:
            ledger.put(Kept.seen(key, now_ms))
            ledger.tokens[key.id, 1] = token

    # --- native ----------------------------------------------------------------------------------------------------

    def native(self, method: str, path: str, body: Any = None) -> Asked:
        return Asked(method, f"/v1{path}", self.world.bearer, json_body=body)

    def verify(self, tokens: list[str]) -> Asked:
        return self.native("POST", "/keys/verify-batch", {"keys": [{"token": token} for token in tokens]})

    def list(self, owner: Owner) -> Asked:
        return self.native("GET", f"/keys?owner_kind={owner[1]}&owner_id={quote(owner[2])}")

    def issue_native(self, kind: KeyKind, owner: Owner, expires: int | None = None) -> Asked:
        body = {
            "owner": {"kind": owner[1], "id": owner[2]},
            "kind": kind.value,
            "expires_at": expires and rfc3339(expires),
        }
        return self.native("POST", "/keys", {name: value for name, value in body.items() if value is not None})

    # --- the vendors' ----------------------------------------------------------------------------------------------

    def salesiq(self, method: str, tail: str = "", body: Any = None) -> Asked:
        path = f"/api/v2/{self.name}/apps/{self.app.id}/channels/android{tail}"
        return Asked(method, path, self._salesiq, json_body=body)

    def supportcenter(self, operation: str, style: str, **fields: str) -> Asked:
        return Asked("POST", f"/api/{style}/{operation}", {}, form={"apikey": self._administrator, **fields})

    def sunshine(self, method: str, kind: KeyKind, tail: str = "", *, prefix: str = "", body: Any = None) -> Asked:
        below = "" if kind is KeyKind.APP_SECRET else "/integrations/bot"
        return Asked(method, f"{prefix}/v2/apps/{self.app.id}{below}/keys{tail}", self._account, json_body=body)

    def voltmx(self, method: str, tail: str = "", **form: str) -> Asked:
        return Asked(method, f"/api/v1/applications/key{tail}", self._voltmx, form=form or None)

    def issue(self, kind: KeyKind, rep: int, expires: int | None, style: str) -> Asked:
        """In the words of the surface that the kind is of."""
        match kind:
            case KeyKind.ANDROID_ACCESS_KEY:
                return self.salesiq("POST", "/accesskeys")
            case KeyKind.REP_KEY:
                more = {} if expires is None else {"expiresOn": str(expires)}
                return self.supportcenter("generateApiKey", style, supportRep=self.reps[rep].id, **more)
            case KeyKind.APP_SECRET | KeyKind.INTEGRATION_SECRET:
                return self.sunshine("POST", kind, prefix="/sc" if style == "xml" else "", body={"displayName": "till"})
            case KeyKind.APP_API_KEY:
                more = {"neverExpires": "true"} if expires is None else expiry_of_voltmx(expires)
                return self.voltmx("POST", appId=self.app.id, description="till", **more)
        return self.issue_native(kind, self.owner(kind), expires)

    def delete(self, key: Kept, token: str | None, style: str) -> Asked | None:
        """None where the surface cannot name it."""
        match key.kind:
            case KeyKind.REP_KEY:
                return self.supportcenter("deleteApiKey", style, supportRep=key.owner[2])
            case KeyKind.APP_SECRET | KeyKind.INTEGRATION_SECRET:
                return self.sunshine("DELETE", key.kind, f"/{key.id}", prefix="/sc" if style == "xml" else "")
            case KeyKind.APP_API_KEY if token is not None:
                return self.voltmx("DELETE", f"/{token}")
            case KeyKind.NATIVE:
                return self.native("DELETE", f"/keys/{key.id}")
        return None


def tokens_in(text: str, kind: KeyKind) -> str:
    """The secret that an answer to an order shows, whatever its style."""
    if text.startswith(("<", "<?xml")):
        return text.partition("<apikey>")[2].partition("</apikey>")[0]
    body = json.loads(text)
    match kind:
        case KeyKind.ANDROID_ACCESS_KEY:
            return str(body["data"]["access_keys"][0]["key"])
        case KeyKind.REP_KEY if "response" in body:
            return str(body["response"]["details"]["apikey"])
        case KeyKind.APP_SECRET | KeyKind.INTEGRATION_SECRET if "key" in body:
            return str(body["key"]["secret"])
        case KeyKind.APP_API_KEY if "token" not in body:
            return str(body["id"])
    return str(body["token"])


def expiry_of_voltmx(ms: int) -> dict[str, str]:
    when = datetime.fromtimestamp(ms / 1000, UTC).strftime("%m/%d/%Y %H:%M:%S")
    return {"neverExpires": "false", "expiresOn": when}


def rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
