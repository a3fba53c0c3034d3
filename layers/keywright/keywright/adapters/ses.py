"""Mailer over Amazon SES, API version 2.

The mail is of the kind ``Simple``: subject and text are members of the request, and SES makes the headers. What could
be a further header or recipient is refused here all the same, whoever let it pass before.

SES has no token against doubles: a mail that was sent again because the answer was lost may come twice, and the
receiver has the same key twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.mail import (
    LINK_SUBJECT,
    WARNING,
    Letter,
    Warned,
    WarningLetter,
    is_one_address,
    is_one_line,
    link_text,
)
from keywright.tokens import Token


class SesMailer:
    """`connect` gives the client, and is first asked when there is something to send: few functions mail, and loading
    the client takes longer than all else that they do."""

    def __init__(
        self,
        connect: Callable[[], JsonService],
        letter: Letter,
        configuration_set: str = "",
        warning: WarningLetter = WARNING,
    ) -> None:
        self._connect = connect
        self._letter = letter
        self._warning = warning
        self._configuration_set = configuration_set

    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        if not is_one_address(to) or not is_one_line(owner_name):
            raise errors.MailNotSent
        self._send(to, self._letter.subject, self._letter.text_for(token, owner_name))

    def send_link(self, url: Token, *, to: str, until_ms: int) -> None:
        if not is_one_address(to):
            raise errors.MailNotSent
        self._send(to, LINK_SUBJECT, link_text(url, until_ms))

    def send_warning(self, warning: Warned, *, to: str) -> None:
        if not is_one_address(to):
            raise errors.MailRefused(code="NotAnAddress")
        self._send(to, self._warning.subject, self._warning.text_for(warning))

    def _send(self, to: str, subject: str, text: str) -> None:
        request: dict[str, Any] = {
            "FromEmailAddress": self._letter.sender,
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": _utf8(subject), "Body": {"Text": _utf8(text)}}},
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            self._connect().call("SendEmail", request)
        except (ServiceError, Unreachable) as failure:
            if isinstance(failure, ServiceError) and failure.code in _REFUSALS:
                raise errors.MailRefused(code=failure.code) from failure
            raise errors.MailNotSent from failure


_REFUSALS: Final = frozenset(
    {
        "AccountSuspendedException",
        "BadRequestException",
        "MailFromDomainNotVerifiedException",
        "MessageRejected",
        "NotFoundException",
        "SendingPausedException",
    }
)
"""What SES says where the same mail will fare no better until somebody has put something right."""


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
