"""Everything that can go wrong, named once.

An error here knows no wire and no status code: every dialect has one table (its ``refusals.py``) that turns the
class into its own answer, and a test multiplies all classes by all dialects. `message` is public and says nothing
about the data of anybody; what an operator of the installation may want to know stands in the chained cause, for
the log alone.
"""

from __future__ import annotations

from typing import ClassVar


class KeywrightError(Exception):
    """The root of all refusals and faults.

    `field` names the part of the request that is at fault, where there is one. `detail` says what would be right, for
    callers whose dialect has room for it, and nothing of what was given.
    """

    message: ClassVar[str] = "The request could not be carried out."

    def __init__(self, *, field: str | None = None, detail: str = "") -> None:
        super().__init__(self.message if field is None else f"{self.message} ({field})")
        self.field = field
        self.detail = detail


class Expected(ValueError):
    """What our own validators of a field raise; the text is the `detail` of the refusal."""


# --- the request as such -------------------------------------------------------------------------------------------


class PathUnknown(KeywrightError):
    message = "There is nothing at this address."


class MethodRefused(KeywrightError):
    message = "This address does not answer to this method."


class ContentTypeRefused(KeywrightError):
    message = "The body's content type is not accepted here."


class BodyTooLarge(KeywrightError):
    message = "The body is larger than 64 kB."


class BodyUnreadable(KeywrightError):
    message = "The body is absent or cannot be read."


class FieldMissing(KeywrightError):
    message = "A required field is missing."


class FieldUnknown(KeywrightError):
    message = "There is no such field."


class FieldInvalid(KeywrightError):
    message = "A field has a wrong type or value."


class TooShort(FieldInvalid):
    message = "A field is too short."


class TooLong(FieldInvalid):
    message = "A field is too long."


class WrongType(FieldInvalid):
    message = "A field has a wrong type."


class SignedToken(FieldInvalid):
    """A JSON Web Token where a token is looked up by its digest: it must be checked instead, with its key's secret."""

    message = "A JSON Web Token is verified in another way."


class IdempotencyKeyReused(KeywrightError):
    """Within 24 hours one key stands for one request: the same method, path and body."""

    message = "The idempotency key was used for another request."


# --- the caller ----------------------------------------------------------------------------------------------------


class CredentialsMissing(KeywrightError):
    message = "Credentials are absent or malformed."


class CredentialsRefused(KeywrightError):
    """`presented` is what was read for the credential, for the audit and nobody else."""

    message = "The credentials are not valid."
    presented: object = None


class ScopeMissing(KeywrightError):
    message = "The credentials do not permit this."


class RoleMissing(KeywrightError):
    message = "The caller's role does not permit this."


class OperatorDisabled(KeywrightError):
    message = "The operator behind the credentials is disabled."


class TooManyRequests(KeywrightError):
    """`retry_after_seconds` is when to come back."""

    message = "Too many requests."

    def __init__(self, *, retry_after_seconds: int = 1) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


# --- what the request is about -------------------------------------------------------------------------------------


class TenantNotFound(KeywrightError):
    message = "There is no such tenant."


class TenantExists(KeywrightError):
    message = "There is such a tenant already."


class OwnerNotFound(KeywrightError):
    message = "There is no such owner."


class AppNotFound(OwnerNotFound):
    message = "There is no such app."


class IntegrationNotFound(OwnerNotFound):
    message = "There is no such integration."


class ChannelNotFound(OwnerNotFound):
    message = "There is no such channel."


class SupportRepNotFound(OwnerNotFound):
    message = "There is no such support rep."


class OperatorNotFound(OwnerNotFound):
    message = "There is no such operator."


class OwnerExists(KeywrightError):
    message = "There is such an owner already."


class OwnerNotEligible(KeywrightError):
    message = "The owner may not have a key of this kind."


class LoginNotEnabled(OwnerNotEligible):
    message = "Login is not enabled for the support rep."


class RoleNotAssigned(OwnerNotEligible):
    message = "No role is assigned to the support rep."


class NotCustom(OwnerNotEligible):
    message = "Only custom integrations have keys."


class NotPublished(OwnerNotEligible):
    message = "The app is not published."


class ChannelDisabled(OwnerNotEligible):
    message = "The channel is switched off."


class KeyNotFound(KeywrightError):
    message = "There is no such key."


class KeyExists(KeywrightError):
    message = "The owner has a key already."


class KeyRevoked(KeywrightError):
    message = "The key was revoked, and stays so."


class KeyExpired(KeywrightError):
    message = "The key has expired."


class KeyGoesWithOwner(KeywrightError):
    message = "The key goes with its owner, and is not deleted alone."


class KeyNotRotatable(KeywrightError):
    message = "A key of this kind is not rotated."


class OwnKey(KeywrightError):
    """Whoever has stolen a key must not be able to make it theirs for good."""

    message = "A key cannot rotate itself."


class RotationUnderWay(KeywrightError):
    message = "The key is being rotated: its former secret still works."


class RotationNotUnderWay(KeywrightError):
    message = "No rotation of the key is under way."


class LinkNotFound(KeywrightError):
    """Also of a link that is over or was revoked: whoever has it learns no more of it."""

    message = "There is no such link."


class LinkOpened(KeywrightError):
    """Whom the link was meant for must learn that somebody opened it. `at_ms` is when."""

    message = "The link was opened already."

    def __init__(self, *, at_ms: int | None = None) -> None:
        super().__init__()
        self.at_ms = at_ms


class LimitReached(KeywrightError):
    """`limit` is how many the owner may have."""

    message = "The owner has as many keys as it may have."

    def __init__(self, *, limit: int = 0) -> None:
        super().__init__()
        self.limit = limit


class MailNotSent(KeywrightError):
    message = "The key could not be mailed."


class MailRefused(MailNotSent):
    """It would be refused again: the address, the sender or the account is at fault. `code` is the service's word."""

    def __init__(self, *, code: str = "") -> None:
        super().__init__()
        self.code = code


# --- ourselves -----------------------------------------------------------------------------------------------------


class Conflict(KeywrightError):
    """Somebody else changed the same thing again and again while this change was being tried."""

    message = "The key is being changed by somebody else; try again."


class Unavailable(KeywrightError):
    """The store or the vault did not answer, or not yet. Nothing was decided; the same request may be sent again."""

    message = "Unable for the moment; try again."
    retry_after_seconds = 1


class Fault(KeywrightError):
    message = "Something went wrong on our side."
