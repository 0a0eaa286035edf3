"""Deterministic ids for imported rows.

An id is 32 characters of the base32 alphabet in lower case, 160 bits. The first 6 come from the block of
4,096 consecutive legacy keys that the row belongs to, so that rows written together lie together
in the target's index; both parts are keyed, so neither the legacy key nor the order of sign-ups can
be read from them. The rest of a user's id is AES-256 of the legacy key, so that a page of users costs
half of what a digest for each does; all other ids and all keys are HMAC-SHA256.
"""

from __future__ import annotations

import hmac
import struct
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK_ROWS = 4096
MIN_KEY_BYTES = 32
_PREFIX, _LENGTH, _WORD = 6, 32, 2**64 - 1
# One letter from each of the digest's 32 bytes; 32 letters divide 256 evenly.
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte % 32] for byte in range(256))


def user_id(key: bytes, *, namespace: str, source: str, pk: int) -> str:
    """Derive the Auther id of a legacy user with an integer key.

    Args:
        key: The migration key, at least 32 bytes.
        namespace: The migration's name, so that two migrations never share ids.
        source: The legacy model, e.g. `User`.
        pk: The legacy primary key, of 64 bits.
    """
    return user_ids(key, namespace=namespace, source=source, pks=[str(pk)])[0]


def user_ids(key: bytes, *, namespace: str, source: str, pks: Iterable[str]) -> list[str]:
    """Derive the ids of many users, each as `user_id` does.

    Args:
        key: The migration key.
        namespace: The migration's name.
        source: The legacy model.
        pks: Integers as PostgreSQL writes them.
    """
    numbers = list(map(int, pks))
    begins = [number // BLOCK_ROWS for number in numbers]
    blocks = {begin: _block(key, namespace, source, begin) for begin in set(begins)}
    encrypt = _cipher(key, namespace, source).encryptor()
    letters = encrypt.update(_cipher_blocks(numbers)).translate(_LETTERS).decode()
    starts, rest = range(0, len(letters), _LENGTH), _LENGTH - _PREFIX
    return [
        blocks[begin] + letters[start : start + rest]
        for begin, start in zip(begins, starts, strict=True)
    ]


def pseudonym(key: bytes, *, source: str, pk: str) -> str:
    """Derive what stands for a user in what is shown to people; 12 letters, the same every time."""
    return _digest(key, "shown", source, pk)[:12]


def mark_key(key: bytes) -> bytes:
    """Derive what the plugin at Auther needs to tell the accounts that this migration wrote.

    Returns:
        32 bytes; the migration key cannot be derived from them.
    """
    return hmac.digest(key, b"mark", "sha256")


def account_id(key: bytes, *, owner: str, provider: str, subject: str) -> str:
    """Derive the id of an account row; it shares its owner's prefix and so lies near it.

    Args:
        key: What `mark_key` gives, so that whoever holds that alone can recompute the id.
        owner: The user's id at Auther.
        provider: `credential`, or a social provider's name.
        subject: The user's id there.
    """
    head = owner[:_PREFIX] if len(owner) == _LENGTH else ""
    return head + _digest(key, "account", owner, provider, subject)[: _LENGTH - len(head)]


def own_account_ids(key: bytes, *, owners: Iterable[str], provider: str) -> list[str]:
    """Derive the ids of accounts whose subject is the user's own id, each as `account_id` does.

    Args:
        key: What `mark_key` gives.
        owners: The users' ids at Auther.
        provider: `credential`.
    """
    owners, head, middle = list(owners), _framed("account"), _framed(provider)
    pieces = []
    for length, alike in groupby(owners, len):
        between = f"{middle}{length}:"
        texts = [f"{owner}{between}{owner}" for owner in alike]
        pieces.append(_letters(key, f"{head}{length}:", texts))
    letters = "".join(pieces)
    starts, rest = range(0, len(letters), _LENGTH), _LENGTH - _PREFIX
    return [
        owner[:_PREFIX] + letters[start : start + rest]
        if len(owner) == _LENGTH
        else letters[start : start + _LENGTH]
        for owner, start in zip(owners, starts, strict=True)
    ]


# Rows come in key order, so one block serves thousands of them.
@lru_cache(maxsize=16)
def _block(key: bytes, namespace: str, source: str, number: int) -> str:
    return _digest(key, "block", namespace, source, str(number))[:_PREFIX]


def _digest(key: bytes, *parts: str) -> str:
    return _letters(key, _framed(*parts), [""])


def _letters(key: bytes, head: str, texts: Iterable[str]) -> str:
    """Give the digests of many texts that begin alike, one after the other."""
    common = _begun(key).copy()
    common.update(head.encode())
    begun, found = common.copy, []
    for text in texts:
        digest = begun()
        digest.update(text.encode())
        found.append(digest.finalize())
    return b"".join(found).translate(_LETTERS).decode()


def _framed(*parts: str) -> str:
    # Lengths keep ("a", "bc") apart from ("ab", "c").
    return "".join([f"{len(part)}:{part}" for part in parts])


@lru_cache(maxsize=4)
def _cipher(key: bytes, namespace: str, source: str) -> Cipher[ECB]:
    own = hmac.digest(key, _framed("user", namespace, source).encode(), "sha256")
    return Cipher(AES256(own), ECB())  # noqa: S305


def _cipher_blocks(numbers: list[int]) -> bytes:
    """Give two blocks for each number, (number, 0) and (number, 1)."""
    words = [0] * (4 * len(numbers))
    # A column is signed or unsigned, so its keys stay apart.
    words[0::4] = words[2::4] = [number & _WORD for number in numbers]
    words[3::4] = [1] * len(numbers)
    return struct.pack(f">{len(words)}Q", *words)


# Copies of one that has taken the key cost a third of beginning anew.
@lru_cache(maxsize=4)
def _begun(key: bytes) -> HMAC:
    return HMAC(key, SHA256())
