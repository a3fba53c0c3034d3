"""Started by the table's stream: mails an owner that a key expires, as the sweep has told it."""

from keywright import bootstrap, warning
from keywright.edge import note_fault
from keywright.streams import EventFollower

handler = EventFollower(
    "mail_warnings", lambda events: warning.mail_warnings(bootstrap.desk(), events, on_failure=note_fault)
)
