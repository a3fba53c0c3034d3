"""Mailer over Amazon SES, API version 2.

The mail is of the kind ``Simple``: subject and text are members of the request, and SES makes the headers. What could
be a further header or recipient is refused here all the same, whoever let it pass before.

SES has no token against doubles: a mail that was sent again because the answer was lost may come twice, and the
receiver has the same key twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.mail import Letter, is_one_address, is_one_line
from keywright.tokens import Token


class SesMailer:
    """`connect` gives the client, and is first asked when there is something to send: few functions mail, and loading
    the client takes longer than all else that they do."""

    def __init__(self, connect: Callable[[], JsonService], letter: Letter, configuration_set: str = "") -> None:
        self._connect = connect
        self._letter = letter
        self._configuration_set = configuration_set

    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        if not is_one_address(to) or not is_one_line(owner_name):
            raise errors.MailNotSent
        text = self._letter.text_for(token, owner_name)
        request: dict[str, Any] = {
            "FromEmailAddress": self._letter.sender,
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {"Subject": _utf8(self._letter.subject), "Body": {"Text": _utf8(text)}}},
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        try:
            self._connect().call("SendEmail", request)
        except (ServiceError, Unreachable) as failure:
            raise errors.MailNotSent from failure


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
