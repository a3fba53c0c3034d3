"""SecretVault over AWS KMS: each secret encrypted directly by KMS, bound to its key by the encryption context.

KMS is the authenticated encryption; there is no data key and no cryptography here. The context is written in clear to
CloudTrail, so it holds ids only, and CloudTrail then lists every disclosure by tenant, key and version. `Encrypt` takes
up to 4,096 bytes (AWS KMS API reference); the longest token has 160.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from keywright import errors
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.ports import SealedSecret
from keywright.tokens import Token

SIDE_BY_SIDE = 10
"""How many secrets are asked for at the same time; either client keeps as many connections."""


class KmsSecretVault:
    def __init__(self, service: JsonService, key_arn: str) -> None:
        self._service = service
        self._key_arn = key_arn

    def seal(self, token: Token, *, tenant: str, key_id: str, version: int) -> bytes:
        request = {
            "KeyId": self._key_arn,
            "Plaintext": token.reveal().encode(),
            "EncryptionContext": _context(tenant, key_id, version),
        }
        try:
            answer = self._service.call("Encrypt", request)
        except (ServiceError, Unreachable) as failure:
            raise errors.Unavailable from failure
        return base64.b64decode(answer["CiphertextBlob"])

    def reveal(self, secrets: Iterable[SealedSecret]) -> list[Token]:
        asked = list(secrets)
        if len(asked) < 2:
            return [self._open(secret) for secret in asked]
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  few functions reveal anything

        with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(asked))) as pool:
            return list(pool.map(self._open, asked))

    def _open(self, secret: SealedSecret) -> Token:
        request = {
            "KeyId": self._key_arn,
            "CiphertextBlob": secret.ciphertext,
            "EncryptionContext": _context(secret.tenant, secret.key_id, secret.version),
        }
        try:
            answer = self._service.call("Decrypt", request)
        except ServiceError as failure:
            if failure.code == "InvalidCiphertextException":
                raise errors.Fault from failure
            raise errors.Unavailable from failure
        except Unreachable as failure:
            raise errors.Unavailable from failure
        return Token(base64.b64decode(answer["Plaintext"]).decode())


def _context(tenant: str, key_id: str, version: int) -> dict[str, str]:
    return {"tenant": tenant, "key_id": key_id, "version": str(version)}
