"""Kinds of owners and of keys, and the rules of each kind.

Kept from the rest of the model because a verification needs these and `keywright.grants`, and nothing of what is
changed: what it does not load, a cold start does not wait for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from keywright import errors
from keywright.tokens import Format

if TYPE_CHECKING:
    from keywright.model import Owner


class OwnerKind(StrEnum):
    OPERATOR = "operator"
    APP = "app"
    CHANNEL = "channel"
    INTEGRATION = "integration"
    SUPPORT_REP = "support_rep"


@dataclass(frozen=True, slots=True)
class OwnerRef:
    """The address of an owner. Two tenants may use the same id for different owners."""

    tenant: str
    kind: OwnerKind
    id: str


class Requirement(NamedTuple):
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


DAY_MS: Final = 86_400_000


class KeyState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DELETED = "deleted"


class KeyRules(NamedTuple):
    """How keys of one kind live.

    `single`: an owner has at most one, and `versions_kept` versions of it, the oldest making room for the next; else it
    has at most `limit` (None: as many as it likes), and the next is refused. `jwt_scope` is what a JSON Web Token must
    claim that is signed with the key's secret; None: it signs none. What is not `verifiable` opens nothing but an
    endpoint of ours, so a service that is shown it is told that it is unknown. Where `versions_stand_alone`, each of
    them is a credential of its own, that ends without the others.

    `longest_overlap_ms` is how long a former secret may work on beside its successor; None: the secret is not rotated,
    and what takes its place is its dialect's affair. A key that `goes_with_owner` is born with it, and is not deleted
    alone.

    A key in one of the states `kept_for_good` is not purged when its retention is over; an expired key of a kind that
    keeps those also keeps its place under the limit. A deleted key is purged, whatever its kind.
    """

    format: Format
    owners: frozenset[OwnerKind]
    id_prefix: str = "key_"
    issue_requires: tuple[Requirement, ...] = ()
    verify_requires: tuple[Requirement, ...] = ()
    limit: int | None = None
    single: bool = False
    versions_kept: int = 1
    versions_stand_alone: bool = False
    jwt_scope: str | None = None
    verifiable: bool = True
    longest_overlap_ms: int | None = None
    goes_with_owner: bool = False
    kept_for_good: frozenset[KeyState] = frozenset()


_ACCESS_KEY: Final = KeyRules(
    format=Format.ACCESS_KEY_112,
    owners=frozenset({OwnerKind.CHANNEL}),
    verify_requires=(CHANNEL_ENABLED,),
    single=True,
    versions_kept=3,
    versions_stand_alone=True,
    goes_with_owner=True,
    # The next access key of a channel is numbered after the last one, whatever became of that.
    kept_for_good=frozenset({KeyState.EXPIRED, KeyState.REVOKED}),
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
        KeyKind.NATIVE: KeyRules(format=Format.NATIVE, owners=frozenset(OwnerKind), longest_overlap_ms=30 * DAY_MS),
        KeyKind.ACCESS_TOKEN: KeyRules(
            format=Format.BEARER,
            owners=frozenset({OwnerKind.OPERATOR}),
            verify_requires=(OPERATOR_ENABLED,),
        ),
        KeyKind.OAUTH_CLIENT: _OPERATORS_SECRET._replace(id_prefix="client_", jwt_scope=None, verifiable=False),
        KeyKind.REFRESH_TOKEN: KeyRules(
            format=Format.BEARER,
            owners=frozenset({OwnerKind.OPERATOR}),
            verify_requires=(OPERATOR_ENABLED,),
            verifiable=False,
        ),
        KeyKind.ANDROID_ACCESS_KEY: _ACCESS_KEY,
        KeyKind.IOS_ACCESS_KEY: _ACCESS_KEY._replace(format=Format.ACCESS_KEY_120),
        KeyKind.REP_KEY: KeyRules(
            format=Format.GUID_UPPER,
            owners=frozenset({OwnerKind.SUPPORT_REP}),
            issue_requires=(LOGIN_ENABLED, ROLE_ASSIGNED),
            verify_requires=(LOGIN_ENABLED, ROLE_ASSIGNED),
            single=True,
        ),
        KeyKind.ACCOUNT_SECRET: _OPERATORS_SECRET._replace(id_prefix="act_"),
        KeyKind.SERVICE_ACCOUNT_SECRET: _OPERATORS_SECRET._replace(id_prefix="svc_"),
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
            # Volt MX regenerates an expired key, however long ago it expired.
            kept_for_good=frozenset({KeyState.EXPIRED}),
        ),
    }
)
