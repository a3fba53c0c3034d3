"""What an administrator's client sends, and what the tests look for afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keywright.issuing import Issued
from keywright.model import Key, KeyKind, SupportRep
from tests.bundle import Answer, Bundle
from tests.world import World

WRITES = {"Encrypt", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
MESSAGES = {
    5101: "Technician key in the request is invalid. Unable to authenticate.",
    5102: "API key received is not associated to any technician. Authentication failed.",
    5103: "User does not have enough permission to perform this operation.",
    5104: "Mandatory parameter missing: supportRep",
    5106: "Support Rep does not exist.",
    5107: "Login is not enabled for the Support Rep.",
    5108: "Role is not assigned to the Support Rep.",
    5109: "API Key is already generated for the Support Rep.",
    5110: "API Key is not generated for the Support Rep.",
    5111: "API Key could not be sent to the specified Email ID.",
    5112: "Error when validating URL - Invalid URL for the requested operation.",
    5113: "Too many requests. Try again later.",
    5199: "Internal error.",
}
"""Word for word, but for 5105, whose parameter each test names."""
UNKNOWN_KEY = "6B0D549B-6F03-475A-9600-A35A099950D8"
BREAKS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)]
"""C0, DEL, C1 and Unicode's two separators: whatever some software takes for the end of a line, or of a text."""


def details_of(answer: Answer) -> dict[str, str]:
    details: dict[str, str] = answer.json()["response"]["details"]
    return details


@dataclass(frozen=True)
class Administrator:
    """The rep with the role SDAdmin in a tenant of the test's own, with a key."""

    bundle: Bundle
    world: World
    rep: SupportRep
    issued: Issued

    @property
    def apikey(self) -> str:
        return self.issued.token.reveal()

    def post(self, operation: str, form: str = "json", /, **parameters: str) -> Answer:
        return self.bundle.request("POST", f"/api/{form}/{operation}", form={"apikey": self.apikey, **parameters})

    def generate(self, form: str = "json", /, **parameters: str) -> Answer:
        return self.post("generateApiKey", form, **parameters)

    def email(self, form: str = "json", /, **parameters: str) -> Answer:
        return self.post("emailApiKey", form, **parameters)

    def regenerate(self, form: str = "json", /, **parameters: str) -> Answer:
        return self.post("regenerateApiKey", form, **parameters)

    def delete(self, form: str = "json", /, **parameters: str) -> Answer:
        return self.post("deleteApiKey", form, **parameters)

    def ask_for_list(self, form: str = "json", /, **parameters: str) -> Answer:
        return self.post("listApiKeys", form, **parameters)

    def listed(self, **parameters: str) -> list[dict[str, str]]:
        details: list[dict[str, str]] = self.ask_for_list(**parameters).json()["response"]["details"]
        return details

    def key_of(self, rep: SupportRep, **order: Any) -> Issued:
        return self.world.issue(KeyKind.REP_KEY, rep.ref, **order)

    def verify(self, token: str) -> dict[str, Any]:
        answer = self.bundle.request("POST", "/v1/keys/verify", self.world.bearer, json_body={"token": token})
        assert answer.status == 200
        verdict: dict[str, Any] = answer.json()
        return verdict

    def revoke(self, key: Key) -> None:
        assert self.bundle.request("POST", f"/v1/keys/{key.id}/revoke", self.world.bearer, json_body={}).status == 200

    def in_ms(self, ms: int) -> str:
        """A date, as `expiresOn` takes it."""
        return str(self.world.desk.clock.now_ms() + ms)

    def change(self, login: str, **attributes: Any) -> None:
        path = f"/v1/owners/support_rep/{login}"
        assert self.bundle.request("PATCH", path, self.world.bearer, json_body=attributes).status == 200


def refused(answer: Answer, statuscode: int, message: str | None = None) -> bool:
    """Whether this is that refusal, in exactly the documented words of the classic JSON style, with nothing written but
    what the audit has of it: that a dead key was used, or that a key was revealed, which could not be mailed then."""
    response = answer.json()["response"]
    assert list(response) == ["uri", "result"]
    assert response["uri"].startswith("api/json")
    assert response["result"] == {
        "status": "Failure",
        "statuscode": statuscode,
        "statusmessage": message or MESSAGES[statuscode],
    }
    assert answer.status in {5113: {429}, 5199: {500, 503}}.get(statuscode, {200})
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["cache-control"] == "no-store"
    assert not (WRITES - ({"TransactWriteItems"} if statuscode in {5102, 5111} else set())) & set(answer.calls)
    return True
