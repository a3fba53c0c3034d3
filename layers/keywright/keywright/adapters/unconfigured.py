"""What stands in where the installation has not configured a service."""

from __future__ import annotations

from keywright import errors
from keywright.mail import Warned
from keywright.tokens import Token


class NoMailer:
    """No sender address is configured, so no mail leaves; the key stands, and the caller is told."""

    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        raise errors.MailNotSent

    def send_link(self, url: Token, *, to: str, until_ms: int) -> None:
        raise errors.MailNotSent

    def send_warning(self, warning: Warned, *, to: str) -> None:
        """Nobody waits for it; it stands in the audit and goes over the bus all the same."""
