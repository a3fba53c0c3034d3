"""Shapes of the native API. Bodies are closed: a member that is not here is refused. Times are RFC 3339, in UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from keywright import errors, model
from keywright.issuing import LONGEST_DESCRIPTION, Issued
from keywright.jwt import Flaw, Verified, is_compact
from keywright.registry import Opened
from keywright.verification import Presented

MAX_SCOPES = 50
CLIENT_ID = "client_[0-9a-f]{24}"
"""The id of an OAuth client's key."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def _printable(text: str) -> str:
    if any(not character.isprintable() for character in text):
        raise ValueError("control characters are not accepted")
    return text


def _from_rfc3339(value: Any) -> Any:
    # A bare number would be taken for seconds, and a caller who means milliseconds gets a key for 50,000 years.
    if not isinstance(value, str):
        raise ValueError("a time is a string")  # noqa: TRY004  pydantic takes a ValueError only
    time = datetime.fromisoformat(value)
    try:
        return time if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError as beyond:  # in its own zone it is still of the year 9999, or already of the year 1
        raise ValueError("no such time in UTC") from beyond


Name = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_printable)]
OwnerId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""However its characters are encoded, the place of a key beside its owner stays within DynamoDB's 1,024 bytes."""
Text = Annotated[str, Field(max_length=LONGEST_DESCRIPTION), AfterValidator(_printable)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Scope = Annotated[str, Field(pattern=r"^[A-Za-z0-9_*-]+(?:[:.][A-Za-z0-9_*-]+)*$", max_length=100)]
Time = Annotated[AwareDatetime, BeforeValidator(_from_rfc3339)]
Email = Annotated[str, Field(max_length=254, pattern=r"^(?:[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+)?$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Nothing(_Body):
    """``{}``."""


# --- keys ----------------------------------------------------------------------------------------------------------


class OwnerAddress(_Body):
    """An owner of the caller's tenant."""

    kind: Annotated[model.OwnerKind, Field(strict=False)]
    id: OwnerId

    def within(self, tenant: str) -> model.OwnerRef:
        return model.OwnerRef(tenant, self.kind, self.id)


class IssueKey(_Body):
    """An order for a key. Access keys of a channel are not here: they are versions of the key it was born with.

    `client_id` belongs to a refresh token, and to nothing else: the OAuth client that alone can use it.
    """

    owner: OwnerAddress
    kind: Literal[
        "native",
        "access_token",
        "oauth_client",
        "refresh_token",
        "rep_key",
        "account_secret",
        "service_account_secret",
        "app_secret",
        "integration_secret",
        "app_api_key",
    ] = "native"
    description: Text = ""
    scopes: Annotated[list[Scope], Field(max_length=MAX_SCOPES)] = []
    expires_at: Time | None = None
    client_id: Annotated[str, Field(pattern=f"^{CLIENT_ID}$")] | None = None


class RevokeKey(_Body):
    reason: Text = ""


class VersionView(_Answer):
    version: int
    enabled: bool
    created_at: datetime
    created_by: str


class KeyView(_Answer):
    """A key without its secret."""

    id: str
    kind: str
    owner: OwnerAddress
    description: str
    scopes: list[str]
    state: model.KeyState
    version: int
    versions: list[VersionView]
    created_at: datetime
    created_by: str
    modified_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_reason: str

    @classmethod
    def members(cls, key: model.Key, now_ms: int) -> dict[str, Any]:
        return {
            "id": key.id,
            "kind": key.kind.value,
            "owner": OwnerAddress(kind=key.owner.kind, id=key.owner.id),
            "description": key.description,
            "scopes": list(key.scopes),
            "state": key.state(now_ms),
            "version": key.last_version,
            "versions": [
                VersionView(
                    version=version.number,
                    enabled=version.enabled,
                    created_at=moment(version.created_at_ms),
                    created_by=version.creator.id,
                )
                for version in key.versions
            ],
            "created_at": moment(key.created_at_ms),
            "created_by": key.creator.id,
            "modified_at": moment(key.modified_at_ms),
            "expires_at": moment_or_never(key.expires_at_ms),
            "revoked_at": moment_or_never(key.revoked_at_ms),
            "revoked_reason": key.revoked_reason,
        }

    @classmethod
    def of(cls, key: model.Key, now_ms: int) -> KeyView:
        return cls(**cls.members(key, now_ms))


class IssuedKey(KeyView):
    """The only answer that shows the token."""

    token: str

    @classmethod
    def of_issued(cls, issued: Issued, now_ms: int) -> IssuedKey:
        return cls(**cls.members(issued.key, now_ms), token=issued.token.reveal())


def filtered(state: model.KeyState | None, never_expires: bool | None, now_ms: int) -> Callable[[model.Key], bool]:
    """Whether a key is meant by the filters of a listing; one that is not given takes all."""

    def is_meant(key: model.Key) -> bool:
        return state in (None, key.state(now_ms)) and never_expires in (None, key.expires_at_ms is None)

    return is_meant


class KeyList(_Answer):
    keys: list[KeyView]
    next: str | None


# --- verification --------------------------------------------------------------------------------------------------


Dialect = Literal["salesiq", "sunshine", "supportcenter", "voltmx"]
Values = dict[str, SecretStr | list[SecretStr]]


class VerifyKey(_Body):
    """One of: a token alone, a key id with its secret, an app key with an access key; or, in a `dialect`, the headers
    and parameters of a request, of which those that hold no credential do not matter.

    With a `bundle_name`, only an access key of the channel that bears it is valid.
    With a `dialect`, only its own keys are valid, and a refusal comes in the vendor's words: in that `style`, where it
    has several, and about that `uri`, where it repeats the path that was called.
    """

    token: SecretStr | None = None
    key_id: Name | None = None
    secret: SecretStr | None = None
    app_key: SecretStr | None = None
    access_key: SecretStr | None = None
    bundle_name: Annotated[str, Field(max_length=255)] | None = None
    headers: Values | None = None
    parameters: Values | None = None
    dialect: Dialect | None = None
    style: Annotated[str, Field(pattern="^[a-z0-9-]{1,20}$")] | None = None
    uri: Annotated[str, Field(max_length=2000)] = ""

    @property
    def holds_no_credential(self) -> bool:
        members = self.token, self.key_id, self.secret, self.app_key, self.access_key
        return all(member is None for member in members)

    def presented(self) -> Presented:
        """Raises FieldMissing, FieldInvalid where the members do not make one credential, SignedToken for a JWT."""
        match self.token, self.key_id, self.secret, self.app_key, self.access_key:
            case (SecretStr() as token, None, None, None, None):
                if is_compact(text := token.get_secret_value()):
                    raise errors.SignedToken(field="token")
                return Presented.token(text)
            case (None, str(key_id), SecretStr() as secret, None, None):
                return Presented.with_key_id(key_id, secret.get_secret_value())
            case (None, None, None, SecretStr() as app_key, SecretStr() as access_key):
                return Presented.with_pairing(app_key.get_secret_value(), access_key.get_secret_value())
            case (None, None, None, None, None):
                raise errors.FieldMissing(field="token")
            case (None, str(), None, None, None):
                raise errors.FieldMissing(field="secret")
            case (None, None, SecretStr(), None, None):
                raise errors.FieldMissing(field="key_id")
            case (None, None, None, SecretStr(), None):
                raise errors.FieldMissing(field="access_key")
            case (None, None, None, None, SecretStr()):
                raise errors.FieldMissing(field="app_key")
        raise errors.FieldInvalid(field="token")


class VendorsRefusal(_Answer):
    """What a service behind may send on to its caller as it is."""

    status: int
    content_type: str
    headers: dict[str, str]
    body: str


def _is_none(value: object) -> bool:
    return value is None


class VerifiedKey(_Answer):
    """The verdict. All but `valid`, `reason` and `refusal` stand only with a valid credential; `roles` only with a
    support rep's, as they are at this moment; `issued_by` only with an App API key; `refusal` only where a dialect was
    named."""

    valid: bool
    reason: model.Reason | None = None
    key_id: str | None = None
    kind: str | None = None
    owner: OwnerAddress | None = None
    version: int | None = None
    scopes: list[str] | None = None
    expires_at: datetime | None = None
    roles: Annotated[list[str] | None, Field(exclude_if=_is_none)] = None
    issued_by: Annotated[str | None, Field(exclude_if=_is_none)] = None
    refusal: Annotated[VendorsRefusal | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(cls, verification: model.Verification, refusal: VendorsRefusal | None = None) -> VerifiedKey:
        grant, owner = verification.grant, verification.owner
        if grant is None:
            return cls(valid=False, reason=verification.reason, refusal=refusal)
        return cls(
            valid=True,
            key_id=grant.key_id,
            kind=grant.kind.value,
            owner=OwnerAddress(kind=grant.owner.kind, id=grant.owner.id),
            version=grant.version,
            scopes=list(grant.scopes),
            expires_at=moment_or_never(grant.expires_at_ms),
            roles=[owner.role] if isinstance(owner, model.SupportRep) and owner.role else None,
            issued_by=grant.creator_id if grant.kind is model.KeyKind.APP_API_KEY else None,
        )


class VerifyJwt(_Body):
    """With a `dialect`, a refusal comes in the vendor's words too."""

    jwt: SecretStr
    dialect: Literal["sunshine"] | None = None


class VerifiedJwt(_Answer):
    """The verdict. `scope` is what the token claims, `scopes` are the key's own; `expires_at` is when the first of the
    two is over, null where neither ever is."""

    valid: bool
    reason: model.Reason | Flaw | None = None
    key_id: str | None = None
    kind: str | None = None
    owner: OwnerAddress | None = None
    scope: str | None = None
    scopes: list[str] | None = None
    expires_at: datetime | None = None
    refusal: Annotated[VendorsRefusal | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(cls, verified: Verified, refusal: VendorsRefusal | None = None) -> VerifiedJwt:
        grant = verified.grant
        if grant is None:
            return cls(valid=False, reason=verified.reason, refusal=refusal)
        return cls(
            valid=True,
            key_id=grant.key_id,
            kind=grant.kind.value,
            owner=OwnerAddress(kind=grant.owner.kind, id=grant.owner.id),
            scope=verified.scope,
            scopes=list(grant.scopes),
            expires_at=_in_the_calendar(verified.expires_at_ms),
        )


def _in_the_calendar(ms: int | None) -> datetime | None:
    """A token may say any integer; one beyond the last year that can be written is as good as none."""
    return None if ms is None or ms > _LAST_MS else moment(ms)


# --- the registry --------------------------------------------------------------------------------------------------


class CreateTenant(_Body):
    id: Slug
    name: Name
    operator_name: Name
    operator_email: Email = ""


class TenantView(_Answer):
    id: str
    name: str
    created_at: datetime


class CreatedTenant(_Answer):
    """A tenant with the key of its first operator."""

    tenant: TenantView
    operator: OperatorView
    key: IssuedKey

    @classmethod
    def of(cls, opened: Opened, now_ms: int) -> CreatedTenant:
        tenant = opened.tenant
        return cls(
            tenant=TenantView(id=tenant.id, name=tenant.name, created_at=moment(tenant.created_at_ms)),
            operator=cast("OperatorView", owner_view(opened.operator)),
            key=IssuedKey.of_issued(opened.issued, now_ms),
        )


class CreateOperator(_Body):
    kind: Literal["operator"]
    id: Identifier | None = None
    name: Name
    email: Email = ""


class CreateApp(_Body):
    kind: Literal["app"]
    id: Identifier | None = None
    name: Name
    published: bool = False


Component = Literal["chat", "call", "proactive", "faq"]


class Device(_Body):
    mobileid: Name
    user_id: Name
    model: Name
    name: Name


class CreateChannel(_Body):
    kind: Literal["channel"]
    app_id: Identifier
    platform: Annotated[model.Platform, Field(strict=False)]
    bundle_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,255}$")]
    components: Annotated[list[Component], Field(max_length=4)] = ["proactive", "chat", "faq", "call"]
    test_devices: Annotated[list[Device], Field(max_length=20)] = []


class CreateIntegration(_Body):
    kind: Literal["integration"]
    app_id: Identifier
    id: Identifier | None = None
    name: Name
    type: Annotated[str, Field(pattern=r"^[a-z]{1,40}$")] = "custom"


class CreateSupportRep(_Body):
    """`id` is the login name."""

    kind: Literal["support_rep"]
    id: OwnerId
    name: Name
    login_enabled: bool = True
    role: Name | None = None
    business_unit: Text = ""


CreateOwner = CreateOperator | CreateApp | CreateChannel | CreateIntegration | CreateSupportRep
"""Told apart by `kind`."""


class ChangeOperator(_Body):
    name: Name | None = None
    email: Email | None = None
    enabled: bool | None = None


class ChangeApp(_Body):
    name: Name | None = None
    published: bool | None = None


class ChangeChannel(_Body):
    enabled: bool | None = None
    components: Annotated[list[Component], Field(max_length=4)] | None = None
    test_devices: Annotated[list[Device], Field(max_length=20)] | None = None


class ChangeIntegration(_Body):
    name: Name | None = None


class ChangeSupportRep(_Body):
    """`role` null takes the role away."""

    name: Name | None = None
    login_enabled: bool | None = None
    role: Name | None = None
    business_unit: Text | None = None


CHANGES: dict[model.OwnerKind, type[_Body]] = {
    model.OwnerKind.OPERATOR: ChangeOperator,
    model.OwnerKind.APP: ChangeApp,
    model.OwnerKind.CHANNEL: ChangeChannel,
    model.OwnerKind.INTEGRATION: ChangeIntegration,
    model.OwnerKind.SUPPORT_REP: ChangeSupportRep,
}


class _OwnerView(_Answer):
    id: str
    name: str
    created_at: datetime
    modified_at: datetime


class OperatorView(_OwnerView):
    kind: Literal["operator"] = "operator"
    email: str
    enabled: bool


class AppView(_OwnerView):
    kind: Literal["app"] = "app"
    published: bool


class ChannelView(_OwnerView):
    kind: Literal["channel"] = "channel"
    app_id: str
    platform: model.Platform
    bundle_name: str
    bundle_id: str
    enabled: bool
    components: list[str]
    test_devices: list[dict[str, str]]


class IntegrationView(_OwnerView):
    kind: Literal["integration"] = "integration"
    app_id: str
    type: str


class SupportRepView(_OwnerView):
    kind: Literal["support_rep"] = "support_rep"
    login_enabled: bool
    role: str | None
    business_unit: str


OwnerView = OperatorView | AppView | ChannelView | IntegrationView | SupportRepView
_VIEWS: dict[model.OwnerKind, type[_OwnerView]] = {
    model.OwnerKind.OPERATOR: OperatorView,
    model.OwnerKind.APP: AppView,
    model.OwnerKind.CHANNEL: ChannelView,
    model.OwnerKind.INTEGRATION: IntegrationView,
    model.OwnerKind.SUPPORT_REP: SupportRepView,
}


class RemovedOwner(_Answer):
    """`removed` false: not all is gone yet, and the same request goes on."""

    removed: bool


class OwnerList(_Answer):
    owners: list[OwnerView]
    next: str | None


def owner_view(owner: model.Owner) -> OwnerView:
    """The owner's public attributes: the view takes those it declares and leaves the rest."""
    view = _VIEWS[owner.kind]
    attributes = model.attributes_of(owner)
    attributes["created_at"] = moment(owner.created_at_ms)
    attributes["modified_at"] = moment(owner.modified_at_ms)
    shown = view(**{name: value for name, value in attributes.items() if name in view.model_fields})
    return cast("OwnerView", shown)


# --- times ---------------------------------------------------------------------------------------------------------


def moment(ms: int) -> datetime:
    # Added up rather than divided: a float would round the milliseconds of some times.
    return EPOCH + timedelta(milliseconds=ms)


def moment_or_never(ms: int | None) -> datetime | None:
    return None if ms is None else moment(ms)


def milliseconds(time: datetime | None) -> int | None:
    return None if time is None else (time - EPOCH) // timedelta(milliseconds=1)
