"""Firebase's own variant of scrypt; the project's signer key stands in for a pepper."""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import scrypt
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from migrator.core.envelope import NO_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

_VALUE = re.compile(r"[A-Za-z0-9+/]{86}==")
_MEM_COST = re.compile(r"[1-9]|1[0-9]")
_ROUNDS = re.compile(r"[1-9]|[1-5][0-9]|6[0-4]")
_KEY_BYTES, _SIGNER_BYTES = 32, 64
# 2^mem_cost * rounds, so 512 MiB; Firebase's own 2^14 * 8 take 16 MiB.
_MAX_MEMORY = 2**22


@dataclass(frozen=True)
class Cost:
    """A project's hash configuration, as `firebase auth:export` asks for it."""

    rounds: int
    mem_cost: int
    separator: bytes


def read(params: Mapping[str, str]) -> Cost:
    """Read `rounds`, `mem_cost` and `separator` (Base64).

    Raises:
        ValueError: One of them is missing, unknown or out of range.
    """
    if params.keys() != {"rounds", "mem_cost", "separator"}:
        raise ValueError("firebase_scrypt needs rounds, mem_cost and separator, and nothing else")
    rounds, mem_cost = params["rounds"], params["mem_cost"]
    if not _ROUNDS.fullmatch(rounds) or not _MEM_COST.fullmatch(mem_cost):
        raise ValueError("rounds must be from 1 to 64, mem_cost from 1 to 19")
    if int(rounds) << int(mem_cost) > _MAX_MEMORY:
        raise ValueError("rounds and mem_cost ask for more than 512 MiB")
    return Cost(int(rounds), int(mem_cost), _bytes(params["separator"]))


class FirebaseScrypt:
    """64 bytes in Base64, the signer key encrypted under a key from scrypt; salt in its own column."""

    name = "firebase_scrypt"
    title = "Firebase Authentication's scrypt; the signer key (Base64) is declared as a pepper"
    bound = "512 MiB"
    peppered = True

    def claim(self, value: str) -> bool:
        """Claim nothing: 64 bytes in Base64 may be any SHA-512."""
        return False

    def verify(
        self, value: str, password: bytes, *, pepper: bytes, params: Mapping[str, str] = NO_PARAMS
    ) -> bool:
        """Encrypt the signer key and compare."""
        rest = {name: text for name, text in params.items() if name != "salt"}
        try:
            cost, salt = read(rest), _bytes(params.get("salt", ""))
            signer = _bytes(pepper.decode())
        except ValueError:
            return False
        if not _VALUE.fullmatch(value) or len(signer) != _SIGNER_BYTES:
            return False
        found = _encrypted(signer, password, salt + cost.separator, cost)
        return hmac.compare_digest(b64encode(found), value.encode())


def _encrypted(signer: bytes, password: bytes, salt: bytes, cost: Cost) -> bytes:
    power = 1 << cost.mem_cost
    memory = 128 * cost.rounds * (power + 3) + 1024
    key = scrypt(password, salt=salt, n=power, r=cost.rounds, p=1, dklen=_KEY_BYTES, maxmem=memory)
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16)))
    return cipher.encryptor().update(signer)


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error
