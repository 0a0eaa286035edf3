"""bcrypt of a digest of the password, which lifts its limit of 72 bytes: Django's and WordPress's."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS
from migrator.schemes.bcrypt import Bcrypt

if TYPE_CHECKING:
    from collections.abc import Mapping

_BCRYPT = Bcrypt()
# What PHP's trim takes away.
_PHP_SPACE = b" \n\r\t\v\0"
_DJANGO = re.compile(r"(bcrypt_sha256|bcrypt)\$(\$2[aby]\$.*)")


class Django:
    """`bcrypt_sha256$$2b$12$…`: bcrypt of the hexadecimal SHA-256; also Django's plain `bcrypt$…`."""

    name = "django_bcrypt"
    title = "Django's bcrypt, `bcrypt_sha256$…` and `bcrypt$…`"
    bound = _BCRYPT.bound
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim what is whole behind the name."""
        match = _DJANGO.fullmatch(value)
        return match is not None and _BCRYPT.claim(match[2])

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Check the digest, or the password where there is none."""
        match = None if params else _DJANGO.fullmatch(value)
        if match is None or not _BCRYPT.claim(match[2]):
            return False
        digested = match[1] == "bcrypt_sha256"
        secret = sha256(password).hexdigest().encode() if digested else password
        return _BCRYPT.verify(match[2], secret, pepper=b"")


class WordPress:
    """`$wp$2y$10$…`: bcrypt of the HMAC-SHA-384 of the trimmed password, in Base64."""

    name = "wordpress"
    title = "WordPress 6.8 and later, `$wp$2y$…`"
    bound = _BCRYPT.bound
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim what is whole behind the prefix."""
        return value.startswith("$wp$2y$") and _BCRYPT.claim(value[3:])

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Check the MAC."""
        if params or not self.claim(value):
            return False
        mac = hmac.digest(b"wp-sha384", password.strip(_PHP_SPACE), "sha384")
        return _BCRYPT.verify(value[3:], b64encode(mac), pepper=b"")
