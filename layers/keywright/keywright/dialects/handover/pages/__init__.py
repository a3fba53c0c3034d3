"""The pages behind a one-time link: plain, without a script, never kept by anybody on the way."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from importlib.resources import files
from string import Template
from typing import Final

from aws_lambda_powertools.event_handler import Response

from keywright.model import Key, Link
from keywright.tokens import Token

HTML: Final = "text/html; charset=utf-8"


def _file(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


_STYLE: Final = _file("style.css")
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The page may use its own style and send its form home, and nothing else."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_LAYOUT: Final = Template(_file("layout.html"))
_CONTENTS: Final = {
    name: Template(_file(f"{name}.html")) for name in ("missing", "opened", "revealed", "unable", "waiting")
}


def waiting(link: Link) -> Response[str]:
    return _page(HTTPStatus.OK, "A key is waiting for you", "waiting", until=_moment(link.expires_at_ms))


def revealed(key: Key, token: Token) -> Response[str]:
    return _page(HTTPStatus.OK, "Your key", "revealed", secret=token.reveal(), key_id=key.id)


def opened(at_ms: int | None) -> Response[str]:
    at = "" if at_ms is None else f" on {_moment(at_ms)} UTC"
    return _page(HTTPStatus.GONE, "This link was opened already", "opened", at=at)


def missing(status: HTTPStatus = HTTPStatus.NOT_FOUND) -> Response[str]:
    return _page(status, "This link leads nowhere", "missing")


def unable(status: HTTPStatus, **headers: str) -> Response[str]:
    page = _page(status, "Try again", "unable")
    page.headers.update(headers)
    return page


def _page(status: HTTPStatus, title: str, name: str, **values: str) -> Response[str]:
    content = _CONTENTS[name].substitute({key: escape(value) for key, value in values.items()})
    return Response(status.value, HTML, _LAYOUT.substitute(title=title, style=_STYLE, content=content), {**HEADERS})


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
