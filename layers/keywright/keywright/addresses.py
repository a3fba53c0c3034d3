"""Addresses that a key may be used from: IPv4 and IPv6 ranges in CIDR notation, in one canonical spelling each.

An IPv4 address that is written as an IPv6 one (``::ffff:192.0.2.1``, RFC 4291 2.5.5.2) is the IPv4 address: a listener
on both protocols shows every IPv4 caller so. Hence a range of such addresses could never match, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

MOST_RANGES = 50


def canonical_range(text: str) -> str:
    """A range in its canonical spelling; of a bare address, the range of that one address. Raises ValueError for what
    is no range, for one whose address has bits beyond its prefix, as it is unclear what is meant, and for a zone."""
    from ipaddress import IPv6Network, ip_network  # noqa: PLC0415  loaded only where a key has such a list

    if "%" in text or not text.isascii() or text != text.strip():
        raise ValueError("no range of addresses")
    network = ip_network(text, strict=True)
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None and network.prefixlen >= 96:
        raise ValueError("write it as a range of IPv4")
    return str(network)


def canonical_ranges(texts: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order given. Raises ValueError."""
    return tuple(dict.fromkeys(map(canonical_range, texts)))


def canonical_address(text: str) -> str:
    """Raises ValueError."""
    return str(_address(text))


def allows(ranges: tuple[str, ...], address: str | None) -> bool:
    """Whether the address lies within one of the ranges. Where there are ranges, no address, or one that is none, does
    not."""
    if not ranges:
        return True
    if address is None:
        return False
    try:
        found = _address(address)
    except ValueError:
        return False
    return any(found.version == network.version and found in network for network in _networks(ranges))


def _address(text: str) -> IPv4Address | IPv6Address:
    from ipaddress import IPv6Address, ip_address  # noqa: PLC0415

    if "%" in text:
        raise ValueError("a zone means something on one host only")
    found = ip_address(text)
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


@lru_cache(maxsize=1024)
def _networks(ranges: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    from ipaddress import ip_network  # noqa: PLC0415

    return tuple(map(ip_network, ranges))
