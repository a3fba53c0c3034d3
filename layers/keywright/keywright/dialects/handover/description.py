"""What OpenAPI says of one-time links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from keywright import errors
from keywright.description import OURS, TEXT, Answer, Asked, Operation, Security, by_status, refusing_headers
from keywright.dialects.handover.refusals import status_of

TITLE: Final = "One-time links"
SECURITY_SCHEMES: Final[Mapping[str, Mapping[str, str]]] = {}
PATH_PARAMETERS: Final = {"token": Annotated[str, Field(pattern="^[0-9A-Za-z]{43}$")]}
NAMES: Final[Mapping[str, Mapping[str, str]]] = {}
_PAGE: Final = {"text/html": TEXT}
_PAGES: Final = {"show_link": "A button that shows the key", "open_link": "The key, this once"}


def security(operation: Operation) -> Security:
    """Whoever has the link may open it."""
    return []


def asked(operation: Operation) -> Asked:
    return Asked()


def answers(operation: Operation) -> Mapping[int, Answer]:
    refusals = (errors.LinkNotFound, errors.LinkOpened, errors.Conflict, *OURS)
    told = by_status(refusals, status_of, lambda refusal: refusal.message)
    refused = {status.value: Answer(words, _PAGE, refusing_headers(status)) for status, words in told.items()}
    return {200: Answer(_PAGES[operation.name], _PAGE), **refused}
