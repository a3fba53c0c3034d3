"""What verification reads, and what it says: frozen values, as in `keywright.model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from keywright import errors
from keywright.kinds import RULES, KeyKind, KeyRules, OwnerRef
from keywright.limits import Quota, RateLimit, Spending

if TYPE_CHECKING:
    from keywright.model import Key, Owner, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the row of one token says: all that verification needs, without the secret."""

    key_id: str
    kind: KeyKind
    owner: OwnerRef
    version: int
    enabled: bool
    revoked: bool
    scopes: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    retires_at_ms: int | None = None
    pairing_digest: str | None = None
    creator_id: str = ""
    issued_at_ms: int | None = None
    external_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed_cidrs: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    quota: Quota | None = None
    cache_seconds: int = 0

    @classmethod
    def of(cls, key: Key, version: Version) -> Grant:
        return cls(
            key_id=key.id,
            kind=key.kind,
            owner=key.owner,
            version=version.number,
            enabled=key.enabled and version.enabled,
            revoked=key.revoked_at_ms is not None,
            expires_at_ms=key.expires_at_ms,
            retires_at_ms=version.retires_at_ms,
            scopes=key.scopes,
            pairing_digest=key.pairing_digest,
            creator_id=key.creator.id,
            issued_at_ms=version.created_at_ms,
            external_id=key.external_id,
            metadata=key.metadata,
            allowed_cidrs=key.allowed_cidrs,
            rate_limit=key.rate_limit,
            quota=key.quota,
            cache_seconds=key.cache_seconds,
        )

    @property
    def rules(self) -> KeyRules:
        return RULES[self.kind]

    @property
    def works_until_ms(self) -> int | None:
        """When the token stops, as things stand: with its key, or before it, if it is a former secret; None: never."""
        return min((ms for ms in (self.expires_at_ms, self.retires_at_ms) if ms is not None), default=None)

    def refusal(self, now_ms: int) -> Reason | None:
        """Why this token opens nothing at `now_ms`, or None. A former secret whose overlap is over is unknown, as it
        is once the sweep has taken its row away: no verdict depends on that."""
        if self.retires_at_ms is not None and self.retires_at_ms <= now_ms:
            return Reason.UNKNOWN
        if self.revoked:
            return Reason.REVOKED
        if not self.enabled:
            return Reason.DISABLED
        if self.expires_at_ms is not None and self.expires_at_ms <= now_ms:
            return Reason.EXPIRED
        return None


class Reason(StrEnum):
    """Why a verification failed."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER_NOT_ELIGIBLE = "owner_not_eligible"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"


@dataclass(frozen=True, slots=True)
class Verification:
    """A refused verification is a result, not an error.

    Only a valid token has a `grant`, and an `owner` where the rules of its kind look at that one. `cause` says more of
    a refusal, where there is more to say: what the owner lacks, or that nothing was shown that could be a credential.
    `spending` is there where the key has limits and they were asked. `known` is what there is about a token of the
    tenant's, whether it is valid or not: for the tenant's own records, and never to open anything.
    """

    reason: Reason | None
    grant: Grant | None = None
    owner: Owner | None = None
    cause: type[errors.KeywrightError] | None = None
    spending: Spending | None = None
    known: Grant | None = field(default=None, compare=False)

    @property
    def valid(self) -> bool:
        return self.reason is None

    def told(self, *, says_why: bool) -> Grant | None:
        """What may be said of the key: of a good one everything, of another only to those who may know why it is
        refused, and of one that is unknown nothing, whatever is known of it."""
        if self.grant is not None:
            return self.grant
        return self.known if says_why and self.reason is not Reason.UNKNOWN else None
