"""Shapes of the native API. Bodies are closed: a member that is not here is refused. Times are RFC 3339, in UTC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from keywright import addresses, errors, handover, http_fields, limits, model
from keywright.caching import LONGEST_CACHE_SECONDS
from keywright.issuing import LONGEST_DESCRIPTION, Issued
from keywright.jwt import Flaw, Verified, is_compact
from keywright.mail import LONGEST_ADDRESS, ONE_ADDRESS
from keywright.registry import Opened
from keywright.tokens import Token
from keywright.usage import LastUse, Use
from keywright.verification import MOST_AT_ONCE, Presented

MAX_SCOPES = 50
CLIENT_ID = "client_[0-9a-f]{24}"
"""The id of an OAuth client's key."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


_ONE_TIME = "It is a time by RFC 3339, as 2030-01-31T12:00:00Z."
ONE_IP_ADDRESS = "It is an IPv4 or IPv6 address."
ONE_CREDENTIAL = (
    "It is one credential: token; key_id and secret; app_key and access_key; header; or, in a dialect that takes them, "
    "headers and parameters."
)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise errors.Expected("It has printable characters only.")
    return text


def _from_rfc3339(value: Any) -> Any:
    # A bare number would be taken for seconds, and a caller who means milliseconds gets a key for 50,000 years.
    if not isinstance(value, str):
        raise errors.Expected(_ONE_TIME)
    try:
        time = datetime.fromisoformat(value)
        return time if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as odd:  # beyond: in its own zone still of the year 9999, or already of 1
        raise errors.Expected(_ONE_TIME) from odd


Name = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(_printable)]
OwnerId = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""However its characters are encoded, the place of a key beside its owner stays within DynamoDB's 1,024 bytes."""
Text = Annotated[str, Field(max_length=LONGEST_DESCRIPTION), AfterValidator(_printable)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Scope = Annotated[str, Field(pattern=r"^[A-Za-z0-9_*-]+(?:[:.][A-Za-z0-9_*-]+)*$", max_length=100)]
Time = Annotated[AwareDatetime, BeforeValidator(_from_rfc3339)]
Email = Annotated[str, Field(max_length=254, pattern=r"^(?:[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+)?$")]

Contact = Annotated[
    str, Field(max_length=LONGEST_ADDRESS, pattern=f"^(?:{ONE_ADDRESS.removeprefix('^').removesuffix('$')})?$")
]
"""One e-mail address, or none at all."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


def _is_none(value: object) -> bool:
    return value is None


class Nothing(_Body):
    """``{}``."""


# --- keys ----------------------------------------------------------------------------------------------------------


class OwnerAddress(_Body):
    """An owner of the caller's tenant."""

    kind: Annotated[model.OwnerKind, Field(strict=False)]
    id: OwnerId

    def within(self, tenant: str) -> model.OwnerRef:
        return model.OwnerRef(tenant, self.kind, self.id)


Lifetime = Annotated[int, Field(ge=handover.SHORTEST_MS // 1000, le=handover.LONGEST_MS // 1000)]
"""Seconds."""


class HandOver(_Body):
    """That the secret is handed over by a one-time link, and does not stand in the answer. `expires_in` is the link's
    lifetime in seconds."""

    expires_in: Lifetime = handover.USUAL_MS // 1000


class CreateLink(HandOver):
    """With an `email` the link is mailed there too."""

    email: Annotated[str, Field(max_length=LONGEST_ADDRESS, pattern=ONE_ADDRESS)] | None = None


MOST_METADATA = 50
LARGEST_METADATA = 2_048
"""Bytes of UTF-8, names and values together."""


def _metadata(value: Any) -> Any:
    if not isinstance(value, dict) or len(value) > MOST_METADATA:
        raise errors.Expected(f"It is an object of at most {MOST_METADATA} members.")
    texts = [*value, *value.values()]
    if not all(isinstance(text, str) and text.isprintable() for text in texts) or "" in value:
        raise errors.Expected("Its names and values are printable text, and no name is empty.")
    if sum(len(text.encode()) for text in texts) > LARGEST_METADATA:
        raise errors.Expected(f"Its names and values have at most {LARGEST_METADATA} bytes together.")
    return value


def _range(text: str) -> str:
    try:
        return addresses.canonical_range(text)
    except ValueError as malformed:
        raise errors.Expected("It is a range as 192.0.2.0/24, without a bit beyond its prefix.") from malformed


class RateLimitOrder(_Body):
    """A token bucket: `burst` uses at once, left out as many as `limit`, which come back evenly, `limit` of them in
    `period_seconds`."""

    limit: Annotated[int, Field(ge=1, le=limits.LARGEST_LIMIT)]
    period_seconds: Annotated[int, Field(ge=1, le=limits.LONGEST_PERIOD_SECONDS)]
    burst: Annotated[int, Field(ge=1, le=limits.LARGEST_LIMIT)] | None = None


class QuotaOrder(_Body):
    """`limit` uses in every calendar day or month of UTC."""

    limit: Annotated[int, Field(ge=1, le=1_000_000_000)]
    every: Annotated[limits.Every, Field(strict=False)]


class _Settings(_Body):
    """What a key's owner may say of its use; `RateLimitOrder` and the others say what each may be."""

    external_id: Text = ""
    metadata: Annotated[dict[str, str], BeforeValidator(_metadata)] = {}
    allowed_cidrs: Annotated[
        list[Annotated[str, Field(max_length=50), AfterValidator(_range)]],
        Field(max_length=addresses.MOST_RANGES),
    ] = []
    rate_limit: RateLimitOrder | None = None
    quota: QuotaOrder | None = None
    cache_seconds: Annotated[int, Field(ge=0, le=LONGEST_CACHE_SECONDS)] = 0

    def settings(self) -> dict[str, Any]:
        """By the names and in the types of `model.Key`."""
        rate, quota = self.rate_limit, self.quota
        return {
            "external_id": self.external_id,
            "metadata": self.metadata,
            "allowed_cidrs": tuple(dict.fromkeys(self.allowed_cidrs)),
            "rate_limit": rate and limits.RateLimit(rate.limit, rate.period_seconds, rate.burst or rate.limit),
            "quota": quota and limits.Quota(quota.limit, quota.every),
            "cache_seconds": self.cache_seconds,
        }


class IssueKey(_Settings):
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
    hand_over: HandOver | None = None


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class ChangeKey(_Settings):
    """What is not named stays. `expires_at` null drops the expiry; a later one, or none, revives an expired key."""

    # A default that a client fills in would be a change.
    model_config = ConfigDict(json_schema_extra=_without_defaults)

    description: Text = ""
    scopes: Annotated[list[Scope], Field(max_length=MAX_SCOPES)] = []
    expires_at: Time | None = None

    def attributes(self) -> dict[str, Any]:
        """What is named, by the names and in the types of `model.Key`."""
        settings = self.settings()
        named: dict[str, Any] = {name: settings.get(name, getattr(self, name)) for name in self.model_fields_set}
        if "expires_at" in named:
            named["expires_at_ms"] = milliseconds(named.pop("expires_at"))
        return {name: tuple(value) if isinstance(value, list) else value for name, value in named.items()}


class RevokeKey(_Body):
    reason: Text = ""


LONGEST_OVERLAP_SECONDS = max(rules.longest_overlap_ms or 0 for rules in model.RULES.values()) // 1000


class RotateKey(_Body):
    """`overlap_seconds` is how long the former secret works on; 0, it stops at once."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_SECONDS)] = 0
    hand_over: HandOver | None = None

    @property
    def overlap_ms(self) -> int:
        return self.overlap_seconds * 1000


class ExtendRotation(_Body):
    """`overlap_seconds` counts from now: fewer than are left shorten the overlap."""

    overlap_seconds: Annotated[int, Field(ge=1, le=LONGEST_OVERLAP_SECONDS)]

    @property
    def overlap_ms(self) -> int:
        return self.overlap_seconds * 1000


class VersionView(_Answer):
    """`retires_at` is until when a former secret works, null of the current one."""

    version: int
    enabled: bool
    created_at: datetime
    created_by: str
    retires_at: datetime | None


class RateLimitView(_Answer):
    limit: int
    period_seconds: int
    burst: int

    @classmethod
    def of(cls, rate: limits.RateLimit | None) -> RateLimitView | None:
        if rate is None:
            return None
        return cls(limit=rate.limit, period_seconds=rate.period_seconds, burst=rate.burst)


class QuotaView(_Answer):
    limit: int
    every: limits.Every

    @classmethod
    def of(cls, quota: limits.Quota | None) -> QuotaView | None:
        return None if quota is None else cls(limit=quota.limit, every=quota.every)


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
    external_id: str
    metadata: dict[str, str]
    allowed_cidrs: list[str]
    rate_limit: RateLimitView | None
    quota: QuotaView | None
    cache_seconds: int
    deleted_at: Annotated[datetime | None, Field(exclude_if=_is_none)] = None

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
                    retires_at=moment_or_never(version.retires_at_ms),
                )
                for version in key.working(now_ms)
            ],
            "created_at": moment(key.created_at_ms),
            "created_by": key.creator.id,
            "modified_at": moment(key.modified_at_ms),
            "expires_at": moment_or_never(key.expires_at_ms),
            "revoked_at": moment_or_never(key.revoked_at_ms),
            "revoked_reason": key.revoked_reason,
            "external_id": key.external_id,
            "metadata": dict(key.metadata),
            "allowed_cidrs": list(key.allowed_cidrs),
            "rate_limit": RateLimitView.of(key.rate_limit),
            "quota": QuotaView.of(key.quota),
            "cache_seconds": key.cache_seconds,
            "deleted_at": moment_or_never(key.deleted_at_ms),
        }

    @classmethod
    def of(cls, key: model.Key, now_ms: int) -> KeyView:
        return cls(**cls.members(key, now_ms))


class LinkView(_Answer):
    """A one-time link without its address; `email` is where it was mailed to, `opened_from` the network address."""

    id: str
    key_id: str
    version: int
    state: model.LinkState
    created_at: datetime
    created_by: str
    expires_at: datetime
    email: str | None
    opened_at: datetime | None
    opened_from: str | None
    revoked_at: datetime | None

    @classmethod
    def members_of_link(cls, link: model.Link, now_ms: int) -> dict[str, Any]:
        return {
            "id": link.id,
            "key_id": link.key_id,
            "version": link.version,
            "state": link.state(now_ms),
            "created_at": moment(link.created_at_ms),
            "created_by": link.creator.id,
            "expires_at": moment(link.expires_at_ms),
            "email": link.email or None,
            "opened_at": moment_or_never(link.opened_at_ms),
            "opened_from": link.opened_from or None,
            "revoked_at": moment_or_never(link.revoked_at_ms),
        }

    @classmethod
    def of(cls, link: model.Link, now_ms: int) -> LinkView:
        return cls(**cls.members_of_link(link, now_ms))


class CreatedLink(LinkView):
    """The only answer that shows the address: whoever has it sees the secret, once."""

    url: str

    @classmethod
    def of_made(cls, made: handover.Made, public_url: str, now_ms: int) -> CreatedLink:
        return cls(**cls.members_of_link(made.link, now_ms), url=link_url(public_url, made.token).reveal())


class LinkList(_Answer):
    links: list[LinkView]
    next: str | None


def link_url(public_url: str, token: Token) -> Token:
    return Token(f"{public_url}/h/{token.reveal()}")


class LastUseView(_Answer):
    """`address` and `user_agent` are the end caller's, empty where nobody said."""

    at: datetime
    address: str
    user_agent: str


class UsedVersionView(VersionView):
    """`last_used` is null of a version whose use was not noted yet. A note may be as old as an interval."""

    last_used: LastUseView | None


class UsedKeyView(KeyView):
    versions: list[UsedVersionView]  # type: ignore[assignment]  # the same, and more

    @classmethod
    def of_used(cls, key: model.Key, uses: Mapping[int, LastUse] | None, now_ms: int) -> UsedKeyView:
        members = cls.members(key, now_ms)
        members["versions"] = [
            UsedVersionView(**dict(view), last_used=_last_used((uses or {}).get(view.version)))
            for view in members["versions"]
        ]
        return cls(**members)


def _last_used(use: LastUse | None) -> LastUseView | None:
    if use is None:
        return None
    return LastUseView(at=moment(use.at_ms), address=use.address, user_agent=use.user_agent)


class IssuedKey(KeyView):
    """The only answer that shows the token, or, where it is handed over by one, the address of the one-time link."""

    token: Annotated[str | None, Field(exclude_if=_is_none)] = None
    link: Annotated[CreatedLink | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of_issued(cls, issued: Issued, now_ms: int) -> IssuedKey:
        return cls(**cls.members(issued.key, now_ms), token=issued.token.reveal())

    @classmethod
    def handed_over(cls, key: model.Key, made: handover.Made, public_url: str, now_ms: int) -> IssuedKey:
        return cls(**cls.members(key, now_ms), link=CreatedLink.of_made(made, public_url, now_ms))


def filtered(state: model.KeyState | None, never_expires: bool | None, now_ms: int) -> Callable[[model.Key], bool]:
    """Whether a key is meant by the filters of a listing; one that is not given takes all."""

    def is_meant(key: model.Key) -> bool:
        if key.deleted_at_ms is not None and not key.can_be_undeleted(now_ms):
            return False
        return state in (None, key.state(now_ms)) and never_expires in (None, key.expires_at_ms is None)

    return is_meant


class KeyList(_Answer):
    keys: list[KeyView]
    next: str | None


# --- verification --------------------------------------------------------------------------------------------------


Dialect = Literal["salesiq", "sunshine", "supportcenter", "voltmx"]
Values = dict[str, SecretStr | list[SecretStr]]


def _address(text: str) -> str:
    try:
        return addresses.canonical_address(text)
    except ValueError as malformed:
        raise errors.Expected(ONE_IP_ADDRESS) from malformed


class HeaderField(_Body):
    """A request's header as it came in: ``Authorization`` with a bearer token or Basic, or one that is all key."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    value: SecretStr


class _Credential(_Body):
    """One of: a token alone, a key id with its secret, an app key with an access key, a header.

    `address` and `user_agent` are the end caller's: a key that only some addresses may use is refused without one.
    `cost` is what the use takes of the key's limits; 0, it is neither counted nor noted.
    """

    token: SecretStr | None = None
    key_id: Name | None = None
    secret: SecretStr | None = None
    app_key: SecretStr | None = None
    access_key: SecretStr | None = None
    header: HeaderField | None = None
    bundle_name: Annotated[str, Field(max_length=255)] | None = None
    address: Annotated[str, Field(max_length=50), AfterValidator(_address)] | None = None
    user_agent: Annotated[str, Field(max_length=1000)] = ""
    cost: Annotated[int, Field(ge=0, le=limits.MOST_AT_ONCE)] = 1

    @property
    def use(self) -> Use:
        return Use(self.address, self.user_agent, self.cost)

    @property
    def holds_no_credential(self) -> bool:
        members = self.token, self.key_id, self.secret, self.app_key, self.access_key, self.header
        return all(member is None for member in members)

    def presented(self) -> Presented:
        """Raises FieldMissing, FieldInvalid where the members do not make one credential, SignedToken for a JWT, and
        CredentialsMissing for a header that holds none."""
        if self.header is not None:
            return self._in_header(self.header)
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
                raise errors.FieldMissing(field="token", detail=ONE_CREDENTIAL)
            case (None, str(), None, None, None):
                raise errors.FieldMissing(field="secret")
            case (None, None, SecretStr(), None, None):
                raise errors.FieldMissing(field="key_id")
            case (None, None, None, SecretStr(), None):
                raise errors.FieldMissing(field="access_key")
            case (None, None, None, None, SecretStr()):
                raise errors.FieldMissing(field="app_key")
        raise errors.FieldInvalid(field="token", detail=ONE_CREDENTIAL)

    def _in_header(self, header: HeaderField) -> Presented:
        if any(each is not None for each in (self.token, self.key_id, self.secret, self.app_key, self.access_key)):
            raise errors.FieldInvalid(field="header", detail=ONE_CREDENTIAL)
        try:
            found = http_fields.presented(header.name, header.value.get_secret_value())
        except errors.SignedToken as signed:
            raise errors.SignedToken(field="header.value") from signed
        if found is None:
            raise errors.CredentialsMissing
        return found


class VerifyKey(_Credential):
    """A credential as above; or, in a `dialect`, the headers and parameters of a request, of which those that hold no
    credential do not matter.

    With a `bundle_name`, only an access key of the channel that bears it is valid.
    With a `dialect`, only its own keys are valid, and a refusal comes in the vendor's words: in that `style`, where it
    has several, and about the `uri` that was called, where it repeats that, or where keys are not good everywhere.
    """

    headers: Values | None = None
    parameters: Values | None = None
    dialect: Dialect | None = None
    style: Annotated[str, Field(pattern="^[a-z0-9-]{1,20}$")] | None = None
    uri: Annotated[str, Field(max_length=2000)] = ""


class VerifyKeys(_Body):
    keys: Annotated[list[_Credential], Field(min_length=1, max_length=MOST_AT_ONCE)]


class VendorsRefusal(_Answer):
    """What a service behind may send on to its caller as it is."""

    status: int
    content_type: str
    headers: dict[str, str]
    body: str


class RateLimitTold(_Answer):
    """What is left under the key's limits: of the one that comes to its end first, `remaining` of `limit`, all of it
    back in `reset` seconds. `retry_after` stands where the use was refused: in so many seconds it would be allowed;
    null too where it costs more than the key ever has. `headers` may be sent on as they are."""

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None
    retry_after: int | None = None
    headers: dict[str, str]

    @classmethod
    def of(cls, spending: limits.Spending | None) -> RateLimitTold | None:
        if spending is None:
            return None
        headers, tightest = http_fields.limit_fields(spending), spending.tightest
        if tightest is None:
            return cls(headers=headers)
        return cls(
            limit=tightest.limit,
            remaining=tightest.remaining,
            reset=tightest.reset_seconds,
            retry_after=spending.retry_after_seconds,
            headers=headers,
        )


class VerifiedKey(_Answer):
    """The verdict. Of a credential that is not valid, `reason` and the key itself are told to callers with
    `keys:diagnose` alone, and of an `unknown` one no key. `roles` stand only with a valid key of a support rep, as they
    are at this moment; `issued_by` only with an App API key; `retires_at`, until when it works, only with a former
    secret of a key that was rotated; `refusal` only where a dialect was named."""

    valid: bool
    reason: model.Reason | None = None
    key_id: str | None = None
    kind: str | None = None
    owner: OwnerAddress | None = None
    version: int | None = None
    scopes: list[str] | None = None
    expires_at: datetime | None = None
    retires_at: Annotated[datetime | None, Field(exclude_if=_is_none)] = None
    roles: Annotated[list[str] | None, Field(exclude_if=_is_none)] = None
    issued_by: Annotated[str | None, Field(exclude_if=_is_none)] = None
    external_id: Annotated[str | None, Field(exclude_if=_is_none)] = None
    metadata: Annotated[dict[str, str] | None, Field(exclude_if=_is_none)] = None
    ratelimit: Annotated[RateLimitTold | None, Field(exclude_if=_is_none)] = None
    refusal: Annotated[VendorsRefusal | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(
        cls, verification: model.Verification, refusal: VendorsRefusal | None = None, *, says_why: bool
    ) -> VerifiedKey:
        """`says_why` is whether the caller may know why a key is refused, and which."""
        grant, owner = verification.told(says_why=says_why), verification.owner
        reason, told = verification.reason if says_why else None, RateLimitTold.of(verification.spending)
        if grant is None:
            return cls(valid=False, reason=reason, ratelimit=told, refusal=refusal)
        return cls(
            valid=verification.valid,
            reason=reason,
            refusal=refusal,
            external_id=grant.external_id or None,
            metadata=dict(grant.metadata) or None,
            ratelimit=told,
            key_id=grant.key_id,
            kind=grant.kind.value,
            owner=OwnerAddress(kind=grant.owner.kind, id=grant.owner.id),
            version=grant.version,
            scopes=list(grant.scopes),
            expires_at=moment_or_never(grant.expires_at_ms),
            retires_at=None if grant.retires_at_ms is None else moment_or_never(grant.works_until_ms),
            roles=[owner.role] if isinstance(owner, model.SupportRep) and owner.role else None,
            issued_by=grant.creator_id if grant.kind is model.KeyKind.APP_API_KEY else None,
        )


class Introspect(BaseModel):
    """RFC 7662 2.1, with the end caller's address beside it, for keys that only some addresses may use. Other
    parameters are ignored."""

    token: str
    token_type_hint: str | None = None
    address: str | None = None


class Held(BaseModel):
    """RFC 7009 2.1."""

    token: Annotated[str, Field(min_length=1)]
    token_type_hint: str | None = None


class VerifiedKeys(_Answer):
    """The verdicts, in the order in which they were asked for."""

    results: list[VerifiedKey]


class Introspected(_Answer):
    """RFC 7662 2.2. Of a token that is not active nothing else is told."""

    active: bool
    scope: Annotated[str | None, Field(exclude_if=_is_none)] = None
    client_id: Annotated[str | None, Field(exclude_if=_is_none)] = None
    sub: Annotated[str | None, Field(exclude_if=_is_none)] = None
    exp: Annotated[int | None, Field(exclude_if=_is_none)] = None
    iat: Annotated[int | None, Field(exclude_if=_is_none)] = None
    token_type: Annotated[str | None, Field(exclude_if=_is_none)] = None
    owner_kind: Annotated[str | None, Field(exclude_if=_is_none)] = None
    kind: Annotated[str | None, Field(exclude_if=_is_none)] = None
    external_id: Annotated[str | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(cls, verification: model.Verification) -> Introspected:
        if (grant := verification.grant) is None:
            return cls(active=False)
        ends_at_ms, issued_at_ms = grant.works_until_ms, grant.issued_at_ms
        return cls(
            active=True,
            scope=" ".join(grant.scopes),
            client_id=grant.key_id,
            sub=grant.owner.id,
            exp=None if ends_at_ms is None else ends_at_ms // 1000,
            iat=None if issued_at_ms is None else issued_at_ms // 1000,
            token_type="Bearer",
            owner_kind=grant.owner.kind.value,
            kind=grant.kind.value,
            external_id=grant.external_id or None,
        )


class VerifyJwt(_Body):
    """With a `dialect`, a refusal comes in the vendor's words too, and with the `uri` that was called, a token is good
    only where its key is. `address`, `user_agent` and `cost` are as of a key."""

    jwt: SecretStr
    address: Annotated[str, Field(max_length=50), AfterValidator(_address)] | None = None
    user_agent: Annotated[str, Field(max_length=1000)] = ""
    cost: Annotated[int, Field(ge=0, le=limits.MOST_AT_ONCE)] = 1
    dialect: Literal["sunshine"] | None = None
    uri: Annotated[str, Field(max_length=2000)] = ""


class VerifiedJwt(_Answer):
    """The verdict. `scope` is what the token claims, `scopes` are the key's own; `expires_at` is when the first of the
    two is over, null where neither ever is. Of a token that is refused for its key's sake, and that the key did sign,
    callers with `keys:diagnose` are told the key, with its own `expires_at`."""

    valid: bool
    reason: model.Reason | Flaw | None = None
    key_id: str | None = None
    kind: str | None = None
    owner: OwnerAddress | None = None
    scope: str | None = None
    scopes: list[str] | None = None
    expires_at: datetime | None = None
    external_id: Annotated[str | None, Field(exclude_if=_is_none)] = None
    metadata: Annotated[dict[str, str] | None, Field(exclude_if=_is_none)] = None
    ratelimit: Annotated[RateLimitTold | None, Field(exclude_if=_is_none)] = None
    refusal: Annotated[VendorsRefusal | None, Field(exclude_if=_is_none)] = None

    @classmethod
    def of(cls, verified: Verified, refusal: VendorsRefusal | None = None, *, says_why: bool) -> VerifiedJwt:
        grant, told = verified.grant or (verified.known if says_why else None), RateLimitTold.of(verified.spending)
        reason = verified.reason if says_why else None
        if grant is None:
            return cls(valid=False, reason=reason, ratelimit=told, refusal=refusal)
        return cls(
            valid=verified.valid,
            reason=reason,
            refusal=refusal,
            external_id=grant.external_id or None,
            metadata=dict(grant.metadata) or None,
            ratelimit=told,
            key_id=grant.key_id,
            kind=grant.kind.value,
            owner=OwnerAddress(kind=grant.owner.kind, id=grant.owner.id),
            scope=verified.scope,
            scopes=list(grant.scopes),
            expires_at=_in_the_calendar(verified.expires_at_ms if verified.valid else grant.expires_at_ms),
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
    contact: Contact = ""


Component = Literal["chat", "call", "proactive", "faq"]


class Device(_Body):
    mobileid: Name
    user_id: Name
    model: Name
    name: Name


class ChannelNotifications(_Body):
    """How an app is notified; the certificate is one of an ios channel's sandbox. What opens it is not kept here."""

    enabled: bool = False
    certificate: Annotated[str, Field(max_length=250), AfterValidator(_printable)] = ""


class CreateChannel(_Body):
    kind: Literal["channel"]
    app_id: Identifier
    platform: Annotated[model.Platform, Field(strict=False)]
    bundle_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,255}$")]
    components: Annotated[list[Component], Field(max_length=4)] = ["proactive", "chat", "faq", "call"]
    notifications: ChannelNotifications = ChannelNotifications()
    test_devices: Annotated[list[Device], Field(max_length=20)] = []
    contact: Contact = ""


class CreateIntegration(_Body):
    kind: Literal["integration"]
    app_id: Identifier
    id: Identifier | None = None
    name: Name
    type: Annotated[str, Field(pattern=r"^[a-z]{1,40}$")] = "custom"
    contact: Contact = ""


class CreateSupportRep(_Body):
    """`id` is the login name."""

    kind: Literal["support_rep"]
    id: OwnerId
    name: Name
    login_enabled: bool = True
    role: Name | None = None
    business_unit: Text = ""
    contact: Contact = ""


CreateOwner = CreateOperator | CreateApp | CreateChannel | CreateIntegration | CreateSupportRep
"""Told apart by `kind`."""


class ChangeOperator(_Body):
    name: Name | None = None
    email: Email | None = None
    enabled: bool | None = None


class ChangeApp(_Body):
    name: Name | None = None
    published: bool | None = None
    contact: Contact | None = None


class ChangeChannel(_Body):
    """Of `notifications`, too, what is not named stays."""

    enabled: bool | None = None
    components: Annotated[list[Component], Field(max_length=4)] | None = None
    notifications: ChannelNotifications | None = None
    test_devices: Annotated[list[Device], Field(max_length=20)] | None = None
    contact: Contact | None = None


class ChangeIntegration(_Body):
    name: Name | None = None
    contact: Contact | None = None


class ChangeSupportRep(_Body):
    """`role` null takes the role away."""

    name: Name | None = None
    login_enabled: bool | None = None
    role: Name | None = None
    business_unit: Text | None = None
    contact: Contact | None = None


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
    contact: str


class NotificationsView(_Answer):
    enabled: bool = False
    certificate: Annotated[str | None, Field(exclude_if=_is_none)] = None


class ChannelView(_OwnerView):
    kind: Literal["channel"] = "channel"
    app_id: str
    platform: model.Platform
    bundle_name: str
    bundle_id: str
    enabled: bool
    components: list[str]
    notifications: NotificationsView
    test_devices: list[dict[str, str]]
    contact: str


class IntegrationView(_OwnerView):
    kind: Literal["integration"] = "integration"
    app_id: str
    type: str
    contact: str


class SupportRepView(_OwnerView):
    kind: Literal["support_rep"] = "support_rep"
    login_enabled: bool
    role: str | None
    business_unit: str
    contact: str


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
