"""Where the services answer, with botocore's own list as the judge."""

from __future__ import annotations

import botocore.session
import pytest

from keywright.adapters.endpoints import Endpoint, regional

SESSION = botocore.session.Session()
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
REGIONS = [
    (partition, region)
    for partition in PARTITIONS
    for region in SESSION.get_available_regions("dynamodb", partition)
    if region != "local"
]


@pytest.mark.parametrize(("partition", "region"), REGIONS)
@pytest.mark.parametrize("service", ["dynamodb", "kms"])
def test_every_region_has_botocores_address(service: str, partition: str, region: str) -> None:
    client = SESSION.create_client(service, region_name=region, aws_access_key_id="none", aws_secret_access_key="none")
    assert regional(service, region) == client.meta.endpoint_url
    assert client.meta.partition == partition


def test_the_three_partitions_have_their_regions() -> None:
    assert {partition for partition, _ in REGIONS} == set(PARTITIONS)


@pytest.mark.parametrize(
    "region",
    [
        "us-iso-east-1",
        "us-isob-east-1",
        "eu-isoe-west-1",
        "eusc-de-east-1",
        "local",
        "",
        "eu-west-1.evil.example",
        "eu-west-1/",
        "@-a-1",
    ],
)
def test_no_address_is_guessed_for_another_region(region: str) -> None:
    with pytest.raises(ValueError, match=r"region|no address"):
        regional("dynamodb", region)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (
            "https://dynamodb.eu-west-1.amazonaws.com",
            (True, "dynamodb.eu-west-1.amazonaws.com", 443, "dynamodb.eu-west-1.amazonaws.com"),
        ),
        ("https://KMS.example:443/", (True, "kms.example", 443, "kms.example")),
        ("http://127.0.0.1:4566", (False, "127.0.0.1", 4566, "127.0.0.1:4566")),
        ("http://localhost:80", (False, "localhost", 80, "localhost")),
        ("http://localhost:443", (False, "localhost", 443, "localhost:443")),
        ("https://[::1]:8443", (True, "::1", 8443, "[::1]:8443")),
    ],
)
def test_an_endpoint_is_scheme_host_and_port(url: str, endpoint: tuple[bool, str, int, str]) -> None:
    assert Endpoint.of(url) == Endpoint(*endpoint)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:4566",
        "ftp://localhost",
        "https://",
        "https://host/path",
        "https://host?query",
        "https://user@host",
        "https://host#part",
        "https://hóst",
        "https://host:99999",
        "https://host:x",
    ],
)
def test_anything_else_is_no_endpoint(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the last two are refused in the library's words
        Endpoint.of(url)
