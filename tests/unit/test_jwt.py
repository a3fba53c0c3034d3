"""JSON Web Tokens on their own: read strictly, timed to the millisecond, judged at the least cost; and 20,000 mutants.

Which tokens are malformed, unsuitable or forged is in the contract tests of Sunshine Conversations, vector by vector.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
import string
from collections.abc import Callable
from typing import Any

import jwt as pyjwt
import pytest

from keywright import errors, jwt, lifecycle, registry
from keywright.issuing import Issued
from keywright.jwt import Flaw, Verified
from keywright.limits import Every, Quota
from keywright.model import RULES, Grant, KeyKind, Reason
from keywright.ports import KeyRef, Reading
from keywright.tokens import Token
from keywright.usage import Use
from tests.fakes import Fakes
from tests.world import World

SECRET = Token("s" * 86)
KEY_ID = "int_658cda1495e60af593bd04cf"


def token(**claims: object) -> str:
    return pyjwt.encode({"scope": "integration", **claims}, SECRET.reveal(), headers={"kid": KEY_ID})


def test_a_token_says_which_key_it_is_signed_with_and_the_scope_it_claims() -> None:
    read = jwt.read(token(exp=1_000, nbf=500))
    assert (read.key_id, read.scope, read.expires_at, read.not_before) == (KEY_ID, "integration", 1_000, 500)
    assert read.is_signed_with(SECRET)
    assert not read.is_signed_with(Token("t" * 86))


def test_a_token_without_times_is_always_timely() -> None:
    read = jwt.read(token())
    assert read.untimely(0) is None
    assert read.untimely(2**60) is None


@pytest.mark.parametrize(("now_ms", "over"), [(999_999, False), (1_000_000, True), (1_000_001, True)])
def test_exp_has_no_leeway(now_ms: int, over: bool) -> None:
    assert jwt.read(token(exp=1_000)).untimely(now_ms) is (Flaw.TOKEN_EXPIRED if over else None)


@pytest.mark.parametrize(("now_ms", "early"), [(939_999, True), (940_000, False), (1_000_000, False)])
def test_nbf_has_sixty_seconds(now_ms: int, early: bool) -> None:
    assert jwt.read(token(nbf=1_000)).untimely(now_ms) is (Flaw.TOKEN_NOT_YET_VALID if early else None)


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS512"}, {"typ": "at+jwt"}, {"typ": None}, {"crit": ["exp"]}, {"jku": "x"}]
)
def test_a_token_under_a_header_that_is_not_ours_is_not_read_however_it_is_signed(header: dict[str, object]) -> None:
    assert is_good(under({"alg": "HS256", "kid": KEY_ID}))
    assert is_good(under({"alg": "HS256", "kid": KEY_ID, "typ": "JWT"}))
    with pytest.raises(ValueError, match="header"):
        jwt.read(under({"alg": "HS256", "kid": KEY_ID, **header}))


@pytest.mark.parametrize(
    "payload",
    [
        {"scope": "integration", "exp": "5"},
        {"scope": "integration", "exp": True},
        {"scope": "integration", "exp": 5.0},
        {"scope": "integration", "nbf": None},
        {"scope": None},
        {"scope": 7},
        {},
        ["scope"],
        "scope",
    ],
)
def test_a_token_that_says_something_in_another_type_is_not_read(payload: object) -> None:
    with pytest.raises(ValueError, match=r"^no "):
        jwt.read(under({"alg": "HS256", "kid": KEY_ID}, payload))


def test_a_token_of_more_characters_than_a_request_can_carry_is_not_read() -> None:
    text = token(note="x" * jwt.LONGEST)
    with pytest.raises(ValueError, match="long"):
        jwt.read(text)


def under(header: dict[str, object], payload: object = {"scope": "integration"}) -> str:
    """Signed under this very header, whatever it says."""
    parts = (json.dumps(header), json.dumps(payload))
    signed = ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts)
    signature = hmac.digest(SECRET.reveal().encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_neither_the_signature_nor_what_is_signed_is_in_its_repr() -> None:
    text = token()
    _, payload, signature = text.split(".")
    assert payload not in repr(jwt.read(text))
    assert repr(jwt.read(text).signature) not in repr(jwt.read(text))
    assert signature not in repr(jwt.read(text))


def test_no_mutant_of_a_token_is_good() -> None:
    """Every edit changes what is signed, the signature, or the one spelling that either has."""
    chance = random.Random(20_261_121)  # noqa: S311  the same mutants every time
    original = token(exp=2_000_000_000, externalId="a mutant's host")
    mutants: set[str] = set()
    while len(mutants) < 20_000:
        mutants |= {mutant(original, chance)} - {original}
    assert [each for each in mutants if is_good(each)] == []
    assert is_good(original)


def mutant(text: str, chance: random.Random) -> str:
    alphabet = string.ascii_letters + string.digits + "-_=+/. \n%\0é"
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at = chance.randrange(len(text))
        match chance.randrange(6):
            case 0:
                text = text[:at] + chance.choice(alphabet) + text[at + 1 :]
            case 1:
                text = text[:at] + chance.choice(alphabet) + text[at:]
            case 2:
                text = text[:at] + text[at + 1 :]
            case 3:
                text = text[:at] + text[at:].swapcase()
            case 4:
                length = chance.randrange(1, 40)
                text = text[:at] + text[at : at + length] + text[at:]
            case 5:
                text = text[at:] + text[:at]
        if not text:
            return "."
    return text


def is_good(text: str) -> bool:
    try:
        return jwt.read(text).is_signed_with(SECRET)
    except ValueError:
        return False


# --- where a token stands for a credential -------------------------------------------------------------------------


def test_only_keys_that_sign_can_have_signed() -> None:
    signing = {kind for kind, rules in RULES.items() if rules.jwt_scope}
    assert {RULES[kind].id_prefix for kind in signing} == {"act_", "svc_", "app_", "int_"}
    for kind, rules in RULES.items():
        text = pyjwt.encode({"scope": "x"}, SECRET.reveal(), headers={"kid": f"{rules.id_prefix}{'0' * 24}"})
        assert bool(jwt.refs(text)) is (kind in signing)


def test_what_must_be_read_is_the_key_it_names_and_nothing_for_what_is_none() -> None:
    assert jwt.refs(token()) == (KeyRef(KEY_ID),)
    for text in ("", "x", "a.b.c", token()[:-1], f"{token()}=", f"{token()}.x", "kw_live_x", SECRET.reveal()):
        assert jwt.refs(text) == ()


def test_whatever_is_written_as_a_json_web_token_is_known_as_one() -> None:
    others = pyjwt.encode({}, "s" * 64, algorithm="HS512", headers={"crit": [], "kid": "x"})
    for text in (token(), token(exp=0), others, others.rpartition(".")[0] + ".", f"{token()}x"):
        assert jwt.is_compact(text)
    header, _, _ = token().split(".")
    bearer = f"1000.{'0' * 32}.{'0' * 32}"
    for text in (
        "",
        ".",
        "..",
        "a.b.c",
        header,
        f"{header}.x",
        f"{header}.x.y.z",
        bearer,
        "e30.e30.e30",
        "kw_x",
        "\ud800..",
        "é.b.c",
    ):
        assert not jwt.is_compact(text)


# --- the verdict ---------------------------------------------------------------------------------------------------


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app()).ref)


def signed(issued: Issued, **claims: Any) -> str:
    """Claiming the scope of the key's kind, unless `claims` have another."""
    payload = {"scope": issued.key.rules.jwt_scope, **claims}
    return pyjwt.encode(payload, issued.token.reveal(), headers={"kid": issued.key.id})


def verdict(world: World, text: str) -> Verified:
    refs = jwt.refs(text)
    return jwt.verify(world.desk, world.tenant, text, world.desk.store.read(*refs) if refs else Reading({}))


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        (KeyKind.ACCOUNT_SECRET, "account"),
        (KeyKind.SERVICE_ACCOUNT_SECRET, "account"),
        (KeyKind.APP_SECRET, "app"),
        (KeyKind.INTEGRATION_SECRET, "integration"),
    ],
)
def test_a_signed_token_is_valid_in_the_scope_of_its_key(world: World, kind: KeyKind, scope: str) -> None:
    app = world.app()
    owners = {KeyKind.APP_SECRET: app.ref, KeyKind.INTEGRATION_SECRET: world.integration(app).ref}
    issued = world.issue(kind, owners.get(kind, world.operator.ref), scopes=("app:7",))
    found = verdict(world, signed(issued))
    assert (found.valid, found.reason, found.scope) == (True, None, scope)
    assert found.grant is not None
    assert (found.grant.key_id, found.grant.owner, found.grant.scopes) == (issued.key.id, issued.key.owner, ("app:7",))
    for other in {"account", "app", "integration", "user", "appUser", ""} - {scope}:
        assert verdict(world, signed(issued, scope=other)) == Verified(Flaw.WRONG_SCOPE)


@pytest.mark.parametrize(
    ("token_ends", "key_ends", "ends"),
    [(None, None, None), (9, None, 9_000), (None, 9_500, 9_500), (9, 9_500, 9_000), (10, 9_500, 9_500)],
)
def test_it_ends_with_its_own_time_or_its_keys_whichever_comes_first(
    world: World, fakes: Fakes, token_ends: int | None, key_ends: int | None, ends: int | None
) -> None:
    second = fakes.clock.ms // 1000
    now_ms = second * 1000
    expiry = {} if key_ends is None else {"expires_at_ms": now_ms + key_ends}
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref, **expiry)
    claims = {} if token_ends is None else {"exp": second + token_ends}
    assert verdict(world, signed(issued, **claims)).expires_at_ms == (None if ends is None else now_ms + ends)


ENDS: dict[Reason, Callable[[World, Issued], object]] = {
    Reason.UNKNOWN: lambda world, issued: lifecycle.delete(world.desk, world.principal, issued.key),
    Reason.REVOKED: lambda world, issued: lifecycle.revoke(world.desk, world.principal, issued.key),
    Reason.DISABLED: lambda world, issued: lifecycle.disable(world.desk, world.principal, issued.key),
    Reason.EXPIRED: lambda world, issued: world.expire(issued.key),
}


@pytest.mark.parametrize("reason", ENDS)
def test_a_token_ends_with_its_key_whether_or_not_the_vault_answers(
    world: World, fakes: Fakes, issued: Issued, reason: Reason
) -> None:
    text = signed(issued)
    ENDS[reason](world, issued)
    assert verdict(world, text) == Verified(reason)
    fakes.vault.down = True
    refused = verdict(world, text)
    assert (refused, refused.known) == (Verified(reason), None)


@pytest.mark.parametrize("reason", sorted(ENDS.keys() - {Reason.UNKNOWN}))
def test_of_a_key_that_is_over_is_known_only_what_did_sign(world: World, issued: Issued, reason: Reason) -> None:
    """Whoever knows the key's public id can write a token in its name."""
    text = signed(issued)
    ENDS[reason](world, issued)
    key = world.key(issued.key.id)
    assert verdict(world, text).known == Grant.of(key, key.newest)
    header, payload, _ = text.split(".")
    forged = verdict(world, f"{header}.{payload}.")
    assert (forged, forged.known) == (Verified(reason), None)


def test_the_vault_is_asked_once_and_only_for_what_nothing_else_refuses(
    world: World, another_world: World, fakes: Fakes, issued: Issued
) -> None:
    foreign = another_world.issue(KeyKind.APP_SECRET, another_world.app().ref)
    second = fakes.clock.ms // 1000
    for text, reason in (
        ("x", Flaw.MALFORMED),
        (token(), Reason.UNKNOWN),
        (signed(foreign), Reason.UNKNOWN),
        (signed(issued, scope="app"), Flaw.WRONG_SCOPE),
        (signed(issued, exp=second), Flaw.TOKEN_EXPIRED),
        (signed(issued, nbf=second + 61), Flaw.TOKEN_NOT_YET_VALID),
    ):
        assert verdict(world, text) == Verified(reason)
    assert fakes.vault.revealed == []
    header, payload, _ = signed(issued).split(".")
    assert verdict(world, f"{header}.{payload}.") == Verified(Flaw.WRONG_SIGNATURE)
    assert verdict(world, signed(issued)).valid
    assert [each.key_id for each in fakes.vault.revealed] == [issued.key.id] * 2


def test_a_token_whose_key_is_not_there_is_judged_unknown_and_the_vault_is_not_asked(
    world: World, fakes: Fakes
) -> None:
    assert jwt.judge(world.desk, jwt.read(token()), None) is Reason.UNKNOWN
    assert fakes.vault.revealed == []


def test_the_operator_behind_an_accounts_key_must_be_enabled(world: World) -> None:
    person = world.add_operator()
    for kind in (KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET):
        text = signed(world.issue(kind, person.ref))
        assert verdict(world, text).valid
        person = registry.change(world.desk, world.principal, person, {"enabled": False})
        assert verdict(world, text) == Verified(Reason.OWNER_NOT_ELIGIBLE)
        person = registry.change(world.desk, world.principal, person, {"enabled": True})


def test_while_the_vault_is_down_a_token_is_neither_good_nor_bad(world: World, fakes: Fakes, issued: Issued) -> None:
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        verdict(world, signed(issued))


def test_the_verdict_does_not_show_the_secret(world: World, issued: Issued) -> None:
    assert issued.token.reveal() not in repr(verdict(world, signed(issued)))


def test_a_token_is_refused_from_where_its_key_may_not_be_used_and_over_its_limit(world: World) -> None:
    limited = {"allowed_cidrs": ("192.0.2.0/24",), "quota": Quota(1, Every.DAY)}
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref, **limited)
    text = signed(issued)
    reading = world.desk.store.read(*jwt.refs(text))

    def used_from(address: str) -> Verified:
        return jwt.verify(world.desk, world.tenant, text, reading, Use(address))

    assert used_from("198.51.100.7") == Verified(Reason.ADDRESS_NOT_ALLOWED)
    assert used_from("192.0.2.7").valid
    over = used_from("192.0.2.7")
    assert (over.reason, over.spending is not None) == (Reason.QUOTA_EXCEEDED, True)
