"""Where a service answers."""

from __future__ import annotations

from typing import Final, NamedTuple, Self
from urllib.parse import urlsplit

_SUFFIXES: Final = {"cn": "amazonaws.com.cn", "us-gov": "amazonaws.com"}
_COMMERCIAL: Final = frozenset({"af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"})
_PORTS: Final = {"http": 80, "https": 443}


def regional(service: str, region: str) -> str:
    """The address of a service in a region of AWS, of AWS China or of AWS GovCloud.

    Raises ValueError for a region of any other partition: the suffixes of those are not known here, and a wrong guess
    would send requests to a stranger.
    """
    area, _, rest = region.rpartition("-")[0].rpartition("-")
    if not (rest.isalpha() and region.replace("-", "").isalnum() and region.isascii()):
        raise ValueError(f"{region} is no region")
    if (suffix := "amazonaws.com" if area in _COMMERCIAL else _SUFFIXES.get(area)) is None:
        raise ValueError(f"no address of {service} is known for {region}: name it, or let boto3 find it")
    return f"https://{service}.{region}.{suffix}"


class Endpoint(NamedTuple):
    """`authority` is what the Host header says: the port only where the scheme does not imply it."""

    secure: bool
    host: str
    port: int
    authority: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises ValueError for what is no bare ``http://host[:port]`` or ``https://host[:port]``."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname or not parts.hostname.isascii():
            raise ValueError("an endpoint is http:// or https:// and a host")
        if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
            raise ValueError("an endpoint has a host, perhaps a port, and no more")
        implied = _PORTS[parts.scheme]
        port = implied if parts.port is None else parts.port
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(parts.scheme == "https", parts.hostname, port, name if port == implied else f"{name}:{port}")
