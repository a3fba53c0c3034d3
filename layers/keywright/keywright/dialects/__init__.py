"""One package a wire. Each knows the core and the edge, and never another dialect.

``wire.py`` holds the shapes, ``refusals.py`` the one table from error to answer, ``credentials.py`` how callers are
recognised, and the package itself the `Surface` that the edge works with.

A service behind Keywright is called in a dialect too. It has the native API verify the credentials that it is given,
and sends on what its callers understand. For that a package holds

- ``KEY_KINDS``: the kinds of key that are credentials in the dialect;
- ``verification_refusal(style, verification, **context)``: the vendor's refusal, as a response;
- where the dialect has several styles, ``STYLES``: their names;
- where it is known in which headers and parameters a credential comes, ``presented(style, carried)``: the one that they
  hold. It raises CredentialsMissing;
- where a good key is not good for all of the vendor's addresses, ``allows(grant, uri)``: whether it is for this one.
  Where it is not, the verification that is to be refused has ScopeMissing for its cause.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from keywright import errors
from keywright.model import Reason, Verification


@dataclass(frozen=True, slots=True)
class Carried:
    """What of a request may hold a credential, as it came: headers and parameters with all their values, the names of
    headers in lower case. Or just the `token`, where somebody else took it out."""

    headers: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)


def over_limit(verification: Verification) -> errors.TooManyRequests | None:
    """The refusal of a good key that was used too much; None for whatever else a verification is refused for."""
    if verification.reason not in {Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED}:
        return None
    wait = None if verification.spending is None else verification.spending.retry_after_seconds
    return errors.TooManyRequests() if wait is None else errors.TooManyRequests(retry_after_seconds=wait)


def package(name: str) -> ModuleType:
    """The dialect of that name, loaded when it is asked for: so no dialect imports another."""
    return importlib.import_module(f"{__name__}.{name}")
