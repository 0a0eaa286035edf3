"""scrypt as Werkzeug writes it down."""

from __future__ import annotations

import hmac
import re
from hashlib import scrypt
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

# 128 * N * r bytes of memory, so 512 MiB; Werkzeug's own N=32768, r=8, p=1 take 32 MiB.
MAX_MEMORY, MAX_WORK = 2**22, 2**23
_KEY_BYTES = 64
_WERKZEUG = re.compile(
    r"scrypt:([1-9][0-9]{0,6}):([1-9][0-9]?):([1-9][0-9]?)\$([ -#%-~]{1,255})\$([0-9a-f]{128})"
)


class Werkzeug:
    """`scrypt:32768:8:1$salt$key`, the key in hexadecimal."""

    name = "werkzeug_scrypt"
    title = "Werkzeug's (Flask's) scrypt, `scrypt:32768:8:1$…`"
    bound = "512 MiB, N·r·p at most 2^23"
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim whole values that can be afforded."""
        return _read(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Derive the key anew and compare."""
        parts = None if params else _read(value)
        if parts is None:
            return False
        cost, block, lanes, salt, key = parts
        memory = 128 * block * (cost + lanes + 2) + 1024
        try:
            found = scrypt(
                password, salt=salt, n=cost, r=block, p=lanes, dklen=_KEY_BYTES, maxmem=memory
            )
        except (ValueError, MemoryError):
            return False
        return hmac.compare_digest(found.hex(), key)


def _read(value: str) -> tuple[int, int, int, bytes, str] | None:
    match = _WERKZEUG.fullmatch(value)
    if match is None:
        return None
    cost, block, lanes = (int(match[number]) for number in (1, 2, 3))
    power = cost > 1 and cost & (cost - 1) == 0
    if not power or cost * block > MAX_MEMORY or cost * block * lanes > MAX_WORK:
        return None
    return cost, block, lanes, match[4].encode(), match[5]
