"""The mails that SES takes, laid down as files: a mail program opens them, and so does a text editor.

They hold keys in the clear, as mails with keys do; their names do not.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

from local.iam import Call
from local.server import Response

READABLE = SMTPUTF8.clone(linesep="\n", cte_type="8bit")


class Outbox:
    """`say` gets a line for each mail: to whom it goes and where it lies. What lies there from before is taken away,
    as the keys of that run are."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        for old in folder.glob("*.eml"):
            old.unlink()
        self._folder, self._say = folder, say
        self._numbers = itertools.count(1)

    def watch(self, call: Call, answer: Response) -> None:
        """Is told of every call to AWS, and keeps the mails that SES took."""
        if call.operation != "SendEmail" or answer.status != 200:
            return
        simple, to = call.request["Content"]["Simple"], call.request["Destination"]["ToAddresses"]
        mail = EmailMessage(READABLE)
        mail["From"], mail["To"] = call.request["FromEmailAddress"], ", ".join(to)
        mail["Subject"] = simple["Subject"]["Data"]
        mail["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        mail["Message-ID"] = f"<{json.loads(answer.body)['MessageId']}@email.invalid>"
        mail.set_content(simple["Body"]["Text"]["Data"], cte="8bit")
        path = self._folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{next(self._numbers):03}.eml"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(mail.as_bytes())
        self._say(f"Mail to {mail['To']}: {os.path.relpath(path)}")
