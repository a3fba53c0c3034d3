"""Key, version, owner, verification: frozen values and the rules of their lives.

Times are epoch milliseconds in UTC. A method that changes something returns a new value; nothing here reads a clock,
a store or a random source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, Final, Self

from keywright import errors
from keywright.tokens import Format


class OwnerKind(StrEnum):
    OPERATOR = "operator"
    APP = "app"
    CHANNEL = "channel"
    INTEGRATION = "integration"
    SUPPORT_REP = "support_rep"


class Platform(StrEnum):
    ANDROID = "android"
    IOS = "ios"


@dataclass(frozen=True, slots=True)
class OwnerRef:
    """The address of an owner. Two tenants may use the same id for different owners."""

    tenant: str
    kind: OwnerKind
    id: str


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
    revision: int = 1
    leaving: bool = False
    """Whether it is being removed; see `keywright.removal`."""

    @property
    def ref(self) -> OwnerRef:
        return OwnerRef(self.tenant, self.kind, self.id)

    def changed(self, now_ms: int, **attributes: Any) -> Self:
        return replace(self, **attributes, modified_at_ms=now_ms, revision=self.revision + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Owner):
    """A person or script that manages keys, through any dialect."""

    kind: ClassVar[OwnerKind] = OwnerKind.OPERATOR

    email: str = ""
    enabled: bool = True


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


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an owner must be: `attribute` has `value`, or any value at all where that is None; else `error`.

    Stated once as data, because the same rule is a condition of the write that depends on it and a check of the reader.
    """

    attribute: str
    value: bool | str | None
    error: type[errors.KeywrightError]

    def check(self, owner: Owner) -> None:
        actual = getattr(owner, self.attribute)
        if actual in (None, "") if self.value is None else actual != self.value:
            raise self.error()


OPERATOR_ENABLED: Final = Requirement("enabled", True, errors.OperatorDisabled)
LOGIN_ENABLED: Final = Requirement("login_enabled", True, errors.LoginNotEnabled)
ROLE_ASSIGNED: Final = Requirement("role", None, errors.RoleNotAssigned)
CUSTOM: Final = Requirement("type", "custom", errors.NotCustom)
PUBLISHED: Final = Requirement("published", True, errors.NotPublished)
CHANNEL_ENABLED: Final = Requirement("enabled", True, errors.ChannelDisabled)


# --- keys ----------------------------------------------------------------------------------------------------------


class KeyKind(StrEnum):
    NATIVE = "native"
    ACCESS_TOKEN = "access_token"
    OAUTH_CLIENT = "oauth_client"
    REFRESH_TOKEN = "refresh_token"
    ANDROID_ACCESS_KEY = "android_access_key"
    IOS_ACCESS_KEY = "ios_access_key"
    REP_KEY = "rep_key"
    ACCOUNT_SECRET = "account_secret"
    SERVICE_ACCOUNT_SECRET = "service_account_secret"
    APP_SECRET = "app_secret"
    INTEGRATION_SECRET = "integration_secret"
    APP_API_KEY = "app_api_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """How keys of one kind live.

    `single`: an owner has at most one, and `versions_kept` versions of it, the oldest making room for the next; else it
    has at most `limit` (None: as many as it likes), and the next is refused. `jwt_scope` is what a JSON Web Token must
    claim that is signed with the key's secret; None: it signs none. What is not `verifiable` opens nothing but an
    endpoint of ours, so a service that is shown it is told that it is unknown.
    """

    format: Format
    owners: frozenset[OwnerKind]
    id_prefix: str = "key_"
    issue_requires: tuple[Requirement, ...] = ()
    verify_requires: tuple[Requirement, ...] = ()
    limit: int | None = None
    single: bool = False
    versions_kept: int = 1
    jwt_scope: str | None = None
    verifiable: bool = True


_ACCESS_KEY: Final = KeyRules(
    format=Format.ACCESS_KEY_112,
    owners=frozenset({OwnerKind.CHANNEL}),
    verify_requires=(CHANNEL_ENABLED,),
    single=True,
    versions_kept=3,
)
_OPERATORS_SECRET: Final = KeyRules(
    format=Format.SECRET,
    owners=frozenset({OwnerKind.OPERATOR}),
    verify_requires=(OPERATOR_ENABLED,),
    limit=10,
    jwt_scope="account",
)

RULES: Final[Mapping[KeyKind, KeyRules]] = MappingProxyType(
    {
        KeyKind.NATIVE: KeyRules(format=Format.NATIVE, owners=frozenset(OwnerKind)),
        KeyKind.ACCESS_TOKEN: KeyRules(
            format=Format.BEARER,
            owners=frozenset({OwnerKind.OPERATOR}),
            verify_requires=(OPERATOR_ENABLED,),
        ),
        KeyKind.OAUTH_CLIENT: replace(_OPERATORS_SECRET, id_prefix="client_", jwt_scope=None, verifiable=False),
        KeyKind.REFRESH_TOKEN: KeyRules(
            format=Format.BEARER,
            owners=frozenset({OwnerKind.OPERATOR}),
            verify_requires=(OPERATOR_ENABLED,),
            verifiable=False,
        ),
        KeyKind.ANDROID_ACCESS_KEY: _ACCESS_KEY,
        KeyKind.IOS_ACCESS_KEY: replace(_ACCESS_KEY, format=Format.ACCESS_KEY_120),
        KeyKind.REP_KEY: KeyRules(
            format=Format.GUID_UPPER,
            owners=frozenset({OwnerKind.SUPPORT_REP}),
            issue_requires=(LOGIN_ENABLED, ROLE_ASSIGNED),
            verify_requires=(LOGIN_ENABLED, ROLE_ASSIGNED),
            single=True,
        ),
        KeyKind.ACCOUNT_SECRET: replace(_OPERATORS_SECRET, id_prefix="act_"),
        KeyKind.SERVICE_ACCOUNT_SECRET: replace(_OPERATORS_SECRET, id_prefix="svc_"),
        KeyKind.APP_SECRET: KeyRules(
            format=Format.SECRET,
            owners=frozenset({OwnerKind.APP}),
            id_prefix="app_",
            limit=10,
            jwt_scope="app",
        ),
        KeyKind.INTEGRATION_SECRET: KeyRules(
            format=Format.SECRET,
            owners=frozenset({OwnerKind.INTEGRATION}),
            id_prefix="int_",
            issue_requires=(CUSTOM,),
            limit=10,
            jwt_scope="integration",
        ),
        KeyKind.APP_API_KEY: KeyRules(
            format=Format.GUID_LOWER,
            owners=frozenset({OwnerKind.APP}),
            issue_requires=(PUBLISHED,),
            verify_requires=(PUBLISHED,),
            limit=100,
        ),
    }
)


TRANSIENT_KEPT_MS: Final = 86_400_000
"""How long a transient key is still to be seen after it has expired."""


class KeyState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The record, which is not the secret.

    `versions` run from the oldest that lives to the newest; `last_version` never goes back, so a number is never given
    twice. `pairing_digest` is of what must be presented beside the token. A `transient` key is one of many that come
    and go, as those of a login do: once it has expired, nobody needs it any more.
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
    expiry_marked_at_ms: int | None = None
    revoked_at_ms: int | None = None
    revoked_reason: str = ""
    deleted_at_ms: int | None = None
    pairing_digest: str | None = None
    transient: bool = False
    revision: int = 1

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
        return self.revoked_at_ms is None and self.deleted_at_ms is None and self.rules.limit is not None

    @property
    def purge_at_ms(self) -> int | None:
        """When the store may forget the key by itself; None for all that are kept. It is no limit to the key's life."""
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
        if self.revoked_at_ms is not None:
            return KeyState.REVOKED
        if not self.enabled:
            return KeyState.DISABLED
        return KeyState.EXPIRED if self.has_expired(now_ms) else KeyState.ACTIVE

    def has_expired(self, now_ms: int) -> bool:
        """Whether its time is over, whatever else may be said of it."""
        return self.expires_at_ms is not None and self.expires_at_ms <= now_ms

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
        """Taken away, with all its tokens; it can be had back until it is purged."""
        return self._changed(now_ms, deleted_at_ms=now_ms)

    def amended(self, now_ms: int, *, description: str, expires_at_ms: int | None) -> Key:
        """With another description and expiry. An expired key with a later expiry, or none, lives again."""
        return self._changed(now_ms, description=description, expires_at_ms=expires_at_ms, expiry_marked_at_ms=None)

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

    def with_version(self, version: Version, now_ms: int) -> Key:
        """The key with its next version, the oldest gone where there are more than its rules keep."""
        if version.number != self.last_version + 1:
            raise ValueError("versions run without a gap")
        return self._changed(now_ms, versions=(*self.retained, version), last_version=version.number)

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
        )

    def _changed(self, now_ms: int, **attributes: Any) -> Key:
        return replace(self, **attributes, modified_at_ms=now_ms, revision=self.revision + 1)


# --- verification --------------------------------------------------------------------------------------------------


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
    pairing_digest: str | None = None
    creator_id: str = ""

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
            scopes=key.scopes,
            pairing_digest=key.pairing_digest,
            creator_id=key.creator.id,
        )

    @property
    def rules(self) -> KeyRules:
        return RULES[self.kind]

    def refusal(self, now_ms: int) -> Reason | None:
        """Why this token opens nothing at `now_ms`, or None."""
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


@dataclass(frozen=True, slots=True)
class Verification:
    """A refused verification is a result, not an error.

    Only a valid token has a `grant`, and an `owner` where the rules of its kind look at that one. `cause` says more of
    a refusal, where there is more to say: what the owner lacks, or that nothing was shown that could be a credential.
    """

    reason: Reason | None
    grant: Grant | None = None
    owner: Owner | None = None
    cause: type[errors.KeywrightError] | None = None

    @property
    def valid(self) -> bool:
        return self.reason is None


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
    KEY_EXPIRED = "key_expired"
    KEY_AMENDED = "key_amended"
    KEY_DELETED = "key_deleted"
    VERSION_DISABLED = "version_disabled"
    VERSION_ENABLED = "version_enabled"
    VERSION_DELETED = "version_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The audit's record of one change, written with it. `subject` is the id of the key or owner, `actor` the key id of
    the credential that did it (or the name of the function, where none did). It never holds a secret."""

    type: EventType
    tenant: str
    subject: str
    owner: OwnerRef
    actor: str
    at_ms: int
    version: int | None = None
    reason: str = ""


def attributes_of(owner: Owner) -> dict[str, Any]:
    """An owner's attributes as plain values, in the order of their declaration."""
    return {each.name: getattr(owner, each.name) for each in fields(owner)}


def oldest_first(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key.created_at_ms, key.id))
