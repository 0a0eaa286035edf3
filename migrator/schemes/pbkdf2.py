"""PBKDF2 as Django and Werkzeug write it down."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ITERATIONS = 5_000_000
BOUND = f"{MAX_ITERATIONS:,} iterations"
# Printable ASCII without the separator.
_SALT = r"(?P<salt>[ -#%-~]{1,255})"
_ITERATIONS = r"(?P<iterations>[1-9][0-9]{0,6})"
_DJANGO = re.compile(
    rf"pbkdf2_(?:(?P<sha1>sha1)|sha256)\${_ITERATIONS}\${_SALT}\$"
    r"(?P<key>(?(sha1)[A-Za-z0-9+/]{27}|[A-Za-z0-9+/]{43})=)"
)
_WERKZEUG = re.compile(
    rf"pbkdf2:(?P<hash>sha1|sha256|sha512):{_ITERATIONS}\${_SALT}\$(?P<key>[0-9a-f]+)"
)
_HEX_DIGITS = {"sha1": 40, "sha256": 64, "sha512": 128}


class Django:
    """`pbkdf2_sha256$1000000$salt$key`, the key in Base64; also with SHA-1."""

    name = "django_pbkdf2"
    title = "Django's PBKDF2, `pbkdf2_sha256$…` and `pbkdf2_sha1$…`"
    bound = BOUND
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values whose key has the length of its hash."""
        return _affordable(_DJANGO.fullmatch(value))

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Derive the key anew and compare."""
        match = _DJANGO.fullmatch(value)
        if params or match is None or not _affordable(match):
            return False
        found = _derived("sha1" if match["sha1"] else "sha256", password, match)
        return hmac.compare_digest(b64encode(found), match["key"].encode())


class Werkzeug:
    """`pbkdf2:sha256:600000$salt$key`, the key in hexadecimal; also with SHA-1 and SHA-512."""

    name = "werkzeug_pbkdf2"
    title = "Werkzeug's (Flask's) PBKDF2, `pbkdf2:sha256:…`"
    bound = BOUND
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values whose key has the length of its hash."""
        match = _WERKZEUG.fullmatch(value)
        return _affordable(match) and _is_whole(match)

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Derive the key anew and compare."""
        match = _WERKZEUG.fullmatch(value)
        if params or match is None or not (_affordable(match) and _is_whole(match)):
            return False
        found = _derived(match["hash"], password, match)
        return hmac.compare_digest(found.hex(), match["key"])


def _affordable(match: re.Match[str] | None) -> bool:
    return match is not None and int(match["iterations"]) <= MAX_ITERATIONS


def _is_whole(match: re.Match[str] | None) -> bool:
    return match is not None and len(match["key"]) == _HEX_DIGITS[match["hash"]]


def _derived(algorithm: str, password: bytes, match: re.Match[str]) -> bytes:
    return pbkdf2_hmac(algorithm, password, match["salt"].encode(), int(match["iterations"]))
