"""The ports in memory, for tests of the core. Store and vault pass the same contract tests as their adapters."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from keywright import errors
from keywright.limits import Limits, Spending, Spent
from keywright.mail import Warned
from keywright.model import (
    OWNER_NOT_FOUND,
    RULES,
    App,
    Event,
    Grant,
    Key,
    KeyKind,
    Link,
    LinkRef,
    Owner,
    OwnerKind,
    OwnerRef,
    Tenant,
    Terms,
)
from keywright.ports import (
    AnswerRef,
    AppsNamed,
    AuditQuestion,
    Desk,
    KeepAnswer,
    KeptAnswer,
    KeyRef,
    Lease,
    LinkAt,
    LinkNamed,
    OwnerAt,
    Page,
    Reading,
    Record,
    Ref,
    RemoveOwner,
    Require,
    RequireNoKey,
    SaveKey,
    SaveLink,
    SaveOwner,
    SaveTenant,
    SealedSecret,
    SingleKeyRef,
    Stale,
    TenantRef,
    TokenRef,
    UsesOf,
    Write,
)
from keywright.tokens import Token
from keywright.usage import LastUse

T = TypeVar("T")


class FakeKeyStore:
    """`calls` names every call in order. `down` makes them all Unavailable, `in_the_way` a note a Conflict. What is in
    `meanwhile` happens between the reading and the next commit, one thing each."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.terms = terms or Terms()
        self.leases: dict[str, tuple[str, int]] = {}
        self.checkpoints: dict[str, str | None] = {}
        self.calls: list[str] = []
        self.down = False
        self.meanwhile: list[Callable[[], object]] = []
        self.tenants: dict[str, Tenant] = {}
        self.everybody: dict[OwnerRef, Owner] = {}
        self.keys: dict[str, Key] = {}
        self.single: dict[OwnerRef, str] = {}
        self.live: Counter[tuple[OwnerRef, KeyKind]] = Counter()
        self.events: list[Event] = []
        self.noted: Counter[tuple[str, int]] = Counter()
        self.in_the_way = False
        self.links: dict[LinkRef, Link] = {}
        self.answers: dict[str, KeptAnswer] = {}
        self.spent: dict[tuple[str, Limits], Spent] = {}
        self.uses: dict[str, dict[int, LastUse]] = {}
        self._lock = threading.RLock()

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(self, *refs: Ref[Any]) -> Reading:
        with self._lock:
            if refs:
                self._called("read")
            return Reading({ref: self._find(ref) for ref in refs})

    def _find(self, ref: Ref[Any]) -> object | None:
        match ref:
            case TokenRef(digest):
                return self._grants().get(digest)
            case KeyRef(key_id):
                return self._key(key_id)
            case SingleKeyRef(owner):
                return self._key(self.single.get(owner, ""))
            case TenantRef(tenant):
                return self.tenants.get(tenant)
            case OwnerAt(owner, leaving):
                found = self.everybody.get(owner)
                return found if leaving or (found and not found.leaving) else None
            case AnswerRef(answer_id):
                return self.answers.get(answer_id)
            case LinkNamed(digest):
                return next((link.ref for link in self.links.values() if link.digest == digest), None)
            case LinkAt(link_ref):
                return self.links.get(link_ref)
            case UsesOf(key_id):
                return dict(self.uses[key_id]) if key_id in self.uses else None
            case AppsNamed(tenant, name):
                apps = (each for each in self.everybody.values() if isinstance(each, App) and each.tenant == tenant)
                return frozenset(app.id for app in apps if app.name == name) or None
        raise TypeError(ref)

    def _key(self, key_id: str) -> Key | None:
        key = self.keys.get(key_id)
        return None if key is None or key.purged_at_ms is not None else key

    def _grants(self) -> dict[str, Grant]:
        keys = (key for key in self.keys.values() if key.deleted_at_ms is None and key.purged_at_ms is None)
        return {version.digest: Grant.of(key, version) for key in keys for version in key.versions}

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
        self._called("keys_of")
        found = {
            f"{'' if key.rules.single and not deleted else key.kind}#{key.created_at_ms:013d}#{key.id}": key
            for key in self.keys.values()
            if key.owner == owner and kind in (None, key.kind) and (key.deleted_at_ms is not None) is deleted
            if key.purged_at_ms is None
            if deleted or not key.rules.single or self.single.get(owner) == key.id
            if where(key)
        }
        return _page(found, limit, after)

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
        self._called("owners")
        found = {ref.id: owner for ref, owner in self._of(tenant, kind) if ref.id.startswith(prefix)}
        return _page({key: owner for key, owner in found.items() if leaving or not owner.leaving}, limit, after)

    def owners_with_single_keys(self, tenant: str, kind: OwnerKind) -> Sequence[tuple[Owner, Key | None]]:
        self._called("owners_with_single_keys")
        staying = (each for each in self._of(tenant, kind) if not each[1].leaving)
        found = sorted(staying, key=lambda each: each[0].id)
        return [(owner, self.keys.get(self.single.get(ref, ""))) for ref, owner in found]

    def _of(self, tenant: str, kind: OwnerKind) -> Iterator[tuple[OwnerRef, Owner]]:
        return ((ref, each) for ref, each in self.everybody.items() if (ref.tenant, ref.kind) == (tenant, kind))

    def audit(self, question: AuditQuestion, *, limit: int = 100, after: str | None = None) -> Page[Event]:
        self._called("audit")
        found = sorted(filter(question.asks_for, self.events), key=_place, reverse=question.newest_first)
        if after is not None:
            places = [_place(event) for event in found]
            if after not in places:
                raise errors.FieldInvalid(field="after")
            found = found[places.index(after) + 1 :]
        return Page(found[:limit], _place(found[limit - 1]) if len(found) > limit else None)

    def note(self, event: Event, *, at_most: int, within_ms: int) -> None:
        with self._lock:
            self._called("note")
            if self.in_the_way:
                raise errors.Conflict
            noted = event.subject, event.at_ms // within_ms
            if self.noted[noted] == at_most:
                raise errors.LimitReached(limit=at_most)
            self.noted[noted] += 1
            self.events.append(event)

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        self._called("due")
        found = {
            f"{key.due_at_ms:015d}#{key.id}": key.id
            for key in self.keys.values()
            if key.due_at_ms is not None and key.due_at_ms <= until_ms
        }
        return _page(found, limit, after)

    def links_of(self, key_id: str, *, limit: int = 100, after: str | None = None) -> Page[Link]:
        self._called("links_of")
        return _page({ref.id: link for ref, link in self.links.items() if ref.key_id == key_id}, limit, after)

    # --- leases ----------------------------------------------------------------------------------------------------

    def take_lease(self, name: str, *, holder: str, now_ms: int, until_ms: int) -> Lease | None:
        self._called("take_lease")
        with self._lock:
            by, until = self.leases.get(name, (holder, 0))
            if by != holder and until > now_ms:
                return None
            self.leases[name] = holder, until_ms
            return Lease(name, holder, self.checkpoints.get(name))

    def keep_checkpoint(self, lease: Lease, checkpoint: str | None, *, release: bool = False) -> None:
        self._called("keep_checkpoint")
        with self._lock:
            by, until = self.leases.get(lease.name, ("", 0))
            if by != lease.holder:
                raise Stale
            self.checkpoints[lease.name] = checkpoint
            self.leases[lease.name] = by, 0 if release else until

    def spend(self, key_id: str, limits: Limits, cost: int, now_ms: int) -> Spending:
        with self._lock:
            self._called("spend")
            before = self.spent.get((key_id, limits), Spent())
            after = before.after(limits, cost, now_ms)
            if after is None:
                return Spending.refused(limits, before, cost, now_ms)
            self.spent[key_id, limits] = after
            return Spending.allowed(limits, after, now_ms)

    def note_use(self, key_id: str, version: int, use: LastUse, *, unless_since_ms: int) -> None:
        with self._lock:
            self._called("note_use")
            noted = self.uses.setdefault(key_id, {})
            if version not in noted or noted[version].at_ms <= unless_since_ms:
                noted[version] = use

    # --- writing ---------------------------------------------------------------------------------------------------

    def commit(self, *writes: Write) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        with self._lock:
            self._called("commit")
            touched = [record for write in writes for record in _records(write)]
            if len(touched) != len(set(touched)):
                raise errors.Fault  # as no transaction takes one item twice
            for write in writes:
                self._check(write)
            for write in writes:
                self._apply(write)

    def _check(self, write: Write) -> None:
        match write:
            case SaveTenant(tenant) if tenant.id in self.tenants:
                raise errors.TenantExists
            case SaveOwner(owner, None) if owner.ref in self.everybody:
                raise errors.OwnerExists
            case SaveOwner(owner, Owner() as before) if _changed(self.everybody.get(owner.ref), before):
                raise Stale
            case RemoveOwner(owner) if not owner.leaving or _changed(self.everybody.get(owner.ref), owner):
                raise Stale
            case SaveKey(key, before):
                self._check_key(key, before, write.once)
            case Require():
                self._check_requirements(write)
            case RequireNoKey(owner_ref) if self._has_living_key(owner_ref):
                raise Stale
            case SaveLink(link, before_link) if _changed(self.links.get(link.ref), before_link):
                raise Stale
            case SaveLink(link, None) if any(each.digest == link.digest for each in self.links.values()):
                raise Stale
            case Record(event) if any(each.id == event.id for each in self.events):
                raise Stale
            case KeepAnswer(answer, now_ms) if self._is_kept(answer.id, now_ms):
                raise Stale

    def _is_kept(self, answer_id: str, now_ms: int) -> bool:
        kept = self.answers.get(answer_id)
        return kept is not None and kept.expires_at_ms > now_ms

    def _check_key(self, key: Key, before: Key | None, once: bool) -> None:
        if _changed(self.keys.get(key.id), before):
            raise errors.Conflict if once else Stale
        comes_to_its_place = before is None or before.deleted_at_ms is not None
        if key.rules.single and comes_to_its_place and key.is_standing and self._has_living_key(key.owner):
            raise errors.KeyExists
        former = () if before is None or before.deleted_at_ms is not None else before.versions
        if ({each.digest for each in key.versions} - {each.digest for each in former}) & self._grants().keys():
            raise Stale

    def _has_living_key(self, owner: OwnerRef) -> bool:
        holder = self.keys.get(self.single.get(owner, ""))
        return holder is not None and holder.revoked_at_ms is None

    def _check_requirements(self, write: Require) -> None:
        owner = self.everybody.get(write.owner)
        late = write.there_by_ms is not None and owner is not None and owner.created_at_ms > write.there_by_ms
        if owner is None or late or (owner.leaving and write.by > 0):
            raise OWNER_NOT_FOUND[write.owner.kind]
        for requirement in write.requirements:
            requirement.check(owner)
        if write.count is not None and write.by > 0:
            limit = RULES[write.count].limit
            if limit is not None and self.live[write.owner, write.count] >= limit:
                raise errors.LimitReached(limit=limit)

    def _apply(self, write: Write) -> None:
        match write:
            case SaveTenant(tenant):
                self.tenants[tenant.id] = tenant
            case SaveOwner(owner):
                self.everybody[owner.ref] = owner
            case RemoveOwner(owner):
                del self.everybody[owner.ref]
            case SaveKey(key, before):
                self.keys[key.id] = replace(key, due_at_ms=key.comes_due_at_ms(self.terms))
                if key.rules.single:
                    self._place(key, comes=before is None or before.deleted_at_ms is not None)
            case Require(owner=ref, count=KeyKind() as count, by=by):
                self.live[ref, count] += by
            case Record(event):
                self.events.append(event)
            case SaveLink(link):
                self.links[link.ref] = link
            case KeepAnswer(answer):
                self.answers[answer.id] = answer

    def _place(self, key: Key, *, comes: bool) -> None:
        """The place of a revoked key may be its successor's by now: that is left alone."""
        holder = self.single.get(key.owner)
        if key.deleted_at_ms is None and key.purged_at_ms is None:
            if key.revoked_at_ms is None or (comes and holder is None):
                self.single[key.owner] = key.id
        elif holder == key.id:
            del self.single[key.owner]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.down:
            raise errors.Unavailable


def _changed(current: Owner | Key | Link | None, before: Owner | Key | Link | None) -> bool:
    return (current and current.revision) != (before and before.revision)


def _records(write: Write) -> Iterator[object]:
    match write:
        case SaveTenant(tenant):
            yield TenantRef(tenant.id)
        case SaveOwner(owner) | RemoveOwner(owner):
            yield OwnerAt(owner.ref)
        case Require(ref):
            yield OwnerAt(ref)
        case RequireNoKey(ref):
            yield SingleKeyRef(ref)
        case SaveLink(link):
            yield LinkAt(link.ref)
        case KeepAnswer(answer):
            yield AnswerRef(answer.id)
        case SaveKey(key):
            yield KeyRef(key.id)
            if key.rules.single:
                yield SingleKeyRef(key.owner)


def _place(event: Event) -> str:
    return f"{event.at_ms:013d}#{event.id}"


def _page(found: dict[str, T], limit: int, after: str | None) -> Page[T]:
    """`found` by the cursors that lead to what follows."""
    rest = sorted(cursor for cursor in found if after is None or cursor > after)
    return Page([found[cursor] for cursor in rest[:limit]], rest[limit - 1] if len(rest) > limit else None)


class OpenVault:
    """Seals by writing what a secret is bound to in front of it, and `revealed` remembers what was asked for."""

    def __init__(self) -> None:
        self.down = False
        self.sealed = 0
        self.revealed: list[SealedSecret] = []

    def seal(self, token: Token, *, tenant: str, key_id: str, version: int) -> bytes:
        if self.down:
            raise errors.Unavailable
        self.sealed += 1
        return _label(tenant, key_id, version) + token.reveal().encode()

    def reveal(self, secrets: Iterable[SealedSecret]) -> list[Token]:
        return [self._open(secret) for secret in secrets]

    def _open(self, secret: SealedSecret) -> Token:
        if self.down:
            raise errors.Unavailable
        self.revealed.append(secret)
        label = _label(secret.tenant, secret.key_id, secret.version)
        if not secret.ciphertext.startswith(label):
            raise errors.Fault
        return Token(secret.ciphertext.removeprefix(label).decode())


def _label(tenant: str, key_id: str, version: int) -> bytes:
    return f"{tenant}|{key_id}|{version}|".encode()


@dataclass(frozen=True, slots=True)
class Mail:
    token: Token
    to: str
    owner_name: str


@dataclass(slots=True)
class Outbox:
    """`sent` and `warnings` are the mails that left; while it `refuses`, none does."""

    sent: list[Mail] = field(default_factory=list)
    warnings: list[tuple[str, Warned]] = field(default_factory=list)
    refuses: bool = False
    refusal: errors.MailNotSent = field(default_factory=errors.MailNotSent)

    def send_token(self, token: Token, *, to: str, owner_name: str) -> None:
        if self.refuses:
            raise errors.MailNotSent
        self.sent.append(Mail(token, to, owner_name))

    def send_link(self, url: Token, *, to: str, until_ms: int) -> None:
        self.send_token(url, to=to, owner_name="")

    def send_warning(self, warning: Warned, *, to: str) -> None:
        if self.refuses:
            raise self.refusal
        self.warnings.append((to, warning))


@dataclass(slots=True)
class FixedClock:
    """Stands still until it is moved."""

    ms: int = 1_790_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def advance(self, ms: int) -> None:
        self.ms += ms


@dataclass(frozen=True, slots=True)
class Fakes:
    """One of each, and the desk they make."""

    store: FakeKeyStore = field(default_factory=FakeKeyStore)
    vault: OpenVault = field(default_factory=OpenVault)
    outbox: Outbox = field(default_factory=Outbox)
    clock: FixedClock = field(default_factory=FixedClock)
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        self.store.terms = self.terms

    @property
    def desk(self) -> Desk:
        return Desk(
            store=self.store,
            vault=self.vault,
            mailer=self.outbox,
            clock=self.clock,
            stage="test",
            terms=self.terms,
        )
