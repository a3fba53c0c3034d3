"""The console of SupportCenter Plus: one page, its script, style and icon, and how they are handed out.

Anybody may have these files. They hold no data, and the function that hands them out may read none: what the page
shows, its script asks of the endpoints, with the key of the administrator who typed it in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

from aws_lambda_powertools.event_handler import Response

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
    # A browser that knows these takes no text for markup or code, not even from the page's own script.
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Whatever gets into the page by mistake, it can load nothing, run nothing and send nothing elsewhere."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
MEDIA_TYPES: Final = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}


def file(name: str) -> Callable[[], Response[str]]:
    """What answers with one of the files beside this module."""
    content_type = f"{MEDIA_TYPES[name.rpartition('.')[2]]}; charset=utf-8"
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")

    def hand_out() -> Response[str]:
        return Response(200, content_type, text, HEADERS)

    return hand_out
