"""The contract of SecretVault, kept alike by KMS and by the fake; and what only KMS can meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keywright import errors, tokens
from keywright.adapters.kms import SIDE_BY_SIDE, KmsSecretVault
from keywright.ports import SealedSecret, SecretVault
from keywright.tokens import Format, Token
from local.aws import Fault, error
from local.stack import Stack
from tests.integration.conftest import Faults


def seal(vault: SecretVault, token: Token, tenant: str = "a", key_id: str = "key_1", version: int = 1) -> SealedSecret:
    return SealedSecret(tenant, key_id, version, vault.seal(token, tenant=tenant, key_id=key_id, version=version))


@pytest.mark.parametrize("form", Format)
def test_a_secret_of_every_format_is_had_again(vault: SecretVault, form: Format) -> None:
    token = tokens.generate(form, stage="test")
    (revealed,) = vault.reveal([seal(vault, token)])
    assert revealed == token


def test_secrets_are_revealed_in_the_order_they_were_asked_for(vault: SecretVault) -> None:
    given = [tokens.generate(Format.SECRET, stage="test") for _ in range(2 * SIDE_BY_SIDE + 1)]
    sealed = [seal(vault, token, version=number) for number, token in enumerate(given)]
    assert vault.reveal(reversed(sealed)) == given[::-1]
    assert vault.reveal([]) == []


@pytest.mark.parametrize(
    "moved",
    [{"tenant": "b"}, {"key_id": "key_2"}, {"version": 2}, {"tenant": "key_1", "key_id": "a"}],
)
def test_a_ciphertext_moved_to_another_tenant_key_or_version_does_not_open(
    vault: SecretVault, moved: dict[str, object]
) -> None:
    secret = seal(vault, tokens.generate(Format.NATIVE, stage="test"))
    with pytest.raises(errors.Fault):
        vault.reveal([replace(secret, **moved)])  # type: ignore[arg-type]
    with pytest.raises(errors.Fault):
        vault.reveal([secret, replace(secret, **moved), secret])  # type: ignore[arg-type]


def test_every_pair_of_places_is_apart(vault: SecretVault) -> None:
    token = tokens.generate(Format.NATIVE, stage="test")
    places = [(tenant, key_id, version) for tenant in "ab" for key_id in ("key_1", "key_2") for version in (1, 2)]
    for place in places:
        secret = seal(vault, token, *place)
        for tenant, key_id, version in places:
            moved = SealedSecret(tenant, key_id, version, secret.ciphertext)
            if (tenant, key_id, version) == place:
                assert vault.reveal([moved]) == [token]
            else:
                with pytest.raises(errors.Fault):
                    vault.reveal([moved])


def test_a_ciphertext_with_any_bit_turned_does_not_open(kms_vault: KmsSecretVault) -> None:
    secret = seal(kms_vault, tokens.generate(Format.GUID_LOWER, stage="test"))
    for position in range(0, len(secret.ciphertext) * 8, 7):
        turned = bytearray(secret.ciphertext)
        turned[position // 8] ^= 1 << position % 8
        with pytest.raises((errors.Fault, errors.Unavailable)):
            kms_vault.reveal([replace(secret, ciphertext=bytes(turned))])
    with pytest.raises((errors.Fault, errors.Unavailable)):
        kms_vault.reveal([replace(secret, ciphertext=secret.ciphertext[:-1])])


def test_the_context_holds_ids_and_nothing_else(kms_vault: KmsSecretVault, stack: Stack) -> None:
    """It is written to CloudTrail in clear."""
    stack.aws.clear()
    kms_vault.reveal([seal(kms_vault, tokens.generate(Format.NATIVE, stage="test"))])
    sealing, revealing = stack.aws.calls
    assert [sealing.operation, revealing.operation] == ["Encrypt", "Decrypt"]
    for call in (sealing, revealing):
        assert call.request["EncryptionContext"] == {"tenant": "a", "key_id": "key_1", "version": "1"}
        assert call.request["KeyId"].startswith("arn:aws:kms:")


def test_a_sealed_secret_shows_nothing_of_itself(vault: SecretVault) -> None:
    token = tokens.generate(Format.NATIVE, stage="test")
    assert token.reveal() not in repr(seal(vault, token))


KMS_ERRORS = [
    Fault(error("DisabledException")),
    Fault(error("KMSInvalidStateException")),
    Fault(error("ThrottlingException")),
    Fault(error("KMSInternalException", 500)),
    Fault(error("AccessDeniedException")),
    Fault(None),
]


@pytest.mark.parametrize("fault", KMS_ERRORS)
def test_an_error_of_kms_is_unavailable(kms_vault: KmsSecretVault, faults: Faults, fault: Fault) -> None:
    token = tokens.generate(Format.NATIVE, stage="test")
    secret = seal(kms_vault, token)
    faults(lambda _: fault)
    with pytest.raises(errors.Unavailable):
        seal(kms_vault, token)
    with pytest.raises(errors.Unavailable):
        kms_vault.reveal([secret])
    with pytest.raises(errors.Unavailable):
        kms_vault.reveal([secret, secret])
    faults(lambda _: None)
    assert kms_vault.reveal([secret]) == [token]
