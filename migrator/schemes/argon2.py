"""Argon2 in its three kinds, version 1.3; the pepper is Argon2's own secret, as in devise-argon2."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_MEMORY_KIB = 2**20
MAX_WORK_KIB = 2**22
_Kind = type[Argon2d | Argon2i | Argon2id]
_KINDS: dict[str, _Kind] = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}
# The salt has 8 to 48 bytes, the key 16, 32 or 64, so that one that was cut off is not whole.
_FORM = re.compile(
    r"\$(argon2(?:id|i|d))\$v=19\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,3}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{86}|[A-Za-z0-9+/]{43}|[A-Za-z0-9+/]{22})"
)


class Argon2:
    """`$argon2id$v=19$m=65536,t=2,p=1$salt$key` and its siblings."""

    name = "argon2"
    title = "Argon2i, Argon2d, Argon2id, `$argon2id$v=19$…`; a pepper is their secret"
    bound = "1 GiB, m·t at most 4 GiB"
    peppered = True

    def claim(self, value: str) -> bool:
        """Claim whole values that can be afforded."""
        return _kind(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Derive the key anew and compare."""
        kind = None if params else _kind(value)
        if kind is None:
            return False
        try:
            kind.verify_phc_encoded(password, value, secret=pepper or None)
        except (InvalidKey, ValueError, MemoryError):
            return False
        return True


def _kind(value: str) -> _Kind | None:
    match = _FORM.fullmatch(value)
    if match is None:
        return None
    memory, passes, lanes = (int(match[number]) for number in (2, 3, 4))
    affordable = memory <= MAX_MEMORY_KIB and memory * passes <= MAX_WORK_KIB
    whole = all(_is_canonical(match[number]) for number in (5, 6))
    return _KINDS[match[1]] if affordable and whole and memory >= 8 * lanes else None


def _is_canonical(text: str) -> bool:
    """Tell that an encoder would write the very same."""
    try:
        raw = b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return False
    return b64encode(raw).decode().rstrip("=") == text
