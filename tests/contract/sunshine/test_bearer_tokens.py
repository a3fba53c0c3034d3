"""Which JSON Web Tokens are a caller's, and which are refused, all with the same bytes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import jwt
import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import KeyKind
from keywright.tokens import Token
from tests.contract.sunshine.place import APP_NOT_FOUND, FORBIDDEN, UNAUTHORIZED, Place, bearer
from tests.world import World

Part = Mapping[str, Any] | str | bytes
"""JSON to be written compactly, or text or bytes as they are."""
NOW: Final = int(time.time())
HOUR: Final = 3600


@dataclass(frozen=True)
class Hand:
    """Signs by hand what no library would sign."""

    key_id: str
    secret: str
    other_secret: str = ""

    def header(self, **members: Any) -> dict[str, Any]:
        return {"alg": "HS256", "typ": "JWT", "kid": self.key_id, **members}

    def token(
        self,
        header: Part | None = None,
        payload: Part | None = None,
        *,
        key: bytes | None = None,
        hash_name: str = "sha256",
        signature: bytes | None = None,
    ) -> str:
        """What is not said otherwise is as it should be."""
        header = self.header() if header is None else header
        payload = {"scope": "app"} if payload is None else payload
        said = f"{b64(header)}.{b64(payload)}"
        if signature is None:
            signature = hmac.digest(self.secret.encode() if key is None else key, said.encode(), hash_name)
        return f"{said}.{b64(signature)}"

    def without(self, member: str) -> dict[str, Any]:
        return {name: value for name, value in self.header().items() if name != member}

    def renamed(self, key_id: Any) -> str:
        return self.token(self.header(kid=key_id))

    def claiming(self, **claims: Any) -> str:
        return self.token(payload={"scope": "app", **claims})


def b64(part: Part) -> str:
    if isinstance(part, Mapping):
        part = json.dumps(part, separators=(",", ":"))
    raw = part.encode() if isinstance(part, str) else part
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def respelt(part: str) -> str:
    """The same bytes to a lax decoder: the last character's spare bits are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(part) % 4 in {2, 3}
    other = part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]
    padding = "=" * (-len(part) % 4)
    assert base64.urlsafe_b64decode(other + padding) == base64.urlsafe_b64decode(part + padding)
    return other


def parted(token: str) -> tuple[str, str, str]:
    header, payload, signature = token.split(".")
    return header, payload, signature


def spelt(change: Callable[[str, str, str], str]) -> Callable[[Hand], str]:
    """A good token, written otherwise."""
    return lambda hand: change(*parted(hand.token()))


def respelt_header(hand: Hand) -> str:
    """Signed as it is spelt, so that only the spelling is wrong."""
    header, payload = respelt(b64(hand.header())), b64({"scope": "app"})
    signature = hmac.digest(hand.secret.encode(), f"{header}.{payload}".encode(), "sha256")
    return f"{header}.{payload}.{b64(signature)}"


def respelt_payload(hand: Hand) -> str:
    header, payload = b64(hand.header()), respelt(b64('{"scope":"app" }'))
    signature = hmac.digest(hand.secret.encode(), f"{header}.{payload}".encode(), "sha256")
    return f"{header}.{payload}.{b64(signature)}"


def with_members(hand: Hand, text: str) -> str:
    """A header of ours with more text before its closing brace."""
    return hand.token(json.dumps(hand.header())[:-1] + text + "}")


MALFORMED: Final[dict[str, Callable[[Hand], str]]] = {
    # --- the algorithm and the header
    "alg none, unsigned": lambda hand: hand.token(hand.header(alg="none"), signature=b""),
    "alg None, unsigned": lambda hand: hand.token(hand.header(alg="None"), signature=b""),
    "alg NONE, unsigned": lambda hand: hand.token(hand.header(alg="NONE"), signature=b""),
    "alg nOnE, unsigned": lambda hand: hand.token(hand.header(alg="nOnE"), signature=b""),
    "alg none, but signed": lambda hand: hand.token(hand.header(alg="none")),
    "alg none, by PyJWT": lambda hand: jwt.encode({"scope": "app"}, "", algorithm="none", headers={"kid": hand.key_id}),
    "alg hs256": lambda hand: hand.token(hand.header(alg="hs256")),
    "alg HS256 with a space": lambda hand: hand.token(hand.header(alg="HS256 ")),
    "alg HS384, as signed": lambda hand: hand.token(hand.header(alg="HS384"), hash_name="sha384"),
    "alg HS512, as signed": lambda hand: hand.token(hand.header(alg="HS512"), hash_name="sha512"),
    "alg HS512, signed by HS256": lambda hand: hand.token(hand.header(alg="HS512")),
    "alg RS256": lambda hand: hand.token(hand.header(alg="RS256")),
    "alg ES256": lambda hand: hand.token(hand.header(alg="ES256")),
    "alg PS256": lambda hand: hand.token(hand.header(alg="PS256")),
    "alg EdDSA": lambda hand: hand.token(hand.header(alg="EdDSA")),
    "alg dir": lambda hand: hand.token(hand.header(alg="dir")),
    "no alg": lambda hand: hand.token(hand.without("alg")),
    "alg null": lambda hand: hand.token(hand.header(alg=None)),
    "alg a list": lambda hand: hand.token(hand.header(alg=["HS256"])),
    "alg an object": lambda hand: hand.token(hand.header(alg={"HS256": 1})),
    "alg a number": lambda hand: hand.token(hand.header(alg=256)),
    "Alg for alg": lambda hand: hand.token({"Alg": "HS256", **hand.without("alg")}),
    "typ JWS": lambda hand: hand.token(hand.header(typ="JWS")),
    "typ jwt": lambda hand: hand.token(hand.header(typ="jwt")),
    "typ at+jwt": lambda hand: hand.token(hand.header(typ="at+jwt")),
    "typ null": lambda hand: hand.token(hand.header(typ=None)),
    "typ a list": lambda hand: hand.token(hand.header(typ=["JWT"])),
    "crit": lambda hand: hand.token(hand.header(crit=["exp"])),
    "crit, empty": lambda hand: hand.token(hand.header(crit=[])),
    "crit of an extension": lambda hand: hand.token(hand.header(crit=["x"], x=1)),
    "b64 false": lambda hand: hand.token(hand.header(b64=False, crit=["b64"])),
    "b64 true": lambda hand: hand.token(hand.header(b64=True)),
    "zip": lambda hand: hand.token(hand.header(zip="DEF")),
    "enc": lambda hand: hand.token(hand.header(enc="A256GCM")),
    "cty": lambda hand: hand.token(hand.header(cty="JWT")),
    "jwk": lambda hand: hand.token(hand.header(jwk={"kty": "oct", "k": b64(b"x" * 32)}), key=b"x" * 32),
    "jku": lambda hand: hand.token(hand.header(jku="https://example.com/keys")),
    "x5u": lambda hand: hand.token(hand.header(x5u="https://example.com/key.pem")),
    "x5c": lambda hand: hand.token(hand.header(x5c=["MII"])),
    "x5t": lambda hand: hand.token(hand.header(x5t="x")),
    "an unknown member": lambda hand: hand.token(hand.header(foo=1)),
    # --- kid
    "no kid": lambda hand: hand.token(hand.without("kid")),
    "kid null": lambda hand: hand.renamed(None),
    "kid a number": lambda hand: hand.renamed(1),
    "kid true": lambda hand: hand.renamed(True),
    "kid a list": lambda hand: hand.renamed([hand.key_id]),
    "kid an object": lambda hand: hand.renamed({"S": hand.key_id}),
    "kid empty": lambda hand: hand.renamed(""),
    "kid a path": lambda hand: hand.renamed("../../../dev/null"),
    "kid a path after a key's": lambda hand: hand.renamed(f"{hand.key_id}/../x"),
    "kid of 5 kB": lambda hand: hand.renamed("app_" + "0" * 5_000),
    "kid of 10 kB": lambda hand: hand.renamed("app_" + "0" * 10_000),
    "kid with a line break": lambda hand: hand.renamed(f"{hand.key_id}\n"),
    "kid with a null character": lambda hand: hand.renamed(f"{hand.key_id}\0"),
    "kid with a space": lambda hand: hand.renamed(f" {hand.key_id}"),
    "kid in capitals": lambda hand: hand.renamed(hand.key_id.upper()),
    "kid in full width": lambda hand: hand.renamed(hand.key_id.replace("0", "\uff10") + "\uff10"),
    "kid too short": lambda hand: hand.renamed(hand.key_id[:-1]),
    "kid too long": lambda hand: hand.renamed(f"{hand.key_id}0"),
    "kid without a prefix": lambda hand: hand.renamed(hand.key_id.removeprefix("app_")),
    "kid of another kind of key": lambda hand: hand.renamed(hand.key_id.replace("app_", "key_")),
    "kid a row of the table": lambda hand: hand.renamed(f"KEY#{hand.key_id}"),
    "kid a query": lambda hand: hand.renamed("app_' OR '1'='1"),
    "Kid for kid": lambda hand: hand.token({"Kid": hand.key_id, **hand.without("kid")}),
    # --- the JSON
    "alg twice, none first": lambda hand: hand.token(f'{{"alg":"none","alg":"HS256","kid":"{hand.key_id}"}}'),
    "alg twice, none last": lambda hand: hand.token(f'{{"alg":"HS256","alg":"none","kid":"{hand.key_id}"}}'),
    "alg twice, the same": lambda hand: with_members(hand, ',"alg":"HS256"'),
    "kid twice": lambda hand: with_members(hand, f',"kid":"{hand.key_id}"'),
    "kid twice, once escaped": lambda hand: with_members(hand, f',"\\u006bid":"{hand.key_id}"'),
    "the header a list": lambda hand: hand.token(json.dumps([hand.header()])),
    "the header a string": lambda hand: hand.token(json.dumps("HS256")),
    "the header null": lambda hand: hand.token("null"),
    "the header no JSON": lambda hand: hand.token("HS256"),
    "the header with something after it": lambda hand: hand.token(json.dumps(hand.header()) + "x"),
    "the header after a byte order mark": lambda hand: hand.token("\ufeff" + json.dumps(hand.header())),
    "the header in UTF-16": lambda hand: hand.token(json.dumps(hand.header()).encode("utf-16")),
    "the header no UTF-8": lambda hand: hand.token(json.dumps(hand.header()).encode().replace(b"JWT", b"J\xffT")),
    "the payload a list": lambda hand: hand.token(payload='[{"scope":"app"}]'),
    "the payload a string": lambda hand: hand.token(payload='"app"'),
    "the payload a number": lambda hand: hand.token(payload="1"),
    "the payload no JSON": lambda hand: hand.token(payload="scope=app"),
    "the payload no UTF-8": lambda hand: hand.token(payload=b'{"scope":"app","n":"\xff"}'),
    "the payload in single quotes": lambda hand: hand.token(payload="{'scope':'app'}"),
    "scope twice": lambda hand: hand.token(payload='{"scope":"user","scope":"app"}'),
    "exp twice": lambda hand: hand.token(payload=f'{{"scope":"app","exp":1,"exp":{NOW + HOUR}}}'),
    "another claim twice": lambda hand: hand.token(payload='{"scope":"app","a":1,"a":2}'),
    "NaN": lambda hand: hand.token(payload='{"scope":"app","a":NaN}'),
    "Infinity": lambda hand: hand.token(payload='{"scope":"app","exp":Infinity}'),
    "nine levels": lambda hand: hand.token(payload='{"scope":"app","a":' + "[" * 9 + "]" * 9 + "}"),
    "a thousand levels": lambda hand: hand.token(payload='{"scope":"app","a":' + "[" * 1_000 + "]" * 1_000 + "}"),
    "a number of 4,301 digits": lambda hand: hand.token(payload='{"scope":"app","exp":' + "9" * 4_301 + "}"),
    # --- the claims' types
    "no scope": lambda hand: hand.token(payload={}),
    "scope null": lambda hand: hand.claiming(scope=None),
    "scope a list": lambda hand: hand.claiming(scope=["app"]),
    "scope a number": lambda hand: hand.claiming(scope=1),
    "Scope for scope": lambda hand: hand.token(payload={"Scope": "app"}),
    "exp a string": lambda hand: hand.claiming(exp=str(NOW + HOUR)),
    "exp a float": lambda hand: hand.claiming(exp=NOW + HOUR + 0.5),
    "exp a whole float": lambda hand: hand.claiming(exp=float(NOW + HOUR)),
    "exp in exponents": lambda hand: hand.token(payload='{"scope":"app","exp":1e12}'),
    "exp too large for a float": lambda hand: hand.token(payload='{"scope":"app","exp":1e999}'),
    "exp true": lambda hand: hand.claiming(exp=True),
    "exp null": lambda hand: hand.claiming(exp=None),
    "exp a list": lambda hand: hand.claiming(exp=[NOW + HOUR]),
    "exp an object": lambda hand: hand.claiming(exp={}),
    "nbf a string": lambda hand: hand.claiming(nbf=str(NOW)),
    "nbf a float": lambda hand: hand.claiming(nbf=NOW - 0.5),
    "nbf false": lambda hand: hand.claiming(nbf=False),
    "nbf null": lambda hand: hand.claiming(nbf=None),
    # --- the spelling
    "padding after the signature": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac}="),
    "padding after the payload": spelt(lambda header, payload, mac: f"{header}.{payload}=.{mac}"),
    "padding after the header": spelt(lambda header, payload, mac: f"{header}=.{payload}.{mac}"),
    "padding, encoded": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac}%3D"),
    "spare bits in the signature": spelt(lambda header, payload, mac: f"{header}.{payload}.{respelt(mac)}"),
    "spare bits in the header": respelt_header,
    "spare bits in the payload": respelt_payload,
    "standard base64": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac[:-2]}+/"),
    "a space in front": lambda hand: f" {hand.token()}",
    "a space inside": spelt(lambda header, payload, mac: f"{header} .{payload}.{mac}"),
    "a space in a part": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac[:9]} {mac[9:]}"),
    "a tab inside": spelt(lambda header, payload, mac: f"{header}.\t{payload}.{mac}"),
    "a line break inside": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac[:9]}\n{mac[9:]}"),
    "a line break between": spelt(lambda header, payload, mac: f"{header}.{payload}\r\n.{mac}"),
    "a character of no alphabet": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac[:9]}!{mac[9:]}"),
    "a letter that is not ASCII": spelt(lambda header, payload, mac: f"{header}.{payload}.{mac[:9]}é{mac[9:]}"),
    "quotes around it": lambda hand: f'"{hand.token()}"',
    "two tokens": lambda hand: f"{hand.token()},{hand.token()}",
    "a comma after it": lambda hand: f"{hand.token()},",
    # --- the parts
    "nothing": lambda _: "",
    "two full stops": lambda _: "..",
    "a full stop": lambda _: ".",
    "no full stop": lambda hand: hand.token().replace(".", ""),
    "no signature and no full stop": spelt(lambda header, payload, _: f"{header}.{payload}"),
    "no header": spelt(lambda _, payload, mac: f".{payload}.{mac}"),
    "no payload": spelt(lambda header, _, mac: f"{header}..{mac}"),
    "four parts": lambda hand: f"{hand.token()}.",
    "five parts": lambda hand: f"{hand.token()}.{'x' * 4}.{'y' * 4}",
    "the parts in another order": spelt(lambda header, payload, mac: f"{payload}.{header}.{mac}"),
    "JSON serialisation": lambda hand: json.dumps(
        dict(zip(("protected", "payload", "signature"), parted(hand.token()), strict=True)), separators=(",", ":")
    ),
    "the secret itself": lambda hand: hand.secret,
    "the key's id": lambda hand: hand.key_id,
    "more than 8 kB": lambda hand: hand.claiming(filler="x" * 6_200),
}
"""Refused as they stand, before anything is read."""

UNSUITABLE: Final[dict[str, Callable[[Hand], str]]] = {
    "a key that does not exist": lambda hand: hand.renamed("app_" + "0" * 24),
    "scope integration": lambda hand: hand.claiming(scope="integration"),
    "scope account": lambda hand: hand.claiming(scope="account"),
    "scope user": lambda hand: hand.claiming(scope="user"),
    "scope appUser": lambda hand: hand.claiming(scope="appUser"),
    "scope App": lambda hand: hand.claiming(scope="App"),
    "scope app and a space": lambda hand: hand.claiming(scope="app "),
    "two scopes": lambda hand: hand.claiming(scope="app account"),
    "no words in scope": lambda hand: hand.claiming(scope=""),
    "exp past": lambda hand: hand.claiming(exp=NOW - HOUR),
    "exp a second ago": lambda hand: hand.claiming(exp=int(time.time()) - 1),
    "exp now": lambda hand: hand.claiming(exp=int(time.time())),
    "exp at the epoch": lambda hand: hand.claiming(exp=0),
    "exp before the epoch": lambda hand: hand.claiming(exp=-1),
    "nbf in two minutes": lambda hand: hand.claiming(nbf=int(time.time()) + 120),
    "nbf in a hundred years": lambda hand: hand.claiming(nbf=NOW + 100 * 365 * 24 * HOUR),
    "nbf and exp crossed": lambda hand: hand.claiming(nbf=NOW + HOUR, exp=NOW + 2 * HOUR),
}
"""Of the right form, and refused once the key that they name is known, before its secret is asked for."""

FORGED: Final[dict[str, Callable[[Hand], str]]] = {
    "no signature": lambda hand: hand.token(signature=b""),
    "a signature of zeros": lambda hand: hand.token(signature=bytes(32)),
    "the first half": spelt(lambda header, payload, mac: f"{header}.{payload}.{b64(unb64(mac)[:16])}"),
    "all but the last byte": spelt(lambda header, payload, mac: f"{header}.{payload}.{b64(unb64(mac)[:31])}"),
    "a byte more": spelt(lambda header, payload, mac: f"{header}.{payload}.{b64(unb64(mac) + bytes(1))}"),
    "the first bit turned": spelt(
        lambda header, payload, mac: f"{header}.{payload}.{b64(bytes([unb64(mac)[0] ^ 128]) + unb64(mac)[1:])}"
    ),
    "the last bit turned": spelt(
        lambda header, payload, mac: f"{header}.{payload}.{b64(unb64(mac)[:31] + bytes([unb64(mac)[31] ^ 1]))}"
    ),
    "hexadecimal": spelt(lambda header, payload, mac: f"{header}.{payload}.{b64(unb64(mac).hex())}"),
    "the decoded bytes of the secret": lambda hand: hand.token(key=base64.urlsafe_b64decode(hand.secret + "==")),
    "the secret and a line break": lambda hand: hand.token(key=f"{hand.secret}\n".encode()),
    "the secret in capitals": lambda hand: hand.token(key=hand.secret.upper().encode()),
    "the secret's digest": lambda hand: hand.token(key=hashlib.sha256(hand.secret.encode()).hexdigest().encode()),
    "another key's secret": lambda hand: hand.token(key=hand.other_secret.encode()),
    "the key's id": lambda hand: hand.token(key=hand.key_id.encode()),
    "an empty secret": lambda hand: hand.token(key=b""),
    "SHA-512": lambda hand: hand.token(hash_name="sha512"),
    "SHA-512, cut": lambda hand: hand.token(
        signature=hmac.digest(hand.secret.encode(), signed(hand.token()), "sha512")[:32]
    ),
    "SHA-1": lambda hand: hand.token(hash_name="sha1"),
    "a plain hash": lambda hand: hand.token(
        signature=hashlib.sha256(hand.secret.encode() + signed(hand.token())).digest()
    ),
    "of the payload alone": lambda hand: hand.token(
        signature=hmac.digest(hand.secret.encode(), parted(hand.token())[1].encode(), "sha256")
    ),
    "another payload": lambda hand: (
        f"{parted(hand.token())[0]}.{b64({'scope': 'app', 'a': 1})}.{parted(hand.token())[2]}"
    ),
    "no exp any more": lambda hand: (
        f"{signed(hand.token()).decode()}.{parted(hand.claiming(exp=int(time.time()) + 60))[2]}"
    ),
    "the header written otherwise": spelt(
        lambda header, payload, mac: f"{b64(json.dumps(json.loads(unb64(header))))}.{payload}.{mac}"
    ),
    "of a key that is somebody else's": lambda hand: replace(hand, secret=hand.other_secret).token(),
}
"""Of the right form for a living key, and not signed with its secret."""


def unb64(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed(token: str) -> bytes:
    return token.rpartition(".")[0].encode()


@pytest.fixture(scope="module")
def hand(shared: Place) -> Hand:
    return hand_of(shared.app_key, shared.account_key)


def hand_of(issued: Issued, other: Issued | None = None) -> Hand:
    return Hand(issued.key.id, issued.token.reveal(), other.token.reveal() if other else "")


def authorization(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_refused(place: Place, token: str, calls: tuple[str, ...]) -> None:
    answer = place.create(authorization(token))
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)
    assert answer.headers["www-authenticate"] == 'Basic realm="keywright", Bearer realm="keywright"'
    assert answer.calls == calls


def test_the_hand_signs_as_the_library_does(shared: Place, hand: Hand) -> None:
    """Or every refusal below would prove nothing."""
    assert jwt.decode(hand.token(), hand.secret, algorithms=["HS256"]) == {"scope": "app"}
    assert shared.create(authorization(hand.token()), {"displayName": ""}).status == 400


def test_there_are_more_vectors_than_the_sixty_that_were_asked_for() -> None:
    assert len(MALFORMED) + len(UNSUITABLE) + len(FORGED) > 150


@pytest.mark.parametrize("vector", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_token_is_refused_unread(shared: Place, hand: Hand, vector: Callable[[Hand], str]) -> None:
    assert_refused(shared, vector(hand), ())


@pytest.mark.parametrize("vector", UNSUITABLE.values(), ids=UNSUITABLE.keys())
def test_an_unsuitable_token_is_refused_before_the_secret_is_revealed(
    shared: Place, hand: Hand, vector: Callable[[Hand], str]
) -> None:
    assert_refused(shared, vector(hand), ("GetItem",))


@pytest.mark.parametrize("vector", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(shared: Place, hand: Hand, vector: Callable[[Hand], str]) -> None:
    assert_refused(shared, vector(hand), ("GetItem", "Decrypt"))


VALID: Final[dict[str, Callable[[Hand], str]]] = {
    "as documented": lambda hand: hand.token(),
    "no typ": lambda hand: hand.token(hand.without("typ")),
    "members in another order": lambda hand: hand.token(dict(reversed(hand.header().items()))),
    "spaces in the JSON": lambda hand: hand.token(json.dumps(hand.header(), indent=2), '{ "scope" : "app" }\n'),
    "escapes in the JSON": lambda hand: hand.token(payload='{"sc\\u006fpe":"\\u0061pp"}'),
    "exp in a moment": lambda hand: hand.claiming(exp=int(time.time()) + 30),
    "exp in a hundred years": lambda hand: hand.claiming(exp=NOW + 100 * 365 * 24 * HOUR),
    "exp beyond 64 bits": lambda hand: hand.claiming(exp=10**30),
    "nbf now": lambda hand: hand.claiming(nbf=int(time.time())),
    "nbf in fifty seconds": lambda hand: hand.claiming(nbf=int(time.time()) + 50),
    "nbf past": lambda hand: hand.claiming(nbf=0),
    "iat in the future": lambda hand: hand.claiming(iat=NOW + HOUR),
    "iat a string": lambda hand: hand.claiming(iat="yesterday"),
    "further claims": lambda hand: hand.claiming(iss="x", aud=["y"], sub="z", jti="1", userId="é", external_id=None),
    "nearly 8 kB": lambda hand: hand.claiming(filler="x" * 5_900),
    "by PyJWT": lambda hand: jwt.encode({"scope": "app"}, hand.secret, headers={"kid": hand.key_id}),
}


@pytest.mark.parametrize("vector", VALID.values(), ids=VALID.keys())
def test_a_sound_token_is_accepted(shared: Place, hand: Hand, vector: Callable[[Hand], str]) -> None:
    answer = shared.create(authorization(vector(hand)), {"displayName": ""})
    assert answer.status == 400
    assert answer.calls == ("GetItem", "Decrypt", "BatchGetItem")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "BeArEr"])
def test_the_scheme_is_compared_without_case(shared: Place, hand: Hand, scheme: str) -> None:
    assert shared.create({"Authorization": f"{scheme} {hand.token()}"}, {"displayName": ""}).status == 400


# --- the state of the key ------------------------------------------------------------------------------------------

NOTED = ("GetItem", "Decrypt", "TransactWriteItems")
"""The refusal needs but the first; what a key that is over did sign goes on record."""


def test_a_token_stops_with_its_key_at_the_very_next_call(place: Place) -> None:
    caller = authorization(hand_of(place.app_key).token())
    assert place.create(caller).status == 201
    disabled = lifecycle.disable(place.world.desk, place.world.principal, place.app_key.key)
    assert place.create(caller).body == UNAUTHORIZED
    enabled = lifecycle.enable(place.world.desk, place.world.principal, disabled)
    assert place.create(caller).status == 201
    lifecycle.revoke(place.world.desk, place.world.principal, enabled)
    answer = place.create(caller)
    assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, NOTED)


def test_a_token_stops_when_its_key_expires(place: Place) -> None:
    place.world.expire(place.app_key.key)
    assert_refused(place, hand_of(place.app_key).token(), NOTED)


def test_a_token_stops_when_the_only_version_is_switched_off(place: Place) -> None:
    [version] = place.app_key.key.versions
    place.world.overwrite(place.app_key.key, versions=(replace(version, enabled=False),))
    assert_refused(place, hand_of(place.app_key).token(), ("GetItem",))


def test_a_secret_of_fewer_bytes_than_the_hash_signs_nothing(place: Place) -> None:
    """No such secret is ever made; one that came into the table otherwise must not be good enough."""
    key, [version] = place.app_key.key, place.app_key.key.versions
    for length, status in ((31, 401), (32, 400)):
        secret = "s" * length
        sealed = place.world.desk.vault.seal(Token(secret), tenant=key.tenant, key_id=key.id, version=1)
        key = place.world.overwrite(key, versions=(replace(version, sealed=sealed),))
        answer = place.create(authorization(Hand(key.id, secret).token()), {"displayName": ""})
        assert (answer.status, answer.calls[:2]) == (status, ("GetItem", "Decrypt"))


def test_a_native_key_signs_nothing(place: Place) -> None:
    native = place.world.issue(KeyKind.NATIVE, place.app.ref)
    assert_refused(place, Hand(native.key.id, native.token.reveal()).token(), ())


# --- the key alone says whose the caller is ------------------------------------------------------------------------


def test_another_tenants_key_speaks_for_its_own_tenant_alone(place: Place, another_world: World) -> None:
    theirs = Place(place.bundle, another_world)
    by_app = place.create(bearer(theirs.app_key))
    assert (by_app.status, by_app.body) == (403, FORBIDDEN)
    by_account = place.create(bearer(theirs.account_key))
    assert (by_account.status, by_account.body) == (404, APP_NOT_FOUND)
    assert theirs.create(bearer(theirs.app_key)).status == 201
    assert place.world.desk.store.keys_of(place.integration.ref).items == []


def test_a_scope_is_that_of_the_keys_kind(place: Place) -> None:
    keys = {
        "account": (place.account_key, place.service_key("app:*")),
        "app": (place.app_key,),
        "integration": (place.integration_key(),),
    }
    for kind, issued in keys.items():
        for key in issued:
            statuses = {scope: place.create(bearer(key, scope=scope)).status for scope in (*keys, "user", "appUser")}
            good = 403 if kind == "integration" else 201
            assert statuses == {scope: good if scope == kind else 401 for scope in statuses}


def test_a_created_keys_own_token_is_good_and_opens_nothing_here(place: Place) -> None:
    created = place.create().json()["key"]
    token = Hand(created["id"], created["secret"]).token(payload={"scope": "integration"})
    answer = place.create(authorization(token))
    assert (answer.status, answer.body) == (403, FORBIDDEN)
