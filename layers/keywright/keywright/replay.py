"""Safe retries: the same request under the same ``Idempotency-Key`` has one effect and one answer, for 24 hours.

The header is that of the IETF's draft-ietf-httpapi-idempotency-key-header. A change that bears it is done on a desk of
its own, which writes nothing yet: it takes down what would be committed. When the answer is rendered, change and answer
are committed in one transaction, so there is no moment at which the one stands and the other does not, and nothing that
says "under way" which a crash could leave behind. Of two requests at once one commits; the other finds its answer.

No secret is kept. Every secret that passed the vault on the way is cut out of the answer, which keeps in its place the
ciphertext and what that is bound to, the key's id and version; to give the answer again is to decrypt again. What was
refused is not kept: nothing was changed, and a retry may succeed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, cast

from keywright import audit, errors
from keywright.access import Principal
from keywright.model import EventType, OwnerRef
from keywright.ports import (
    Desk,
    KeepAnswer,
    KeptAnswer,
    KeptSecret,
    KeyStore,
    Record,
    SaveKey,
    SealedSecret,
    SecretVault,
    Write,
)
from keywright.tokens import Token

HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255
"""Characters."""
KEPT_MS: Final = 86_400_000
"""24 hours."""
_STRING: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
"""A string of a structured field (RFC 8941 3.3.3)."""
_BARE: Final = re.compile(r"[!#-+\--\[\]-~]+")
"""What many clients send instead: one word, without comma, quote or backslash."""


def key_in(value: str | None) -> str | None:
    """The key in the header's value, None where there is no header. Raises FieldInvalid, TooLong."""
    if value is None:
        return None
    if len(value) > 2 * LONGEST_KEY + 2:  # every character escaped, and the quotes
        raise errors.TooLong(field=HEADER)
    if quoted := _STRING.fullmatch(value):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    elif not value or _BARE.fullmatch(value):
        key = value
    else:
        raise errors.FieldInvalid(
            field=HEADER, detail="It is a quoted string, or a word without comma, quote or backslash."
        )
    if not key:
        raise errors.TooShort(field=HEADER)
    if len(key) > LONGEST_KEY:
        raise errors.TooLong(field=HEADER)
    return key


def answer_id(credential: str, key: str) -> str:
    """Where the answer to a caller's request is kept. The credential is all that is known of a caller before the read
    that brings both its record and the answer; two callers never share one."""
    return digest_of(credential, key)


def digest_of(*parts: str) -> str:
    """SHA-256, in hex, of the parts, none of which can be taken for the end of another."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()


class Attempt:
    """One try at a change whose answer will be kept: `desk` is where it is done."""

    def __init__(self, desk: Desk) -> None:
        self._real = desk
        self._store = _HeldBack(desk.store)
        self._vault = _Watched(desk.vault)
        self.desk = replace(
            desk, store=cast("KeyStore", self._store), vault=cast("SecretVault", self._vault), keeps_answers=True
        )

    def settle(self, answer_id: str, request_digest: str, *, status: int, content_type: str, body: str) -> None:
        """Commits the change together with its answer. Raises what `KeyStore.commit` raises; Stale also where another
        request under the same key was faster."""
        now_ms = self._real.clock.now_ms()
        parts, secrets = self._vault.cut(body)
        owners = {write.key.id: write.key.owner for write in self._store.writes if isinstance(write, SaveKey)}
        kept = KeptAnswer(
            id=answer_id,
            request_digest=request_digest,
            status=status,
            content_type=content_type,
            parts=parts,
            secrets=tuple(KeptSecret(each, owners.get(each.key_id)) for each in secrets),
            expires_at_ms=now_ms + KEPT_MS,
        )
        # First, since the first refused write decides: a place that the faster request took is not missing.
        self._real.store.commit(KeepAnswer(kept, now_ms), *self._store.writes)


def body_of(desk: Desk, caller: Principal, kept: KeptAnswer) -> str:
    """The answer as it was, its secrets decrypted. A key's is on record before it leaves once more. Raises
    Unavailable."""
    tokens = desk.vault.reveal(each.sealed for each in kept.secrets) if kept.secrets else []
    audit.commit(desk, (_revealed(desk, caller, each.owner, each.sealed) for each in kept.secrets if each.owner))
    pieces = [kept.parts[0]]
    for token, part in zip(tokens, kept.parts[1:], strict=True):
        pieces += [token.reveal(), part]
    return "".join(pieces)


def _revealed(desk: Desk, caller: Principal, owner: OwnerRef, sealed: SealedSecret) -> Record:
    return audit.record(desk, caller, EventType.KEY_REVEALED, owner, sealed.key_id, version=sealed.version)


class _HeldBack:
    """A store that reads, and takes down the one commit."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self.writes: tuple[Write, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, *writes: Write) -> None:
        if self.writes:
            raise ValueError("a change whose answer is kept is one commit")
        self.writes = writes


class _Watched:
    """A vault that remembers which secrets passed."""

    def __init__(self, vault: SecretVault) -> None:
        self._vault = vault
        self._passed: dict[str, SealedSecret] = {}

    def seal(self, token: Token, *, tenant: str, key_id: str, version: int) -> bytes:
        ciphertext = self._vault.seal(token, tenant=tenant, key_id=key_id, version=version)
        self._passed[token.reveal()] = SealedSecret(tenant, key_id, version, ciphertext)
        return ciphertext

    def reveal(self, secrets: Iterable[SealedSecret]) -> list[Token]:
        wanted = list(secrets)
        tokens = self._vault.reveal(wanted)
        self._passed.update((token.reveal(), secret) for token, secret in zip(tokens, wanted, strict=True))
        return tokens

    def cut(self, body: str) -> tuple[tuple[str, ...], tuple[SealedSecret, ...]]:
        """The body without the secrets, and the secrets that stood between its parts. None of ours has a character
        that JSON would write in another way."""
        if not self._passed:
            return (body,), ()
        pieces = re.split(f"({'|'.join(map(re.escape, self._passed))})", body)
        return tuple(pieces[::2]), tuple(self._passed[secret] for secret in pieces[1::2])
