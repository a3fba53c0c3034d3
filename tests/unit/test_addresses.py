from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright import addresses


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("10.0.0.1", "10.0.0.1/32"),
        ("2001:DB8:0:0::/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_a_range_has_one_spelling(given: str, kept: str) -> None:
    assert addresses.canonical_range(given) == kept
    assert addresses.canonical_range(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0",
        "010.0.0.0/8",
        "10.0.0.0/8 ",
        "10.0.0.0/-1",
        "fe80::%eth0/64",
        "::ffff:10.0.0.0/104",
        "::ffff:10.0.0.1",
        "\u0661\u0660.0.0.0/8",
        "localhost",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of whatever words
        addresses.canonical_range(text)


def test_ranges_come_once_each_in_their_order() -> None:
    assert addresses.canonical_ranges(["::1", "10.0.0.1", "10.0.0.1/32"]) == ("::1/128", "10.0.0.1/32")


def test_without_ranges_every_address_is_allowed_and_so_is_none() -> None:
    assert addresses.allows((), "203.0.113.7")
    assert addresses.allows((), None)


@pytest.mark.parametrize("address", [None, "", "x", "10.0.0.1/32", "fe80::1%eth0", "10.0.0.1, 10.0.0.2"])
def test_with_ranges_what_is_no_address_is_not_allowed(address: str | None) -> None:
    assert not addresses.allows(("0.0.0.0/0", "::/0"), address)


def test_an_ipv4_address_in_the_clothes_of_ipv6_is_the_ipv4_address() -> None:
    assert addresses.allows(("10.0.0.0/8",), "::ffff:10.1.2.3")
    assert not addresses.allows(("::/0",), "::ffff:10.1.2.3")
    assert addresses.canonical_address("::FFFF:10.1.2.3") == "10.1.2.3"


@given(
    networks=st.lists(
        st.one_of(
            st.builds(lambda a, p: IPv4Network((a, p), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)),
            st.builds(
                lambda a, p: IPv6Network((a, p), strict=False), st.integers(2**125, 2**128 - 1), st.integers(0, 128)
            ),
        ),
        min_size=1,
        max_size=5,
    ),
    address=st.one_of(
        st.builds(IPv4Address, st.integers(0, 2**32 - 1)), st.builds(IPv6Address, st.integers(2**125, 2**128 - 1))
    ),
)
def test_an_address_is_allowed_where_one_of_the_networks_holds_it(
    networks: list[IPv4Network | IPv6Network], address: IPv4Address | IPv6Address
) -> None:
    ranges = addresses.canonical_ranges(map(str, networks))
    inside = any(address.version == network.version and address in network for network in networks)
    assert addresses.allows(ranges, str(address)) is inside
