"""Key, version, owner, link, event: frozen values and the rules of their lives.

Times are epoch milliseconds in UTC. A method that changes something returns a new value; nothing here reads a clock,
a store or a random source. What a verification needs of the model stands in `keywright.kinds` and `keywright.grants`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from keywright import errors
from keywright.grants import Grant as Grant
from keywright.grants import Reason as Reason
from keywright.grants import Verification as Verification
from keywright.kinds import CHANNEL_ENABLED as CHANNEL_ENABLED
from keywright.kinds import CUSTOM as CUSTOM
from keywright.kinds import DAY_MS as DAY_MS
from keywright.kinds import LOGIN_ENABLED as LOGIN_ENABLED
from keywright.kinds import OPERATOR_ENABLED as OPERATOR_ENABLED
from keywright.kinds import PUBLISHED as PUBLISHED
from keywright.kinds import ROLE_ASSIGNED as ROLE_ASSIGNED
from keywright.kinds import RULES as RULES
from keywright.kinds import KeyKind as KeyKind
from keywright.kinds import KeyRules as KeyRules
from keywright.kinds import KeyState as KeyState
from keywright.kinds import OwnerKind as OwnerKind
from keywright.kinds import OwnerRef as OwnerRef
from keywright.kinds import Requirement as Requirement
from keywright.limits import Quota, RateLimit


class Platform(StrEnum):
    ANDROID = "android"
    IOS = "ios"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer's boundary. Its id is its public short name too."""

    id: str
    name: str
    created_at_ms: int


# --- owners --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whom a key is for. `revision` counts the changes of the owner's own attributes, not of its keys."""

    kind: ClassVar[OwnerKind]

    tenant: str
    id: str
    name: str
    created_at_ms: int
    modified_at_ms: int
    contact: str = ""
    """One e-mail address, for what the owner should know of its keys; empty, nobody is told by mail."""
    revision: int = 1
    leaving: bool = False
    """Whether it is being removed; see `keywright.removal`."""

    @property
    def ref(self) -> OwnerRef:
        return OwnerRef(self.tenant, self.kind, self.id)

    @property
    def reachable_at(self) -> str:
        """The address that warnings of the owner's keys go to."""
        return self.contact

    def changed(self, now_ms: int, **attributes: Any) -> Self:
        return replace(self, **attributes, modified_at_ms=now_ms, revision=self.revision + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Owner):
    """A person or script that manages keys, through any dialect."""

    kind: ClassVar[OwnerKind] = OwnerKind.OPERATOR

    email: str = ""
    enabled: bool = True

    @property
    def reachable_at(self) -> str:
        return self.email


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret under KMS: the ciphertext, and the digest it is recognised by."""

    digest: str
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Owner):
    """An application. `pairing` is the half of a credential that all access keys of its channels share; the app gets it
    with its first channel, under the id `pairing_id`, and keeps it for good."""

    kind: ClassVar[OwnerKind] = OwnerKind.APP

    published: bool = False
    pairing_id: str = ""
    pairing: Sealed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Owner):
    """A mobile channel of an app; its id is ``<app id>:<platform>`` and its name the app's."""

    kind: ClassVar[OwnerKind] = OwnerKind.CHANNEL

    app_id: str
    platform: Platform
    bundle_name: str
    bundle_id: str
    code: str
    creator: Creator
    enabled: bool = True
    components: tuple[str, ...] = ("proactive", "chat", "faq", "call")
    notifications: Mapping[str, str] = field(default_factory=dict)
    test_devices: tuple[Mapping[str, str], ...] = ()

    @staticmethod
    def id_of(app_id: str, platform: Platform) -> str:
        return f"{app_id}:{platform}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration(Owner):
    """An integration of an app; its id is ``<app id>:<integration id>``. Only the type ``custom`` may have keys."""

    kind: ClassVar[OwnerKind] = OwnerKind.INTEGRATION

    app_id: str
    type: str = "custom"

    @staticmethod
    def id_of(app_id: str, integration_id: str) -> str:
        return f"{app_id}:{integration_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportRep(Owner):
    """A support rep, named by the login. `role` is None where none is assigned."""

    kind: ClassVar[OwnerKind] = OwnerKind.SUPPORT_REP

    login_enabled: bool = True
    role: str | None = None
    business_unit: str = ""


OWNERS: Final[Mapping[OwnerKind, type[Owner]]] = MappingProxyType(
    {cls.kind: cls for cls in (Operator, App, Channel, Integration, SupportRep)}
)
OWNER_NOT_FOUND: Final[Mapping[OwnerKind, type[errors.OwnerNotFound]]] = MappingProxyType(
    {
        OwnerKind.OPERATOR: errors.OperatorNotFound,
        OwnerKind.APP: errors.AppNotFound,
        OwnerKind.CHANNEL: errors.ChannelNotFound,
        OwnerKind.INTEGRATION: errors.IntegrationNotFound,
        OwnerKind.SUPPORT_REP: errors.SupportRepNotFound,
    }
)


# --- keys ----------------------------------------------------------------------------------------------------------


LINK_KEPT_MS: Final = 30 * DAY_MS
TRANSIENT_KEPT_MS: Final = DAY_MS
"""How long a transient key is still to be seen after it has expired."""
UNDELETE_WITHIN_MS: Final = 30 * DAY_MS
"""How long a deleted key can be had back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an installation has set for all its keys. `warning_days` are the steps before an expiry at which the owner
    is warned, in whole days; none, it never is. `retention_days` is how long a key is kept after its end."""

    warning_days: tuple[int, ...] = (30, 14, 7, 1)
    retention_days: int = 30

    @classmethod
    def of(cls, warning_days: str, retention_days: str) -> Terms:
        """As settings spell them, the steps separated by commas. Raises ValueError for steps that are not of 1 to 999
        days or are more than ten, and for a retention that is not of 1 to 3650 days."""
        steps = sorted({int(step) for step in warning_days.split(",")} if warning_days else (), reverse=True)
        kept = int(retention_days)
        if len(steps) > 10 or not all(1 <= step <= 999 for step in steps) or not 1 <= kept <= 3650:
            raise ValueError("at most ten warning steps of 1 to 999 days, and a retention of 1 to 3650 days")
        return cls(tuple(steps), kept)


@dataclass(frozen=True, slots=True)
class Creator:
    """Who made something, as it was called then."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One secret of a key. `serial` is a public UUID that some dialects show."""

    number: int
    digest: str
    sealed: bytes = field(repr=False)
    serial: str
    created_at_ms: int
    creator: Creator
    enabled: bool = True
    retires_at_ms: int | None = None
    """Until when a former secret still works; None: as long as the key does."""

    def has_retired(self, now_ms: int) -> bool:
        """A former secret is over in the very millisecond it retires, whether or not the sweep has taken it away."""
        return self.retires_at_ms is not None and self.retires_at_ms <= now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The record, which is not the secret.

    `external_id`, `metadata` and `cache_seconds` are its owner's own: what the owner calls it, what it is to say of
    itself to whoever verifies it, and for how long one of those may go on believing what it read. Of addresses, where
    there are `allowed_cidrs`, only those within are good.

    `versions` run from the oldest that lives to the newest; `last_version` never goes back, so a number is never given
    twice. `pairing_digest` is of what must be presented beside the token. A `transient` key is one of many that come
    and go, as those of a login do: once it has expired, nobody needs it any more. `expiry_set_at_ms` is when its expiry
    was changed last, None if never, and `warned_days` the last step of which its owner was warned since.
    """

    id: str
    kind: KeyKind
    owner: OwnerRef
    creator: Creator
    created_at_ms: int
    modified_at_ms: int
    versions: tuple[Version, ...]
    last_version: int
    description: str = ""
    scopes: tuple[str, ...] = ()
    enabled: bool = True
    expires_at_ms: int | None = None
    expiry_set_at_ms: int | None = None
    warned_days: int | None = None
    expiry_marked_at_ms: int | None = None
    revoked_at_ms: int | None = None
    revoked_reason: str = ""
    deleted_at_ms: int | None = None
    purged_at_ms: int | None = None
    pairing_digest: str | None = None
    external_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    allowed_cidrs: tuple[str, ...] = ()
    rate_limit: RateLimit | None = None
    quota: Quota | None = None
    cache_seconds: int = 0
    transient: bool = False
    revision: int = 1
    due_at_ms: int | None = field(default=None, compare=False)
    """Where the store has put the key among those that come due: `comes_due_at_ms`, by the terms of then."""

    @property
    def rules(self) -> KeyRules:
        return RULES[self.kind]

    @property
    def tenant(self) -> str:
        return self.owner.tenant

    @property
    def issue_requires(self) -> tuple[Requirement, ...]:
        """What the owner must be for the key to be issued. No key of any kind is issued to a disabled operator."""
        always = (OPERATOR_ENABLED,) if self.owner.kind is OwnerKind.OPERATOR else ()
        return always + self.rules.issue_requires

    @property
    def takes_a_place(self) -> bool:
        """Whether it counts towards its owner's limit."""
        is_over = self.expiry_marked_at_ms is not None and KeyState.EXPIRED not in self.rules.kept_for_good
        return self.is_standing and not is_over and self.rules.limit is not None

    @property
    def is_standing(self) -> bool:
        """Whether it has not been ended by anybody."""
        return self.revoked_at_ms is None and self.deleted_at_ms is None

    @property
    def purge_at_ms(self) -> int | None:
        """When the store may forget the key by itself; None for all that are kept. It is no limit to the key's life."""
        if self.purged_at_ms is not None:
            return self.purged_at_ms
        if not self.transient or self.expires_at_ms is None:
            return None
        return self.expires_at_ms + TRANSIENT_KEPT_MS

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def standing(self) -> tuple[Version, ...]:
        """The versions that there still are; of a revoked key there are none."""
        return () if self.revoked_at_ms is not None else self.versions

    @property
    def retained(self) -> tuple[Version, ...]:
        """The versions that stay when the next one comes."""
        return self.standing[max(0, len(self.standing) + 1 - self.rules.versions_kept) :]

    def state(self, now_ms: int) -> KeyState:
        """A key is over in the very millisecond it expires, whether or not the sweep has marked it."""
        if self.deleted_at_ms is not None:
            return KeyState.DELETED
        if self.revoked_at_ms is not None:
            return KeyState.REVOKED
        if not self.enabled:
            return KeyState.DISABLED
        return KeyState.EXPIRED if self.has_expired(now_ms) else KeyState.ACTIVE

    def has_expired(self, now_ms: int) -> bool:
        """Whether its time is over, whatever else may be said of it."""
        return self.expires_at_ms is not None and self.expires_at_ms <= now_ms

    def working(self, now_ms: int) -> tuple[Version, ...]:
        """The versions that are not over: the current one, and before it a former one while an overlap lasts."""
        return tuple(version for version in self.versions if not version.has_retired(now_ms))

    def former(self, now_ms: int) -> Version | None:
        """The secret that works on beside its successor; None where no rotation is under way."""
        return next((version for version in self.working(now_ms) if version.retires_at_ms is not None), None)

    def can_be_undeleted(self, now_ms: int) -> bool:
        return self.deleted_at_ms is not None and now_ms < self.deleted_at_ms + UNDELETE_WITHIN_MS

    # --- what comes due ----------------------------------------------------------------------------------------------

    def comes_due_at_ms(self, terms: Terms) -> int | None:
        """When the next of the four things comes due that the sweep does: warn, mark as expired, drop a retired
        version, purge. None: never, as things stand."""
        moments = [self.retained_until_ms(terms)]
        if self.is_standing:
            moments += [version.retires_at_ms for version in self.versions]
            if self.expires_at_ms is not None and self.expiry_marked_at_ms is None:
                steps = self._warnings_to_come(terms)
                moments += [self.expires_at_ms, *(self.expires_at_ms - step * DAY_MS for step in steps)]
        return min((moment for moment in moments if moment is not None), default=None)

    def due_warning(self, terms: Terms, now_ms: int) -> int | None:
        """The step of which to warn now: the nearest to the expiry where several have come since the last warning."""
        if self.expires_at_ms is None or not self.is_standing or self.has_expired(now_ms):
            return None
        left_ms = self.expires_at_ms - now_ms
        return min((step for step in self._warnings_to_come(terms) if left_ms <= step * DAY_MS), default=None)

    def retained_until_ms(self, terms: Terms) -> int | None:
        """When a key that is over is to be purged; None where it is not over, or is kept for good."""
        if self.purged_at_ms is not None:
            return None
        ended_at_ms = self.deleted_at_ms
        if ended_at_ms is None and not self.transient:
            # From the mark on, and not from the expiry: if the sweep stood still, there is still time after the event.
            state, ended_at_ms = KeyState.EXPIRED, self.expiry_marked_at_ms
            if self.revoked_at_ms is not None:
                state, ended_at_ms = KeyState.REVOKED, self.revoked_at_ms
            if state in self.rules.kept_for_good:
                return None
        if ended_at_ms is None:
            return None
        kept_ms = terms.retention_days * DAY_MS
        return ended_at_ms + (kept_ms if self.deleted_at_ms is None else max(kept_ms, UNDELETE_WITHIN_MS))

    def _warnings_to_come(self, terms: Terms) -> list[int]:
        """The steps that lie behind the setting of the expiry, and were not taken yet."""
        if self.expires_at_ms is None or self.transient:
            return []
        set_at_ms = self.created_at_ms if self.expiry_set_at_ms is None else self.expiry_set_at_ms
        lead_ms = self.expires_at_ms - set_at_ms
        return [
            step
            for step in terms.warning_days
            if step * DAY_MS < lead_ms and (self.warned_days is None or step < self.warned_days)
        ]

    # --- changes -----------------------------------------------------------------------------------------------------

    def switched(self, enabled: bool, now_ms: int) -> Key:
        """Disabled or enabled. Raises KeyRevoked; a key that is so already is returned as it is."""
        if self.revoked_at_ms is not None:
            raise errors.KeyRevoked
        return self if self.enabled is enabled else self._changed(now_ms, enabled=enabled)

    def revoked(self, reason: str, now_ms: int) -> Key:
        """Ended for good. A key that is revoked already is returned as it is, with its first reason."""
        if self.revoked_at_ms is not None:
            return self
        return self._changed(now_ms, revoked_at_ms=now_ms, revoked_reason=reason)

    def deleted(self, now_ms: int) -> Key:
        """Taken away, with all its tokens; it can be had back for `UNDELETE_WITHIN_MS`."""
        return self._changed(now_ms, deleted_at_ms=now_ms)

    def undeleted(self, now_ms: int) -> Key:
        """As it was before it was deleted; but what came to its end meanwhile stays so."""
        return self._changed(now_ms, deleted_at_ms=None)

    def amended(self, now_ms: int, **attributes: Any) -> Key:
        """With another description, expiry and the like. An expired key with a later expiry, or none, lives again;
        warnings of another expiry start anew."""
        amended = self._changed(now_ms, **attributes)
        if amended.expires_at_ms == self.expires_at_ms:
            return amended
        return replace(amended, expiry_set_at_ms=now_ms, warned_days=None, expiry_marked_at_ms=None)

    def version(self, number: int) -> Version:
        """Raises KeyNotFound for a version that the key never had or no longer has."""
        if found := next((version for version in self.versions if version.number == number), None):
            return found
        raise errors.KeyNotFound

    def version_switched(self, number: int, enabled: bool, now_ms: int) -> Key:
        """With one version enabled or disabled. Raises KeyNotFound; one that is so already changes nothing."""
        if self.version(number).enabled is enabled:
            return self
        versions = (replace(each, enabled=enabled) if each.number == number else each for each in self.versions)
        return self._changed(now_ms, versions=tuple(versions))

    def without_version(self, number: int, now_ms: int) -> Key:
        """With one version gone for good; it may be the last. Raises KeyNotFound."""
        gone = self.version(number)
        return self._changed(now_ms, versions=tuple(each for each in self.versions if each is not gone))

    def marked_expired(self, now_ms: int) -> Key:
        """With a note that its expiry was seen. Nobody changed the key, so it is not modified."""
        return replace(self, expiry_marked_at_ms=now_ms, revision=self.revision + 1)

    def warned(self, days: int) -> Key:
        """With a note of the step that its owner was warned of."""
        return replace(self, warned_days=days, revision=self.revision + 1)

    def without_retired(self, now_ms: int) -> tuple[Key, tuple[Version, ...]]:
        """Without the versions whose time is over, and these."""
        retired = tuple(version for version in self.versions if version.has_retired(now_ms))
        if not retired:
            return self, ()
        standing = tuple(version for version in self.versions if version not in retired)
        return replace(self, versions=standing, revision=self.revision + 1), retired

    def purged(self, now_ms: int) -> Key:
        """What is left of a key when its retention is over: a record without secrets, found by nobody."""
        return replace(self, versions=(), purged_at_ms=now_ms, revision=self.revision + 1)

    def with_version(self, version: Version, now_ms: int) -> Key:
        """The key with its next version, the oldest gone where there are more than its rules keep."""
        if version.number != self.last_version + 1:
            raise ValueError("versions run without a gap")
        return self._changed(now_ms, versions=(*self.retained, version), last_version=version.number)

    def rotated(self, version: Version, retires_at_ms: int | None, now_ms: int) -> Key:
        """With its next secret. The present one works on until `retires_at_ms`, or goes at once where that is None, as
        do all before it."""
        if version.number != self.last_version + 1:
            raise ValueError("versions run without a gap")
        former = () if retires_at_ms is None else (replace(self.newest, retires_at_ms=retires_at_ms),)
        return self._changed(now_ms, versions=(*former, version), last_version=version.number)

    def overlapping(self, retires_at_ms: int, now_ms: int) -> Key:
        """With another end of the overlap. Raises RotationNotUnderWay."""
        former = replace(self._rotated_from(now_ms), retires_at_ms=retires_at_ms)
        return self._changed(now_ms, versions=(former, self.newest))

    def rotation_cancelled(self, now_ms: int) -> Key:
        """Back to the former secret; the new one is gone, and its number with it. Raises RotationNotUnderWay."""
        return self._changed(now_ms, versions=(replace(self._rotated_from(now_ms), retires_at_ms=None),))

    def rotation_finished(self, now_ms: int) -> Key:
        """Without the former secret, before its time. Raises RotationNotUnderWay."""
        self._rotated_from(now_ms)
        return self._changed(now_ms, versions=(self.newest,))

    def _rotated_from(self, now_ms: int) -> Version:
        if (former := self.former(now_ms)) is None:
            raise errors.RotationNotUnderWay
        return former

    def successor(self, id: str, creator: Creator, now_ms: int) -> Key:
        """What takes the place of a revoked key: another key, without a version yet, that goes on counting."""
        return Key(
            id=id,
            kind=self.kind,
            owner=self.owner,
            creator=creator,
            created_at_ms=now_ms,
            modified_at_ms=now_ms,
            versions=(),
            last_version=self.last_version,
            description=self.description,
            scopes=self.scopes,
            pairing_digest=self.pairing_digest,
            external_id=self.external_id,
            metadata=self.metadata,
            allowed_cidrs=self.allowed_cidrs,
            rate_limit=self.rate_limit,
            quota=self.quota,
            cache_seconds=self.cache_seconds,
        )

    def _changed(self, now_ms: int, **attributes: Any) -> Key:
        return replace(self, **attributes, modified_at_ms=now_ms, revision=self.revision + 1)


# --- one-time links ------------------------------------------------------------------------------------------------


class LinkState(StrEnum):
    WAITING = "waiting"
    OPENED = "opened"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class LinkRef:
    """The address of a one-time link."""

    key_id: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A one-time link to one secret of a key. Whoever has its token sees the secret, the first time; the token itself
    is not kept, only its `digest`.

    `email` is where the link was mailed to, empty where it was not; `opened_from` is the network address from which it
    was opened.
    """

    id: str
    key_id: str
    owner: OwnerRef
    version: int
    digest: str
    creator: Creator
    created_at_ms: int
    expires_at_ms: int
    email: str = ""
    opened_at_ms: int | None = None
    opened_from: str = ""
    revoked_at_ms: int | None = None
    revision: int = 1

    @property
    def ref(self) -> LinkRef:
        return LinkRef(self.key_id, self.id)

    @property
    def purge_at_ms(self) -> int:
        """When the store may forget it: 30 days after its time, in which it still tells who opened it."""
        return self.expires_at_ms + LINK_KEPT_MS

    def state(self, now_ms: int) -> LinkState:
        """What became of it first counts: a link that was opened in time stays opened."""
        if self.opened_at_ms is not None:
            return LinkState.OPENED
        if self.revoked_at_ms is not None:
            return LinkState.REVOKED
        return LinkState.EXPIRED if self.expires_at_ms <= now_ms else LinkState.WAITING

    def opened(self, source: str, now_ms: int) -> Link:
        return replace(self, opened_at_ms=now_ms, opened_from=source, revision=self.revision + 1)

    def revoked(self, now_ms: int) -> Link:
        """A link that no longer waits is returned as it is."""
        if self.state(now_ms) is not LinkState.WAITING:
            return self
        return replace(self, revoked_at_ms=now_ms, revision=self.revision + 1)


# --- events --------------------------------------------------------------------------------------------------------


class EventType(StrEnum):
    """What happened, in the past tense."""

    TENANT_CREATED = "tenant_created"
    OWNER_CREATED = "owner_created"
    OWNER_CHANGED = "owner_changed"
    OWNER_LEAVING = "owner_leaving"
    OWNER_REMOVED = "owner_removed"
    KEY_ISSUED = "key_issued"
    VERSION_ISSUED = "version_issued"
    KEY_DISABLED = "key_disabled"
    KEY_ENABLED = "key_enabled"
    KEY_REVOKED = "key_revoked"
    KEY_EXPIRING = "key_expiring"
    KEY_EXPIRED = "key_expired"
    KEY_PURGED = "key_purged"
    VERSION_RETIRED = "version_retired"
    WARNING_NOT_MAILED = "warning_not_mailed"
    KEY_AMENDED = "key_amended"
    KEY_DELETED = "key_deleted"
    KEY_UNDELETED = "key_undeleted"
    KEY_ROTATED = "key_rotated"
    ROTATION_EXTENDED = "rotation_extended"
    ROTATION_CANCELLED = "rotation_cancelled"
    ROTATION_FINISHED = "rotation_finished"
    VERSION_DISABLED = "version_disabled"
    VERSION_ENABLED = "version_enabled"
    VERSION_DELETED = "version_deleted"
    LINK_CREATED = "link_created"
    LINK_OPENED = "link_opened"
    LINK_REVOKED = "link_revoked"
    KEY_REVEALED = "key_revealed"
    """A stored secret was shown or mailed; an event each."""
    KEY_REFUSED = "key_refused"
    """A key was presented that had expired or was revoked, as `reason` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The audit's record of one change, written with it. It never holds a secret.

    `id` sorts by time and tells doubles apart, as events are handed on at least once. `subject` is the id of the key,
    owner or tenant, and `version` the key's version that it is about. `actor` is the key id of the credential that did
    it and `actor_owner` whose credential that is; where none did, `actor` is the function's name and nobody owns it.
    A warning says of which step it is, and how many days are left, today's included, until the key expires.
    """

    id: str
    type: EventType
    tenant: str
    subject: str
    owner: OwnerRef
    actor: str
    at_ms: int
    actor_owner: OwnerRef | None = None
    version: int | None = None
    reason: str = ""
    expires_at_ms: int | None = None
    step_days: int | None = None
    days_left: int | None = None
    link_id: str = ""
    """Of the one-time link that it is about."""
    source: str = ""
    """The network address that it was done from: where a link was opened, or a key refused."""


def attributes_of(owner: Owner) -> dict[str, Any]:
    """An owner's attributes as plain values, in the order of their declaration."""
    return {each.name: getattr(owner, each.name) for each in fields(owner)}


def oldest_first(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key.created_at_ms, key.id))
