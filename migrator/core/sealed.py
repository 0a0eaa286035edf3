"""Texts sealed to a public key: HPKE (RFC 9180), base mode.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, no additional data; what is sealed is bound to a
name through HPKE's `info`. In Base64: the encapsulated key (32 bytes), then the ciphertext.
"""

from __future__ import annotations

import base64
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from migrator.core.errors import UsageError

HOW_TO = "openssl genpkey -algorithm x25519 -out totp.key; openssl pkey -in totp.key -pubout -out totp.pub"
SUITE = "DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Recipient:
    """A public key; whoever has the private one can read what is sealed to it.

    Args:
        pem: As `openssl pkey -pubout` writes it.

    Raises:
        UsageError: It is no public key for X25519; the text is not repeated.
    """

    def __init__(self, pem: bytes) -> None:
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            raise UsageError("there is no public key in PEM", hint=HOW_TO) from None
        if not isinstance(key, X25519PublicKey):
            raise UsageError("the public key is not one for X25519", hint=HOW_TO)
        self._key = key
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = sha256(spki).hexdigest()

    def seal(self, text: str, *, bound_to: str) -> str:
        """Seal a text, so that it opens for this name only."""
        sealed = _SUITE.encrypt(text.encode(), self._key, info=bound_to.encode())
        return base64.b64encode(sealed).decode()
