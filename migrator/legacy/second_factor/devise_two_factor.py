"""devise-two-factor up to 4: attr_encrypted's AES-256-GCM with a key of its own for each secret."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from migrator.legacy.second_factor.interface import Fault, Secret, secret_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITERATIONS = 2000
_KEY_BYTES = 32
# What attr_encrypted puts before a salt that it encoded.
_ENCODED = "_"


class DeviseTwoFactor:
    """Opens `encrypted_otp_secret`.

    Args:
        keys: `otp_secret_encryption_key` now, then the ones before it.
    """

    columns = ("encrypted_otp_secret", "encrypted_otp_secret_iv", "encrypted_otp_secret_salt")

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    def open(self, values: Sequence[str | None]) -> Secret | Fault:
        """Open a user's secret."""
        box, iv, salt = values
        if not box:
            return Fault.NO_SECRET
        try:
            sealed, nonce = base64.b64decode(box), base64.b64decode(iv or "")
            salted = base64.b64decode((salt or "").removeprefix(_ENCODED))
            return self._decrypted(sealed, nonce, salted)
        except ValueError:
            return Fault.MALFORMED

    def _decrypted(self, sealed: bytes, nonce: bytes, salt: bytes) -> Secret | Fault:
        for key in self._keys:
            derived = PBKDF2HMAC(SHA1(), _KEY_BYTES, salt, _ITERATIONS).derive(key)  # noqa: S303
            try:
                return secret_of(AESGCM(derived).decrypt(nonce, sealed, None))
            except InvalidTag:
                continue
        return Fault.WRONG_KEY
