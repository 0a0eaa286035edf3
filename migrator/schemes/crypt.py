"""What crypt(3) makes: `$5$` and `$6$` (SHA-256, SHA-512), `$1$` and `$apr1$` (MD5)."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from migrator.core.envelope import NO_PARAMS
from migrator.schemes.phpass import encode64

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAX_ROUNDS = 1_000_000
_SHA = re.compile(
    r"\$(?:(5)|6)\$(?:rounds=([1-9][0-9]{3,6})\$)?((?!rounds=)[!-#%-9;-~]{1,16})\$"
    r"((?(1)[./0-9A-Za-z]{43}|[./0-9A-Za-z]{86}))"
)
_MD5 = re.compile(r"(\$1\$|\$apr1\$)([!-#%-9;-~]{1,8})\$([./0-9A-Za-z]{22})")
_DEFAULT_ROUNDS = 5000
_MD5_ROUNDS = 1000
_MD5_ORDER = (12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11)


class ShaCrypt:
    """`$5$rounds=…$salt$digest` and `$6$…`."""

    name = "sha_crypt"
    title = "crypt's SHA-256 and SHA-512, `$5$…` and `$6$…`"
    bound = f"{MAX_ROUNDS:,} rounds"
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim whole values that can be afforded."""
        match = _SHA.fullmatch(value)
        return match is not None and int(match[2] or 1) <= MAX_ROUNDS

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Work the rounds through and compare."""
        match = _SHA.fullmatch(value)
        # C ends a password at its first NUL byte.
        if params or match is None or not self.claim(value) or b"\0" in password:
            return False
        hashed = hashlib.sha256 if match[1] else hashlib.sha512
        rounds = int(match[2] or _DEFAULT_ROUNDS)
        raw = _sha_rounds(lambda text: hashed(text).digest(), password, match[3].encode(), rounds)
        return hmac.compare_digest(encode64(bytes(raw[at] for at in _order(len(raw)))), match[4])


class Md5Crypt:
    """`$1$salt$digest`, and the same with Apache's `$apr1$`."""

    name = "md5_crypt"
    title = "crypt's MD5, `$1$…`, and Apache's `$apr1$…`"
    bound = f"{_MD5_ROUNDS:,} rounds"
    peppered = False

    def claim(self, value: str) -> bool:
        """Claim whole values."""
        return _MD5.fullmatch(value) is not None

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Work the rounds through and compare."""
        match = _MD5.fullmatch(value)
        if params or match is None or b"\0" in password:
            return False
        raw = _md5_rounds(password, match[1].encode(), match[2].encode())
        return hmac.compare_digest(encode64(bytes(raw[at] for at in _MD5_ORDER)), match[3])


def _order(size: int) -> Iterator[int]:
    """Give the order in which crypt writes the bytes, the lowest of each three first."""
    third = size // 3
    triple = (0, third, 2 * third)
    for _ in range(third):
        yield from reversed(triple)
        one, two, three = (at + 1 for at in triple)
        triple = (two, three, one) if size % 3 == 1 else (three, one, two)
    yield from range(3 * third, size)


def _sha_rounds(
    hashed: Callable[[bytes], bytes], password: bytes, salt: bytes, rounds: int
) -> bytes:
    size = len(password)
    digest = _first(hashed, password, salt, hashed(password + salt + password), b"", b"")
    secret = _cut(hashed(password * size), size)
    salted = _cut(hashed(salt * (16 + digest[0])), len(salt))
    for number in range(rounds):
        digest = hashed(_round(number, digest, secret, salted))
    return digest


def _md5_rounds(password: bytes, magic: bytes, salt: bytes) -> bytes:
    def hashed(text: bytes) -> bytes:
        return hashlib.md5(text).digest()  # noqa: S324

    other = hashed(password + salt + password)
    digest = _first(hashed, password, magic + salt, other, b"\0", password[:1])
    for number in range(_MD5_ROUNDS):
        digest = hashed(_round(number, digest, password, salt))
    return digest


def _first(
    hashed: Callable[[bytes], bytes],
    password: bytes,
    salt: bytes,
    other: bytes,
    one: bytes,
    zero: bytes,
) -> bytes:
    """Mix as crypt does before the rounds: a piece for each bit of the password's length."""
    text = password + salt + _cut(other, len(password))
    size = len(password)
    while size:
        text += (one or other) if size & 1 else (zero or password)
        size >>= 1
    return hashed(text)


def _cut(digest: bytes, size: int) -> bytes:
    """Repeat a digest up to a length."""
    return (digest * (size // len(digest) + 1))[:size]


def _round(number: int, digest: bytes, secret: bytes, salt: bytes) -> bytes:
    odd = number & 1
    text = secret if odd else digest
    text += salt if number % 3 else b""
    text += secret if number % 7 else b""
    return text + (digest if odd else secret)
