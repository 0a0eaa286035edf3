"""Seals as the plugin does, for tests that need no Auther."""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(value: str, public_key: str, *, user_id: str) -> str:
    """Seal a text for the holder of the private key."""
    recipient = base64.urlsafe_b64decode(public_key + "=")
    ephemeral = X25519PrivateKey.generate()
    sender, iv = ephemeral.public_key().public_bytes_raw(), os.urandom(12)
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    key = HKDF(SHA256(), 32, sender + recipient, b"migrator write-back v1").derive(shared)
    closed = AESGCM(key).encrypt(iv, value.encode(), user_id.encode())
    return f"v1.{_text(sender)}.{_text(iv + closed)}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
