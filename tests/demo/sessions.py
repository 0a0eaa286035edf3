"""Sessions as activerecord-session_store 2 keeps them: Marshal in Base64, the id hashed."""

from __future__ import annotations

import base64
import secrets
from hashlib import sha256

SALT_LENGTH = 29


def rails_session(pk: int | None, encrypted_password: str) -> tuple[str, dict[str, str]]:
    """Make a session of a user, or of a visitor who is not signed in.

    Returns:
        The cookie's value, and the row.
    """
    public_id = secrets.token_hex(16)
    content: dict[str, object] = {"_csrf_token": secrets.token_urlsafe(32)}
    if pk is not None:
        content["warden.user.user.key"] = [[pk], encrypted_password[:SALT_LENGTH]]
    return public_id, {"session_id": private_id(public_id), "data": encode(content)}


def private_id(public_id: str) -> str:
    """Give the id under which the row is kept."""
    return "2::" + sha256(public_id.encode()).hexdigest()


def encode(content: object) -> str:
    """Marshal and wrap in Base64 lines of 60 columns, as Ruby's pack("m") does."""
    text = base64.b64encode(b"\x04\x08" + _marshal(content)).decode()
    return "".join(text[i : i + 60] + "\n" for i in range(0, len(text), 60))


def _marshal(value: object) -> bytes:
    """Write the few types of a Devise session in Ruby's Marshal format 4.8."""
    if isinstance(value, str):
        return b'I"' + _length(len(value.encode())) + value.encode() + b"\x06:\x06ET"
    if isinstance(value, int):
        return b"i" + _length(value)
    if isinstance(value, list):
        return b"[" + _length(len(value)) + b"".join(map(_marshal, value))
    if isinstance(value, dict):
        pairs = b"".join(_marshal(key) + _marshal(item) for key, item in value.items())
        return b"{" + _length(len(value)) + pairs
    raise TypeError(f"no Marshal form here for {type(value).__name__}")


def _length(number: int) -> bytes:
    """Write a Fixnum, 0 to 2**30 - 1."""
    if number == 0:
        return b"\0"
    if number < 123:
        return bytes([number + 5])
    digits = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return bytes([len(digits)]) + digits
