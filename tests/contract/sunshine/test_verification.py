"""What the native API's verification says of this vendor's credentials, as a service behind gets them.

The claims and signatures of JSON Web Tokens are in tests/contract/native/test_verify_jwt.py.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import KeyKind
from tests.bundle import Answer
from tests.contract.sunshine.place import UNAUTHORIZED, Place, basic, basic_of, bearer
from tests.world import World

SCHEMES = 'Basic realm="keywright", Bearer realm="keywright"'


def verify(place: Place, path: str = "/v1/keys/verify", **body: Any) -> Answer:
    return place.bundle.request("POST", path, place.world.bearer, json_body=body)


def carried(place: Place, headers: dict[str, Any]) -> Answer:
    """The headers of a request to a service behind, handed on as they are."""
    return verify(place, dialect="sunshine", headers=headers)


def every_kind(place: Place) -> list[Issued]:
    return [place.account_key, place.service_key("app:*"), place.app_key, place.integration_key()]


def test_a_key_of_every_kind_is_good_by_its_id_and_secret_and_as_basic(place: Place) -> None:
    """The key's owner gives the scope."""
    for issued, owner in zip(every_kind(place), ("operator", "operator", "app", "integration"), strict=True):
        pair = {"key_id": issued.key.id, "secret": issued.token.reveal()}
        for answer in (verify(place, **pair), verify(place, dialect="sunshine", **pair), carried(place, basic(issued))):
            verdict = answer.json()
            assert (answer.status, verdict["valid"], verdict["key_id"]) == (200, True, issued.key.id)
            assert verdict["owner"] == {"kind": owner, "id": issued.key.owner.id}
            assert "refusal" not in verdict


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_basic_is_found_however_it_is_written(place: Place, name: str, scheme: str) -> None:
    value = basic(place.app_key)["Authorization"].replace("Basic", scheme)
    for values in (value, [value]):
        assert carried(place, {name: values, "X-Request-Id": "7", "Accept": ["a", "b"]}).json()["valid"] is True


def refusals(place: Place) -> dict[str, Answer]:
    key, secret = place.app_key.key.id, place.app_key.token.reveal()
    value = basic(place.app_key)["Authorization"]
    native = place.world.issue(KeyKind.NATIVE, place.app.ref)
    return {
        "no header": carried(place, {}),
        "another header": carried(place, {"x-authorization": value}),
        "no scheme": carried(place, {"Authorization": secret}),
        "another scheme": carried(place, {"Authorization": f"Digest {secret}"}),
        "no base64": carried(place, {"Authorization": "Basic ?"}),
        "no pair": carried(place, {"Authorization": f"Basic {base64.b64encode(b'x').decode()}"}),
        "two of them": carried(place, {"Authorization": [value, value]}),
        "in two spellings": carried(place, {"Authorization": value, "authorization": value}),
        "in a parameter": verify(place, dialect="sunshine", parameters={"authorization": value}),
        "another key's id": carried(place, basic_of(place.account_key.key.id, secret)),
        "another key's secret": carried(place, basic_of(key, place.account_key.token.reveal())),
        "nobody's": carried(place, basic_of(key, "A" * 86)),
        "of another surface": carried(place, basic(native)),
        "the same, by its id": verify(place, dialect="sunshine", key_id=native.key.id, secret=native.token.reveal()),
        "the same, alone": verify(place, dialect="sunshine", token=native.token.reveal()),
    }


def test_whatever_is_wrong_is_unknown_and_refused_with_the_one_answer(place: Place) -> None:
    for why, answer in refusals(place).items():
        verdict = answer.json()
        assert (answer.status, verdict["valid"], verdict["reason"]) == (200, False, "unknown"), why
        assert verdict["refusal"] == {
            "status": 401,
            "content_type": "application/json",
            "headers": {"WWW-Authenticate": SCHEMES, "Cache-Control": "no-store"},
            "body": UNAUTHORIZED.decode(),
        }


def test_what_a_service_sends_on_is_what_we_would_have_said_ourselves(place: Place) -> None:
    caller = basic_of(place.app_key.key.id, "A" * 86)
    ours, theirs = place.create(caller), carried(place, caller).json()["refusal"]
    assert (ours.status, ours.body.decode()) == (theirs["status"], theirs["body"])
    assert ours.headers["content-type"] == theirs["content_type"]
    assert {name.lower(): value for name, value in theirs["headers"].items()}.items() <= ours.headers.items()


def test_a_key_that_is_over_says_why_and_to_its_caller_only_the_one_thing(place: Place, another_world: World) -> None:
    world = place.world
    off, expired, revoked, deleted = (place.integration_key() for _ in range(4))
    lifecycle.disable(world.desk, world.principal, off.key)
    world.expire(expired.key)
    lifecycle.revoke(world.desk, world.principal, revoked.key)
    lifecycle.delete(world.desk, world.principal, deleted.key)
    theirs = Place(place.bundle, another_world).app_key
    answers = [carried(place, basic(each)).json() for each in (off, expired, revoked, deleted, theirs)]
    assert [answer["reason"] for answer in answers] == ["disabled", "expired", "revoked", "unknown", "unknown"]
    assert {answer["refusal"]["body"] for answer in answers} == {UNAUTHORIZED.decode()}


def test_a_json_web_token_is_sent_to_where_it_can_be_checked(place: Place) -> None:
    header = bearer(place.app_key)
    token = header["Authorization"].removeprefix("Bearer ")
    asked: dict[str, dict[str, Any]] = {
        "headers": {"dialect": "sunshine", "headers": header},
        "token": {"dialect": "sunshine", "token": token},
    }
    for field, body in asked.items():
        answer = verify(place, **body)
        problem = answer.json()
        assert (answer.status, problem["fields"][0]["field"]) == (422, field)
        assert problem["detail"] == "POST /v1/jwt/verify verifies a JSON Web Token."
        assert answer.calls == ("GetItem",)
    assert verify(place, "/v1/jwt/verify", jwt=token).json()["valid"] is True
