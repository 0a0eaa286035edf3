"""Reads a JWT and checks its Ed25519 signature against a key set."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from migrator.auther.live.doctor.interface import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PARTS = 3


@dataclass(frozen=True)
class Token:
    """A JWT, not verified yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @property
    def algorithm(self) -> str:
        """What its header says it is signed with."""
        return str(self.header.get("alg", "nothing"))


def read_token(text: object) -> Token:
    """Take a JWT apart.

    Raises:
        NoAnswerError: It is none.
    """
    parts = text.split(".") if isinstance(text, str) else []
    if not isinstance(text, str) or len(parts) != _PARTS:
        raise NoAnswerError("there is no JWT")
    try:
        header, claims = json.loads(_decode(parts[0])), json.loads(_decode(parts[1]))
        signature = _decode(parts[2])
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("what should be a JWT cannot be read") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NoAnswerError("what should be a JWT holds no objects")
    return Token(header, claims, text.rpartition(".")[0].encode(), signature)


def is_signed_by(token: Token, keys: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the Ed25519 key that the token names made its signature."""
    named = [key for key in keys if key.get("kid") == token.header.get("kid")]
    return token.algorithm == "EdDSA" and any(_verifies(token, key) for key in named)


def _verifies(token: Token, key: Mapping[str, Any]) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(_decode(str(key.get("x", ""))))
        public.verify(token.signature, token.signed)
    except (ValueError, InvalidSignature):
        return False
    return True


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("no base64url") from error
