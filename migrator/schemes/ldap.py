"""LDAP's `userPassword` (RFC 2307): a name in braces, then digest and salt in Base64."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM = re.compile(r"\{(S?)(MD5|SHA|SHA256|SHA512)\}([A-Za-z0-9+/]{22,128}={0,2})")
_HASHES = {"MD5": "md5", "SHA": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
_SALT_BYTES = (4, 8, 16)


class Ldap:
    """`{SSHA}…` and its siblings, salted and not."""

    name = "ldap"
    title = "LDAP `{SSHA}` `{SSHA256}` `{SSHA512}` `{SMD5}`, and the same without a salt"
    bound = "one round"
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values with a salt of 4, 8 or 16 bytes where the name says so, otherwise none."""
        return _read(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Hash and compare."""
        parts = None if params else _read(value)
        if parts is None:
            return False
        algorithm, digest, salt = parts
        return hmac.compare_digest(hashlib.new(algorithm, password + salt).digest(), digest)


def _read(value: str) -> tuple[str, bytes, bytes] | None:
    match = _FORM.fullmatch(value)
    if match is None:
        return None
    try:
        raw = b64decode(match[3], validate=True)
    except binascii.Error:
        return None
    algorithm = _HASHES[match[2]]
    size = hashlib.new(algorithm).digest_size
    salts = _SALT_BYTES if match[1] else (0,)
    whole = b64encode(raw).decode() == match[3] and len(raw) - size in salts
    return (algorithm, raw[:size], raw[size:]) if whole else None
