"""Passwords that people set at Auther, in the application's scheme, sealed by the plugin for the migrator alone.

`v1.<ephemeral public key>.<iv || ciphertext || tag>`, both base64url without padding: X25519, HKDF-SHA256 with the
salt ephemeral || recipient, AES-256-GCM with the user's id as additional data.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from migrator.core.errors import MigratorError, UsageError

_INFO = b"migrator write-back v1"
_KEY_BYTES = 32
_IV_BYTES = 12
_PARTS = 2


class SealError(MigratorError):
    """Sealed material that this key does not open, or that was changed; the message holds nothing of it."""


class SealKey:
    """The private key; only the migrator has it.

    Args:
        text: 32 bytes in base64url.

    Raises:
        UsageError: It is something else.
    """

    def __init__(self, text: str) -> None:
        raw = _decode(text)
        if raw is None or len(raw) != _KEY_BYTES:
            raise UsageError(
                "the seal key is not 32 bytes in base64url",
                hint="restore plugin.seal_key from its backup",
            )
        self._key = X25519PrivateKey.from_private_bytes(raw)
        self._public = self._key.public_key().public_bytes_raw()

    @property
    def public(self) -> str:
        """The public key for MIGRATOR_SEAL_KEY, base64url."""
        return _encode(self._public)

    def open(self, sealed: str, *, user_id: str) -> str:
        """Give the legacy value of a password.

        Args:
            sealed: As an event carries it.
            user_id: Whose event it is; material of another user does not open.

        Raises:
            SealError: Another key or user, or the text was changed.
        """
        version, *parts = sealed.split(".")
        if version != "v1" or len(parts) != _PARTS:
            raise _closed()
        ephemeral, box = (_decode(part) for part in parts)
        if ephemeral is None or len(ephemeral) != _KEY_BYTES or not box:
            raise _closed()
        try:
            return self._decrypt(ephemeral, box, user_id)
        except (InvalidTag, ValueError):
            raise _closed() from None

    def _decrypt(self, ephemeral: bytes, box: bytes, user_id: str) -> str:
        shared = self._key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        salt = ephemeral + self._public
        key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=_INFO).derive(shared)
        plain = AESGCM(key).decrypt(box[:_IV_BYTES], box[_IV_BYTES:], user_id.encode())
        return plain.decode()


def new_key() -> str:
    """Make a private key, in the form that `SealKey` reads."""
    return _encode(X25519PrivateKey.generate().private_bytes_raw())


def _closed() -> SealError:
    return SealError(
        "a sealed password does not open with this key",
        hint="migrator import plugin --env-file FILE, and give Auther that environment",
    )


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
