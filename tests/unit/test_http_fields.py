from __future__ import annotations

from base64 import b64encode

import pytest

from keywright import errors
from keywright.http_fields import limit_fields, presented, the_one_of
from keywright.limits import Every, Limits, Quota, RateLimit, Spending, Spent
from keywright.verification import Presented

TOKEN = "1000.00000000000000000000000000000000.00000000000000000000000000000000"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZSI6ImFwcCJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", f"Bearer {TOKEN}"),
        ("AUTHORIZATION", f"bearer   {TOKEN}\t"),
        ("authorization", f"Zoho-oauthtoken {TOKEN}"),
        ("authorization", f"Token {TOKEN}"),
        ("X-API-Key", TOKEN),
        ("TECHNICIAN_KEY", f" {TOKEN} "),
    ],
)
def test_a_token_is_found_under_its_scheme_or_alone(name: str, value: str) -> None:
    assert presented(name, value) == Presented.token(TOKEN)


def test_basic_is_a_key_id_with_its_secret_which_may_have_a_colon() -> None:
    value = "Basic " + b64encode(b"app_1:a:b").decode()
    assert presented("authorization", value) == Presented.with_key_id("app_1", "a:b")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", ""),
        ("authorization", "Bearer "),
        ("authorization", TOKEN),
        ("authorization", "Basic " + b64encode(b"\xff:\xff").decode()),
        ("authorization", "Basic " + b64encode(b"app_1:").decode()),
        ("cookie", TOKEN),
    ],
)
def test_what_holds_no_credential_is_none(name: str, value: str) -> None:
    assert presented(name, value) is None


@pytest.mark.parametrize("name", ["x-api-key", "authorization"])
def test_a_jwt_is_not_looked_up(name: str) -> None:
    with pytest.raises(errors.SignedToken):
        presented(name, JWT if name == "x-api-key" else f"Bearer {JWT}")


def test_of_several_fields_the_one_credential_counts_and_two_are_none() -> None:
    assert the_one_of({"accept": ["*/*"], "x-api-key": [TOKEN]}) == Presented.token(TOKEN)
    assert the_one_of({"authorization": [f"Bearer {TOKEN}"], "x-api-key": [TOKEN]}) == Presented.token(TOKEN)
    assert the_one_of({"x-api-key": [TOKEN, TOKEN[:-1] + "1"]}) is None
    assert the_one_of({"accept": ["*/*"]}) is None


def test_limits_are_told_in_the_fields_of_the_draft() -> None:
    limits = Limits(RateLimit(60, 60, 10), Quota(100, Every.DAY))
    now_ms = 1_790_000_000_000
    spent = Spent().after(limits, 10, now_ms)
    assert spent is not None
    left = (limits.quota.window_ms(now_ms)[1] - now_ms) // 1000 if limits.quota else 0
    policy = {"RateLimit-Policy": '"rate";q=10;w=10, "quota";q=100;w=86400'}
    now = {**policy, "RateLimit": f'"rate";r=0;t=10, "quota";r=90;t={left}'}
    assert limit_fields(Spending.allowed(limits, spent, now_ms)) == now
    assert limit_fields(Spending.refused(limits, spent, 1, now_ms)) == {**now, "Retry-After": "1"}
    assert limit_fields(None) == {}
    assert limit_fields(Spending.unaffordable(limits, 11)) == {}
