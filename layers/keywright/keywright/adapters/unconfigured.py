"""What stands in where the installation has not configured a service."""

from __future__ import annotations

from keywright import errors
from keywright.tokens import Token


class NoMailer:
    """No sender address is configured, so no mail leaves; the key stands, and the caller is told."""

    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        raise errors.MailNotSent
