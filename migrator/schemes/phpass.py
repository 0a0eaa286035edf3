"""The portable hashes of phpass and what Drupal 7 made of them."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The letter after the prefix is the logarithm of the rounds: from 7 to 18.
_HEAD = r"[5-9A-G][./0-9A-Za-z]{8}"
_PHPASS = re.compile(rf"\$[PH]\$({_HEAD})([./0-9A-Za-z]{{22}})")
_DRUPAL = re.compile(rf"(U?)\$S\$({_HEAD})([./0-9A-Za-z]{{43}})")
BOUND = "2^18 rounds"


class Phpass:
    """`$P$B…` (WordPress before 6.8) and `$H$9…` (phpBB 3): MD5, salted and stretched."""

    name = "phpass"
    title = "phpass, `$P$…` (WordPress before 6.8) and `$H$…` (phpBB 3)"
    bound = BOUND
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values of exactly 34 characters."""
        return _PHPASS.fullmatch(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Work the rounds through and compare."""
        match = None if params else _PHPASS.fullmatch(value)
        if match is None:
            return False
        return hmac.compare_digest(encode64(_stretched("md5", match[1], password)), match[2])


class Drupal7:
    """`$S$D…`: SHA-512, salted, stretched, cut off; with `U` before it, over a former MD5."""

    name = "drupal7"
    title = "Drupal 7, `$S$…` and `U$S$…`"
    bound = BOUND
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim values of exactly 55 characters, 56 with the `U`."""
        return _DRUPAL.fullmatch(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Work the rounds through and compare what Drupal kept of them."""
        match = None if params else _DRUPAL.fullmatch(value)
        if match is None:
            return False
        secret = hashlib.md5(password).hexdigest().encode() if match[1] else password  # noqa: S324
        found = encode64(_stretched("sha512", match[2], secret))[: len(match[3])]
        return hmac.compare_digest(found, match[3])


def _stretched(algorithm: str, head: str, password: bytes) -> bytes:
    digest = hashlib.new(algorithm, head[1:].encode() + password).digest()
    for _ in range(1 << LETTERS.index(head[0])):
        digest = hashlib.new(algorithm, digest + password).digest()
    return digest


def encode64(raw: bytes) -> str:
    """Write three bytes as four letters, the lowest bits first."""
    text = ""
    for at in range(0, len(raw), 3):
        part = raw[at : at + 3]
        number = int.from_bytes(part, "little")
        text += "".join(LETTERS[number >> 6 * place & 63] for place in range(len(part) + 1))
    return text
