"""Sealed values: the plugin closes them with a public key, and only the migrator opens them.

`v1.<ephemeral public key>.<iv, ciphertext, tag>`, base64url: X25519, HKDF-SHA256, AES-256-GCM; the
user's id is authenticated with it, so that a value cannot be moved to another user.
"""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = "v1"
KEY_BYTES, IV_BYTES, TAG_BYTES = 32, 12, 16
_INFO = b"migrator write-back v1"


def make_key() -> str:
    """Make a private key, base64url."""
    return _encode(X25519PrivateKey.generate().private_bytes_raw())


def public_key_of(private_key: str) -> str:
    """Give the public half, base64url.

    Raises:
        ValueError: It is no private key.
    """
    return _encode(_private(private_key).public_key().public_bytes_raw())


def seal(value: str, public_key: str, *, user_id: str) -> str:
    """Close a value so that only the holder of the private key opens it.

    Raises:
        ValueError: The key is no public key.
    """
    recipient = _decode(public_key, length=KEY_BYTES)
    ephemeral = X25519PrivateKey.generate()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    sender, iv = ephemeral.public_key().public_bytes_raw(), os.urandom(IV_BYTES)
    closed = AESGCM(_key(shared, sender + recipient)).encrypt(iv, value.encode(), user_id.encode())
    return f"{VERSION}.{_encode(sender)}.{_encode(iv + closed)}"


def open_sealed(sealed: str, private_key: str, *, user_id: str) -> str:
    """Open what was sealed for a user.

    Raises:
        ValueError: It is damaged, for another user, or sealed to another key.
    """
    version, _, rest = sealed.partition(".")
    sender_text, _, body_text = rest.partition(".")
    if version != VERSION:
        raise ValueError("not a sealed value of this version")
    sender, body = _decode(sender_text, length=KEY_BYTES), _decode(body_text)
    if len(body) < IV_BYTES + TAG_BYTES:
        raise ValueError("a cut-off sealed value")
    mine = _private(private_key)
    shared = mine.exchange(X25519PublicKey.from_public_bytes(sender))
    key = _key(shared, sender + mine.public_key().public_bytes_raw())
    try:
        return AESGCM(key).decrypt(body[:IV_BYTES], body[IV_BYTES:], user_id.encode()).decode()
    except InvalidTag:
        raise ValueError("sealed to another key or for another user") from None


def _key(shared: bytes, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, _INFO).derive(shared)


def _private(private_key: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_decode(private_key, length=KEY_BYTES))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str, *, length: int | None = None) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    if length is not None and len(raw) != length:
        raise ValueError(f"{length} bytes are needed")
    return raw
