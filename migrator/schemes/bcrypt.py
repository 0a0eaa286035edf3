"""Devise's bcrypt: the pepper is appended to the password, and only 72 bytes of both count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import bcrypt

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

# Whoever cut hashes off to keep sessions alive filled them up with dots: no password fits them.
WHOLE = r"\$2[abxy]\$(?:0[4-9]|1[0-7])\$[./A-Za-z0-9]{22}(?!\.{31})[./A-Za-z0-9]{31}"
_WHOLE = re.compile(WHOLE)
MAX_BYTES = 72
MAX_COST = 17


class Bcrypt:
    """bcrypt in all its prefixes, `$2a$`, `$2b$`, `$2x$` and `$2y$`."""

    name = "bcrypt"
    title = "bcrypt `$2a$` `$2b$` `$2x$` `$2y$`, Devise's pepper appended"
    bound = f"cost {MAX_COST}"
    peppered = True

    def claim(self, value: str) -> bool:
        """Claim values of exactly 60 characters whose checksum was not overwritten."""
        return _WHOLE.fullmatch(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Check the first 72 bytes of password and pepper."""
        # Implementations in C stop at a NUL byte; no legacy password holds one.
        if b"\0" in password:
            return False
        try:
            return bcrypt.checkpw((password + pepper)[:MAX_BYTES], value.encode())
        except ValueError:
            return False
