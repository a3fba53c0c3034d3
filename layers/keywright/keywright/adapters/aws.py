"""What the adapters need of AWS: one call of a service that speaks JSON.

DynamoDB and KMS have such a wire, and two clients speak it: `keywright.adapters.lean`, which is ours, and
`keywright.adapters.boto`, which is AWS's own and the reference. Neither the store nor the vault can tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class ServiceError(Exception):
    """The service answered, with an error. It says its code and status and nothing else: what the answer quotes of the
    request stays in `body`."""

    def __init__(self, code: str, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{code} ({status})")
        self.code = code
        self.status = status
        self.body = body

    @property
    def response(self) -> Mapping[str, Any]:
        """The code where botocore's errors have it: by this alone the edge tells it to the log."""
        return {"Error": {"Code": self.code}}


class Unreachable(Exception):
    """There was no answer that can be believed, after as many attempts as are made. What was asked for may have been
    done all the same."""


class JsonService(Protocol):
    """One service of AWS, safe to be called from several threads."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one operation, by its name in the service's API ("GetItem").

        A request may hold bytes where the service takes a blob; an answer is as on the wire, a blob as base64 text.
        What failed in passing is tried again, up to three attempts in all, so a request that must not be carried out
        twice has to carry its own token. Raises ServiceError, Unreachable.
        """
