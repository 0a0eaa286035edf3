"""The receiving end of HPKE (RFC 9180) in base mode, written from the RFC: X25519, HKDF-SHA256, AES-256-GCM."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

# Ids of the KEM, the KDF and the AEAD in the RFC's section 7.
KEM_ID = b"KEM" + (0x0020).to_bytes(2, "big")
SUITE_ID = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0002))
KEY_BYTES, NONCE_BYTES = 32, 12


def open_base(sealed: bytes, key: X25519PrivateKey, *, info: bytes) -> bytes:
    """Open what `SealBase` made: the encapsulated key, then the ciphertext.

    Raises:
        InvalidTag: It was sealed to another key or with another info.
    """
    enc, ciphertext = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
    shared = key.exchange(X25519PublicKey.from_public_bytes(enc))
    eae = _extract(b"", b"eae_prk", shared, suite=KEM_ID)
    context = enc + key.public_key().public_bytes_raw()
    secret = _expand(eae, b"shared_secret", context, KEY_BYTES, suite=KEM_ID)
    psk_id = _extract(b"", b"psk_id_hash", b"")
    schedule = b"\0" + psk_id + _extract(b"", b"info_hash", info)
    final = _extract(secret, b"secret", b"")
    used = _expand(final, b"key", schedule, KEY_BYTES)
    nonce = _expand(final, b"base_nonce", schedule, NONCE_BYTES)
    return AESGCM(used).decrypt(nonce, ciphertext, b"")


def _extract(salt: bytes, label: bytes, material: bytes, *, suite: bytes = SUITE_ID) -> bytes:
    labelled = b"HPKE-v1" + suite + label + material
    return HKDF.extract(SHA256(), salt or None, labelled)


def _expand(
    secret: bytes, label: bytes, info: bytes, length: int, *, suite: bytes = SUITE_ID
) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(SHA256(), length, labelled).derive(secret)
