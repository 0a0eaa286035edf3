"""better-auth's own hashes: `hexsalt:hexkey`, scrypt over the NFKC form of the password."""

from __future__ import annotations

import hmac
import re
import unicodedata
from hashlib import scrypt

_NATIVE = re.compile(r"[0-9a-f]{32}:[0-9a-f]{128}")
COST, BLOCK, LANES, KEY_BYTES = 16384, 16, 1, 64
_MEMORY_BYTES = 256 * COST * BLOCK


def is_native(value: str) -> bool:
    """Tell that a stored value is one that better-auth made."""
    return _NATIVE.fullmatch(value) is not None


def verify_native(value: str, password: str) -> bool:
    """Check a password against a value for which `is_native` holds."""
    salt, _, key = value.partition(":")
    found = scrypt(
        unicodedata.normalize("NFKC", password).encode(),
        # The salt is the hexadecimal text itself, not the bytes it stands for.
        salt=salt.encode(),
        n=COST,
        r=BLOCK,
        p=LANES,
        dklen=KEY_BYTES,
        maxmem=_MEMORY_BYTES,
    )
    return hmac.compare_digest(found.hex(), key)
