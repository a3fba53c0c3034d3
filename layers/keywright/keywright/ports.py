"""What the core needs of the world. The docstrings are the contract; a fake passes the same tests as its adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from keywright.model import Event, Grant, Key, KeyKind, Owner, OwnerKind, OwnerRef, Requirement, Tenant, Version
from keywright.tokens import Token

T_co = TypeVar("T_co", covariant=True)


# --- reading -------------------------------------------------------------------------------------------------------


class Ref(Generic[T_co]):
    """The address of one record of one type."""


@dataclass(frozen=True, slots=True)
class TokenRef(Ref[Grant]):
    digest: str


@dataclass(frozen=True, slots=True)
class KeyRef(Ref[Key]):
    id: str


@dataclass(frozen=True, slots=True)
class SingleKeyRef(Ref[Key]):
    """The one key of an owner whose kind of key is `single`."""

    owner: OwnerRef


@dataclass(frozen=True, slots=True)
class TenantRef(Ref[Tenant]):
    id: str


@dataclass(frozen=True, slots=True)
class OwnerAt(Ref[Owner]):
    """An owner that is leaving is not found, unless it is asked for so."""

    owner: OwnerRef
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class AppsNamed(Ref[frozenset[str]]):
    """The ids of the tenant's apps that bear exactly this name; nothing keeps two apps from sharing one."""

    tenant: str
    name: str


class Reading:
    """What one read found. Asking for what was not read is an error of the program, not a missing record."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[Ref[Any], object | None]) -> None:
        self._found = found

    def __getitem__(self, ref: Ref[T_co]) -> T_co | None:
        return cast("T_co | None", self._found[ref])

    def __contains__(self, ref: object) -> bool:
        return ref in self._found


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """`next` continues the listing; None means that this was the end."""

    items: Sequence[T_co]
    next: str | None = None


# --- writing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SaveTenant:
    """Creates a tenant. Refused with TenantExists."""

    tenant: Tenant


@dataclass(frozen=True, slots=True)
class SaveOwner:
    """Creates an owner (`before` None; refused with OwnerExists) or replaces its attributes (refused with Stale where
    it is no longer as `before` says). An app stands under its name with the same write, and under no former one."""

    owner: Owner
    before: Owner | None = None


@dataclass(frozen=True, slots=True)
class RemoveOwner:
    """Takes an owner away that is leaving. Refused with Stale where it is no longer as given."""

    owner: Owner


@dataclass(frozen=True, slots=True)
class SaveKey:
    """Creates a key (`before` None; refused with KeyExists where an owner of single keys has one) or replaces it
    (refused with Stale where it is no longer as `before` says), together with its place in lists and the rows of its
    tokens: those of the versions it no longer has are gone with the write."""

    key: Key
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Require:
    """An owner must be there, not leaving, and fulfil every requirement; refused with the first error that applies.

    With `count` its number of live keys of that kind moves by `by`, and may not pass the kind's limit (LimitReached).
    Counting down only asks that it is there.
    """

    owner: OwnerRef
    requirements: tuple[Requirement, ...] = ()
    count: KeyKind | None = None
    by: int = 1


@dataclass(frozen=True, slots=True)
class RequireNoKey:
    """An owner of single keys must have none, but for a revoked one; refused with Stale, since somebody who read that
    there is none decided on it."""

    owner: OwnerRef


@dataclass(frozen=True, slots=True)
class Record:
    event: Event


Write = SaveTenant | SaveOwner | RemoveOwner | SaveKey | Require | RequireNoKey | Record


class Stale(Exception):
    """A record is no longer as it was read. The deed may be tried again from the reading on."""


class KeyStore(Protocol):
    """Where everything is kept. Every method may raise Unavailable; then nothing is known, and nothing was decided."""

    def read(self, *refs: Ref[Any]) -> Reading:
        """One strongly consistent read of up to 100 records: each as it was when some moment of the call came."""

    def keys_of(
        self,
        owner: OwnerRef,
        kind: KeyKind | None = None,
        *,
        where: Callable[[Key], bool] = lambda _: True,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Key]:
        """The owner's keys, by kind and then oldest first, strongly consistent: a key is here once it was issued.

        A page is full, or the last one, whatever `where` leaves out. Raises FieldInvalid for an `after` that no listing
        of this owner's gave.
        """

    def owners(
        self,
        tenant: str,
        kind: OwnerKind,
        *,
        prefix: str = "",
        leaving: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Owner]:
        """The tenant's owners of one kind whose ids begin with `prefix`, by id, strongly consistent."""

    def owners_with_single_keys(self, tenant: str, kind: OwnerKind) -> Sequence[tuple[Owner, Key | None]]:
        """All owners of a kind that has single keys, by id, each with its key, strongly consistent."""

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        """The ids of keys whose expiry came by `until_ms` and was not marked yet, up to `limit` on a page. Eventually
        consistent: what is here must be read again before it is changed, and what is not here yet comes next time."""

    def commit(self, *writes: Write) -> None:
        """All of the writes or none, at one moment; refused as each write says, the first refused one deciding.

        A success that the wire lost is recognised and stays a success. Raises Conflict when others kept changing the
        same records.
        """


# --- the rest ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A ciphertext and what it is bound to; it opens under exactly this tenant, key and version."""

    tenant: str
    key_id: str
    version: int
    ciphertext: bytes = field(repr=False)

    @classmethod
    def of(cls, key: Key, version: Version) -> SealedSecret:
        return cls(key.tenant, key.id, version.number, version.sealed)


class SecretVault(Protocol):
    """Where secrets can be had again. Both methods raise Unavailable."""

    def seal(self, token: Token, *, tenant: str, key_id: str, version: int) -> bytes:
        """The ciphertext of `token`, bound to the tenant, the key and the version."""

    def reveal(self, secrets: Iterable[SealedSecret]) -> list[Token]:
        """The tokens, in order, asked for side by side. One call to the service each, so each is on its record."""


class Mailer(Protocol):
    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        """Mails a token to its holder. Raises MailNotSent."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Epoch milliseconds, UTC."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports together: what every use case works at. `stage` marks this installation's native tokens."""

    store: KeyStore
    vault: SecretVault
    mailer: Mailer
    clock: Clock
    stage: str
