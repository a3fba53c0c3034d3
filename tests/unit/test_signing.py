"""botocore's signer is the judge: the same request under the same credentials bears the same signature."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock

import botocore.auth
import botocore.credentials
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from keywright.adapters.endpoints import Endpoint
from keywright.adapters.signing import Credentials, Signer

TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)
SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=40)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
TARGETS = st.from_regex(r"[A-Za-z_0-9]{1,30}\.[A-Za-z]{1,30}", fullmatch=True)
CREDENTIALS = st.builds(Credentials, TEXT, SECRETS, st.none() | TEXT)
HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z][a-z0-9]{0,5}){0,3}", fullmatch=True)
URLS = st.builds(
    lambda scheme, host, port: f"{scheme}://{host}{'' if port is None else f':{port}'}",
    st.sampled_from(["http", "https"]),
    HOSTS | st.sampled_from(["127.0.0.1", "[::1]", "dynamodb.eu-west-1.amazonaws.com"]),
    st.none() | st.sampled_from([80, 443]) | st.integers(1, 65535),
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59), timezones=st.just(UTC))  # noqa: DTZ001


def by_botocore(
    credentials: Credentials, service: str, region: str, url: str, kind: str, target: str, payload: bytes, at: datetime
) -> dict[str, str]:
    request = AWSRequest("POST", f"{url}/", {"Content-Type": kind, "X-Amz-Target": target}, payload)
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials(credentials.access_key, credentials.secret_key, credentials.session_token),
        service,
        region,
    )
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=at.replace(tzinfo=None)):
        signer.add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in {"Content-Type", "X-Amz-Target"}}


def by_us(signer: Signer, credentials: Credentials, target: str, payload: bytes, at: datetime) -> dict[str, str]:
    lines = signer.headers(credentials, target, payload, at.timestamp()).split("\r\n")
    assert lines.pop() == ""
    return dict(line.split(": ", 1) for line in lines)


@given(
    credentials=CREDENTIALS,
    service=NAMES,
    region=NAMES,
    url=URLS,
    kind=st.sampled_from(["application/x-amz-json-1.0", "application/x-amz-json-1.1"]),
    target=TARGETS,
    payload=st.binary(max_size=2000),
    at=MOMENTS,
)
def test_a_signature_is_botocores(
    credentials: Credentials, service: str, region: str, url: str, kind: str, target: str, payload: bytes, at: datetime
) -> None:
    signer = Signer(service, region, Endpoint.of(url).authority, kind)
    assert by_us(signer, credentials, target, payload, at) == by_botocore(
        credentials, service, region, url, kind, target, payload, at
    )


@given(
    requests=st.lists(
        st.tuples(
            st.sampled_from([Credentials("a", "s"), Credentials("b", "s", "t"), Credentials("a", "other")]), MOMENTS
        ),
        min_size=2,
        max_size=6,
    )
)
def test_one_signer_signs_on_through_new_days_and_new_credentials(requests: list[tuple[Credentials, datetime]]) -> None:
    url = "https://kms.eu-west-1.amazonaws.com"
    signer = Signer("kms", "eu-west-1", Endpoint.of(url).authority, "application/x-amz-json-1.1")
    for credentials, at in requests:
        assert by_us(signer, credentials, "TrentService.Encrypt", b"{}", at) == by_botocore(
            credentials, "kms", "eu-west-1", url, "application/x-amz-json-1.1", "TrentService.Encrypt", b"{}", at
        )


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("key\r\nX-Amz-Target: other", "s"),
        Credentials("key", "s", "token\n"),
        Credentials("key", "s", "to ken"),
        Credentials("kéy", "s"),
    ],
)
def test_credentials_that_would_be_another_header_are_refused_unquoted(credentials: Credentials) -> None:
    signer = Signer("kms", "eu-west-1", "kms.eu-west-1.amazonaws.com", "application/x-amz-json-1.1")
    with pytest.raises(ValueError, match=r"^the credentials hold characters that no header can$"):
        signer.headers(credentials, "TrentService.Encrypt", b"{}", 0)


def test_credentials_and_signer_show_no_secret() -> None:
    credentials = Credentials("access", "the-secret", "the-token")
    signer = Signer("kms", "eu-west-1", "host", "application/x-amz-json-1.1")
    signer.headers(credentials, "TrentService.Encrypt", b"{}", 0)
    shown = f"{credentials!r} {signer!r} {vars(signer)!r}"
    assert "access" in shown
    assert "the-secret" not in shown
    assert "the-token" not in shown
