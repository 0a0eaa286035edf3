"""ASP.NET Identity's password hashes, versions 2 and 3: binary, written in Base64."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS
from migrator.schemes.pbkdf2 import BOUND, MAX_ITERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRFS = ("sha1", "sha256", "sha512")
_V2_BYTES, _V2_ITERATIONS, _V2_SALT_BYTES = 49, 1000, 16
_V3_HEAD_BYTES = 13
# ASP.NET Identity itself refuses shorter salts; keys of other lengths were cut off.
_MIN_SALT_BYTES, _MAX_SALT_BYTES = 16, 64
_KEY_BYTES = (16, 32, 64)
# Of these lengths are digests, which an operator may have declared.
_DIGEST_BYTES = (16, 20, 32, 64)
_MAX_TEXT = 200


@dataclass(frozen=True)
class _Parts:
    prf: str
    iterations: int
    salt: bytes
    key: bytes


class AspNet:
    """Version 2: 0x00, salt, key. Version 3: 0x01, PRF, iterations, length of the salt, salt, key."""

    name = "aspnet_identity"
    title = "ASP.NET Identity, versions 2 and 3"
    bound = BOUND
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values whose head fits their length."""
        return _read(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Derive the key anew and compare."""
        parts = None if params else _read(value)
        if parts is None:
            return False
        length = len(parts.key)
        found = pbkdf2_hmac(parts.prf, password, parts.salt, parts.iterations, length)
        return hmac.compare_digest(found, parts.key)


def _read(value: str) -> _Parts | None:
    if not value.startswith("A") or len(value) > _MAX_TEXT:
        return None
    try:
        raw = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    if b64encode(raw).decode() != value:
        return None
    return _version_2(raw) if raw[0] == 0 else _version_3(raw)


def _version_2(raw: bytes) -> _Parts | None:
    if len(raw) != _V2_BYTES:
        return None
    salt, key = raw[1 : 1 + _V2_SALT_BYTES], raw[1 + _V2_SALT_BYTES :]
    return _Parts("sha1", _V2_ITERATIONS, salt, key)


def _version_3(raw: bytes) -> _Parts | None:
    if raw[0] != 1 or len(raw) < _V3_HEAD_BYTES or len(raw) in _DIGEST_BYTES:
        return None
    prf, iterations, salt_bytes = (int.from_bytes(raw[at : at + 4]) for at in (1, 5, 9))
    body = raw[_V3_HEAD_BYTES:]
    salt, key = body[:salt_bytes], body[salt_bytes:]
    whole = _MIN_SALT_BYTES <= len(salt) <= _MAX_SALT_BYTES and len(key) in _KEY_BYTES
    if prf >= len(_PRFS) or not whole or not 1 <= iterations <= MAX_ITERATIONS:
        return None
    return _Parts(_PRFS[prf], iterations, salt, key)
