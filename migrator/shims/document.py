"""The signed form of a stage document, as published in a file and read by every shim.

`{"payload": "<JSON text>", "signature": "<base64url, no padding>"}`; Ed25519 over the UTF-8 bytes
of the payload text, so that no reader has to serialise JSON the way the writer did.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from migrator.core.stage import parse_document

if TYPE_CHECKING:
    from migrator.core.stage import StageDocument

RAW_KEY_BYTES = 32
_PEM = "-----BEGIN"


def sign(document: StageDocument, private_key: str) -> str:
    """Give the text to publish.

    Args:
        document: What to say.
        private_key: Ed25519, base64url of the 32 raw bytes, or PEM (PKCS #8, no passphrase).

    Raises:
        ValueError: The key is neither.
    """
    payload = document.to_json()
    signature = _b64url(_private(private_key).sign(payload.encode()))
    return json.dumps({"payload": payload, "signature": signature}) + "\n"


def verify(text: str, public_key: str) -> StageDocument:
    """Read a published text.

    Args:
        text: What `sign` gave.
        public_key: Ed25519, base64url of the 32 raw bytes.

    Raises:
        ValueError: It is not signed by that key, or is no stage document.
    """
    try:
        outer = json.loads(text)
        payload, signature = outer["payload"], _unb64url(outer["signature"])
        key = Ed25519PublicKey.from_public_bytes(_unb64url(public_key))
        key.verify(signature, payload.encode())
    except InvalidSignature:
        raise ValueError("the stage document is not signed by this migration's key") from None
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ValueError("not a signed stage document") from error
    return parse_document(payload)


def public_key_of(private_key: str) -> str:
    """Derive the public key that is baked into shims, base64url without padding.

    Raises:
        ValueError: The private key is not Ed25519 in one of the two accepted forms.
    """
    raw = _private(private_key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _b64url(raw)


def _private(text: str) -> Ed25519PrivateKey:
    if text.startswith(_PEM):
        key = load_pem_private_key(text.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the stage's signing key is a PEM of another kind than Ed25519")
        return key
    raw = _unb64url(text)
    if len(raw) != RAW_KEY_BYTES:
        raise ValueError(f"the stage's signing key has {len(raw)} bytes, 32 are needed")
    return Ed25519PrivateKey.from_private_bytes(raw)


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64url(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
