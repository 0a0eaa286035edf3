"""Tokens that no cookie can hold: sealed in the database, with the key in the browser only."""

from __future__ import annotations

import base64
import binascii
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .model import LargeTokens
from .tokens import TokenRefusedError

# Browsers drop cookies above 4096 bytes, name and attributes included.
COOKIE_MAX_BYTES = 3500
_PREFIX = "s."
_IV_BYTES = 12


class TokenStore:
    """Turns tokens into cookie values and back."""

    def __init__(self, rows: LargeTokens) -> None:
        self._rows = rows

    def cookie_value(self, token: str, expires_at_s: float) -> str:
        """Give what the cookie holds: the token, or for a large one a handle to it.

        Raises:
            VerificationUnavailableError: The database does not answer.
        """
        if len(token) <= COOKIE_MAX_BYTES:
            return token
        handle = _PREFIX + secrets.token_urlsafe(32)
        iv = secrets.token_bytes(_IV_BYTES)
        sealed = iv + AESGCM(_key(handle)).encrypt(iv, token.encode(), None)
        text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        self._rows.keep(_hash(handle), text, expires_at_s)
        return handle

    def opened(self, value: str) -> str:
        """Give the token of a cookie value.

        Raises:
            TokenRefusedError: The handle is not, or no longer, known.
            VerificationUnavailableError: The database does not answer.
        """
        if not value.startswith(_PREFIX):
            return value
        sealed = self._rows.find(_hash(value))
        if sealed is None:
            raise TokenRefusedError("expired", stale=True)
        try:
            data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            iv, text = data[:_IV_BYTES], data[_IV_BYTES:]
            return AESGCM(_key(value)).decrypt(iv, text, None).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise TokenRefusedError("malformed") from None

    def discard(self, value: str) -> None:
        """Delete what a cookie value leads to, if anything."""
        if value.startswith(_PREFIX):
            self._rows.discard(_hash(value))


def _hash(handle: str) -> str:
    return sha256(handle.encode()).hexdigest()


def _key(handle: str) -> bytes:
    return sha256(f"migrator_token:{handle}".encode()).digest()
