"""Laravel Fortify: `two_factor_secret`, encrypted by Laravel's own Crypt with the application's key."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from migrator.core.errors import UsageError
from migrator.legacy.second_factor.interface import Fault, Secret, secret_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENCODED = "base64:"
_KEY_BYTES = (16, 32)
# How PHP's serialize writes a text.
_SERIALIZED = re.compile(rb's:\d+:"(.*)";', re.DOTALL)


class _Payload(NamedTuple):
    """Each in Base64, as the code over them is made; `tag` is empty for CBC, `mac` for GCM."""

    iv: str
    value: str
    mac: str
    tag: str


class Fortify:
    """Opens `two_factor_secret`.

    Args:
        keys: `APP_KEY` now, then the ones before it, as they stand in `.env`.

    Raises:
        UsageError: One is no key for AES-128 or AES-256.
    """

    columns = ("two_factor_secret",)

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [_key(text) for text in keys]

    def open(self, values: Sequence[str | None]) -> Secret | Fault:
        """Open a user's secret."""
        (box,) = values
        if not box:
            return Fault.NO_SECRET
        try:
            payload = _payload(box)
            plain = next(filter(None, (_decrypted(payload, key) for key in self._keys)), None)
        except (ValueError, RecursionError):
            return Fault.MALFORMED
        if plain is None:
            return Fault.WRONG_KEY
        serialized = _SERIALIZED.fullmatch(plain)
        return secret_of(serialized[1] if serialized else plain)


def _key(text: str) -> bytes:
    try:
        encoded = text.startswith(_ENCODED)
        key = (
            base64.b64decode(text.removeprefix(_ENCODED), validate=True)
            if encoded
            else text.encode()
        )
    except binascii.Error:
        key = b""
    if len(key) not in _KEY_BYTES:
        raise UsageError(
            "legacy.totp.keys: this is no key of Laravel's",
            hint="give APP_KEY as it stands in .env, with its base64:",
        )
    return key


def _payload(box: str) -> _Payload:
    """Read the envelope; a ValueError says that it is none."""
    parts = json.loads(base64.b64decode(box, validate=True))
    if isinstance(parts, dict):
        return _Payload(*(str(parts.get(name, "")) for name in _Payload._fields))
    raise ValueError("no object")


def _decrypted(payload: _Payload, key: bytes) -> bytes | None:
    """Give what was encrypted, None when this is not the key."""
    iv, value = base64.b64decode(payload.iv), base64.b64decode(payload.value)
    if payload.tag:
        try:
            return AESGCM(key).decrypt(iv, value + base64.b64decode(payload.tag), None)
        except InvalidTag:
            return None
    made = hmac.digest(key, f"{payload.iv}{payload.value}".encode(), "sha256").hex()
    if not hmac.compare_digest(made.encode(), payload.mac.encode()):
        return None
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    unpadder = PKCS7(AES.block_size).unpadder()
    padded = decryptor.update(value) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()
