"""What the core needs of the world. The docstrings are the contract; a fake passes the same tests as its adapter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol

from keywright.gate import Gate
from keywright.limits import Limits, Spending
from keywright.mail import Warned
from keywright.model import (
    Event,
    Key,
    KeyKind,
    Link,
    LinkRef,
    Owner,
    OwnerKind,
    OwnerRef,
    Requirement,
    Tenant,
    Terms,
    Version,
)
from keywright.reading import OwnerAt as OwnerAt
from keywright.reading import Reading as Reading
from keywright.reading import Ref as Ref
from keywright.reading import T_co
from keywright.reading import TokenRef as TokenRef
from keywright.tokens import Token
from keywright.usage import LastUse

# --- reading -------------------------------------------------------------------------------------------------------


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
class AnswerRef(Ref["KeptAnswer"]):
    """`id` is a SHA-256, in hex, of the caller's credential and the idempotency key. One that is over may still be
    found."""

    id: str


@dataclass(frozen=True, slots=True)
class LinkNamed(Ref[LinkRef]):
    """Which one-time link has a token of this digest."""

    digest: str


@dataclass(frozen=True, slots=True)
class LinkAt(Ref[Link]):
    link: LinkRef


@dataclass(frozen=True, slots=True)
class UsesOf(Ref[Mapping[int, LastUse]]):
    """The last uses of a key's versions, by their numbers, as far as they were noted; a version that the key no longer
    has may be among them."""

    key_id: str


@dataclass(frozen=True, slots=True)
class AppsNamed(Ref[frozenset[str]]):
    """The ids of the tenant's apps that bear exactly this name; nothing keeps two apps from sharing one."""

    tenant: str
    name: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """`next` continues the listing; None means that this was the end."""

    items: Sequence[T_co]
    next: str | None = None


# --- what is kept beside keys --------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """What a secret of a kept answer is decrypted from. `owner` is whose key it opens, None where it is no key's: the
    token of a link."""

    sealed: SealedSecret
    owner: OwnerRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a change was answered with, for whoever sends the same request once more.

    `request_digest` is a SHA-256, in hex, of the request. Where a secret stood in the answer it is cut in two: of the
    secret is kept what it is decrypted from, one between any two `parts`.
    """

    id: str
    request_digest: str
    status: int
    content_type: str
    parts: tuple[str, ...]
    secrets: tuple[KeptSecret, ...]
    expires_at_ms: int


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
    tokens: those of the versions it no longer has are gone with the write. A deleted key has only its record and a
    place among the deleted ones.

    What may be done `once` only, whatever the key has become, is refused with Conflict in place of Stale: trying it
    again on what somebody else made of the key would do it a second time.
    """

    key: Key
    before: Key | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Require:
    """An owner must be there, not leaving, and fulfil every requirement; refused with the first error that applies.

    With `count` its number of live keys of that kind moves by `by`, and may not pass the kind's limit (LimitReached).
    Counting down only asks that it is there. One that came after `there_by_ms` is another owner that took over the id,
    and the one that is meant is not there.
    """

    owner: OwnerRef
    requirements: tuple[Requirement, ...] = ()
    there_by_ms: int | None = None
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


@dataclass(frozen=True, slots=True)
class SaveLink:
    """Creates a one-time link (`before` None), or replaces it; refused with Stale where it is no longer as `before`
    says."""

    link: Link
    before: Link | None = None


@dataclass(frozen=True, slots=True)
class KeepAnswer:
    """Keeps what a change is answered with, together with the change. Refused with Stale where one is kept already for
    the same caller and idempotency key, and was not over by `now_ms`."""

    answer: KeptAnswer
    now_ms: int


Write = SaveTenant | SaveOwner | RemoveOwner | SaveKey | Require | RequireNoKey | Record | SaveLink | KeepAnswer


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to be the only one at some work, until a moment. `checkpoint` is where the work was left."""

    name: str
    holder: str
    checkpoint: str | None = None


MOST_EVENTS_LOOKED_AT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuestion:
    """Which events of a tenant: those that are about a key, an owner's, those that somebody's credentials did, or one
    credential, from `from_ms` to before `until_ms`; all that is given must hold."""

    tenant: str
    key_id: str | None = None
    owner: OwnerRef | None = None
    actor_owner: OwnerRef | None = None
    actor: str | None = None
    from_ms: int = 0
    until_ms: int = 10**13 - 1
    newest_first: bool = True

    def asks_for(self, event: Event) -> bool:
        wanted = (
            (self.key_id, event.subject),
            (self.owner, event.owner),
            (self.actor_owner, event.actor_owner),
            (self.actor, event.actor),
        )
        in_time = event.tenant == self.tenant and self.from_ms <= event.at_ms < self.until_ms
        return in_time and all(asked in (None, actual) for asked, actual in wanted)


class Stale(Exception):
    """A record is no longer as it was read. The deed may be tried again from the reading on."""


class GrantStore(Protocol):
    """What verification asks of the store: to read tokens and owners, and to write its notes. Every method may raise
    Unavailable; then nothing is known, and nothing was decided."""

    def read(self, *refs: Ref[Any]) -> Reading:
        """One strongly consistent read of up to 100 records: each as it was when some moment of the call came."""

    def spend(self, key_id: str, limits: Limits, cost: int, now_ms: int) -> Spending:
        """Counts a use of a key, of a cost that it can afford at all, unless that would pass one of its limits; then
        nothing is counted.

        However many do so at the same time, no limit is passed. A use whose answer the wire lost may be counted twice,
        never not at all. A limit that was changed begins anew.
        """

    def note_use(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None:
        """Notes the last use of a version, unless one after `unless_since_ms` is noted already."""

    def note(self, event: Event, *, at_most: int, within_ms: int) -> None:
        """Records an event of which only so many are kept of its subject in each stretch of `within_ms`, counted from
        the epoch on. Raises LimitReached where there are as many, and Conflict where another is in the way: it does not
        try again."""


class KeyStore(GrantStore, Protocol):
    """Where everything is kept, and every record can be read."""

    def keys_of(
        self,
        owner: OwnerRef,
        kind: KeyKind | None = None,
        *,
        where: Callable[[Key], bool] = lambda _: True,
        deleted: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> Page[Key]:
        """The owner's keys, by kind and then oldest first, strongly consistent: a key is here once it was issued, and
        among the `deleted` ones, which are a list of their own, once it was deleted.

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

    def links_of(self, key_id: str, *, limit: int = 100, after: str | None = None) -> Page[Link]:
        """The one-time links of a key, oldest first, strongly consistent; those whose time has long been over may be
        gone. Raises FieldInvalid for an `after` that no such listing gave."""

    def audit(self, question: AuditQuestion, *, limit: int = 100, after: str | None = None) -> Page[Event]:
        """What the audit knows. Of one owner strongly consistent, else eventually: an event may come a moment late.

        A page may hold fewer than `limit`, or none, though more follows: of each call at most `MOST_EVENTS_LOOKED_AT`
        are looked at. Raises FieldInvalid for an `after` that no page of this question gave.
        """

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        """The ids of keys of which something came due by `until_ms`, up to `limit` on a page, by the terms that the
        store was opened with. Eventually consistent: what is here must be read again before it is changed, and what is
        not here yet comes next time."""

    def take_lease(self, name: str, *, holder: str, now_ms: int, until_ms: int) -> Lease | None:
        """The lease, or None while another holds it. Its holder may take it again; so may anybody from the moment on
        that the last one named. A clock that is ahead may thus take it early: it saves work, and guards nothing."""

    def keep_checkpoint(self, lease: Lease, checkpoint: str | None, *, release: bool = False) -> None:
        """Notes how far the work has come, and may give the lease back. Raises Stale where another has it by now."""

    def commit(self, *writes: Write) -> None:
        """All of the writes or none, at one moment; refused as each write says, the first refused one deciding.

        A success that the wire lost is recognised and stays a success. Raises Conflict when others kept changing the
        same records.
        """


# --- the rest ------------------------------------------------------------------------------------------------------


class SecretVault(Protocol):
    """Where secrets can be had again. Both methods raise Unavailable."""

    def seal(self, token: Token, *, tenant: str, key_id: str, version: int) -> bytes:
        """The ciphertext of `token`, bound to the tenant, the key and the version."""

    def reveal(self, secrets: Iterable[SealedSecret]) -> list[Token]:
        """The tokens, in order, asked for side by side. One call to the service each, so each is on its record."""


class Mailer(Protocol):
    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        """Mails a token to its holder. Raises MailNotSent."""

    def send_link(self, url: Token, *, to: str, until_ms: int) -> None:
        """Mails the address of a one-time link, which works until then. Raises MailNotSent."""

    def send_warning(self, warning: Warned, *, to: str) -> None:
        """Mails an owner that a key expires; where the installation mails nothing, nobody. Raises MailRefused where it
        is no use to try again, else MailNotSent."""


class EventBus(Protocol):
    """Where events are handed on to whoever wants to know, at least once each."""

    def publish(self, events: Sequence[Event]) -> Collection[str]:
        """The ids of those that it did not take. Raises nothing for a bus that is down: then it took none."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Epoch milliseconds, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk(Gate):
    """The ports together: what every use case works at. `stage` marks this installation's native tokens."""

    store: KeyStore
    vault: SecretVault
    mailer: Mailer
    stage: str
    terms: Terms = field(default_factory=Terms)
    keeps_answers: bool = False
    """Whether what this change is answered with will be given again: then a secret in it that is not stored anyway is
    sealed for that."""
