"""Ed25519 (RFC 8032): keys as texts, and signatures over texts, base64url without padding."""

from __future__ import annotations

import base64
import binascii
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

RAW_KEY_BYTES = 32
_PEM = "-----BEGIN"
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")


def new_private_key() -> str:
    """Make a private key, base64url of the 32 raw bytes."""
    return _b64url(Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(private_key: str) -> str:
    """Derive the public key, base64url.

    Args:
        private_key: Base64url of the 32 raw bytes, or PEM (PKCS #8, no passphrase).

    Raises:
        ValueError: The private key is neither.
    """
    raw = _private(private_key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _b64url(raw)


def read_public_key(text: str) -> str:
    """Give a public key as `public_key_of` does.

    Args:
        text: Base64, base64url or hex of the 32 raw bytes, or PEM.

    Raises:
        ValueError: It is none of these.
    """
    if text.startswith(_PEM):
        key = load_pem_public_key(text.encode())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("a PEM of another kind than Ed25519")
        return _b64url(key.public_bytes_raw())
    if _HEX_KEY.fullmatch(text):
        return _b64url(bytes.fromhex(text))
    raw = _unb64url(text.translate(str.maketrans("+/", "-_")).rstrip("="))
    if len(raw) != RAW_KEY_BYTES:
        raise ValueError(f"an Ed25519 public key has {RAW_KEY_BYTES} bytes, not {len(raw)}")
    return _b64url(raw)


def sign(text: str, private_key: str) -> str:
    """Give the signature over the UTF-8 bytes of a text.

    Raises:
        ValueError: The key is neither of the two accepted forms.
    """
    return _b64url(_private(private_key).sign(text.encode()))


def is_signed(text: str, signature: str, public_key: str) -> bool:
    """Tell whether a signature over a text is by the owner of a key.

    Raises:
        ValueError: Key or signature are not base64url, or the key has another length.
    """
    key = Ed25519PublicKey.from_public_bytes(_unb64url(public_key))
    try:
        key.verify(_unb64url(signature), text.encode())
    except InvalidSignature:
        return False
    return True


def _private(text: str) -> Ed25519PrivateKey:
    if text.startswith(_PEM):
        key = load_pem_private_key(text.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the key is a PEM of another kind than Ed25519")
        return key
    raw = _unb64url(text)
    if len(raw) != RAW_KEY_BYTES:
        raise ValueError(f"the key has {len(raw)} bytes, {RAW_KEY_BYTES} are needed")
    return Ed25519PrivateKey.from_private_bytes(raw)


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64url(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
