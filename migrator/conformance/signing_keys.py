"""Ed25519 keys of the test issuer, their JWKS form, and the tokens they sign."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TOKEN_LIFETIME_S = 2 * 24 * 3600


def b64url(data: bytes) -> str:
    """Give base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_public(key: Ed25519PrivateKey) -> bytes:
    """Give the 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass(frozen=True)
class SigningKey:
    """One Ed25519 key under a key id."""

    kid: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_bytes(self) -> bytes:
        """Give the raw public key, what an HS256 forger would use as a secret."""
        return raw_public(self.private)

    def jwk(self) -> dict[str, str]:
        """Give the public key as Auther publishes it."""
        x = b64url(self.public_bytes)
        return {"alg": "EdDSA", "crv": "Ed25519", "x": x, "kty": "OKP", "kid": self.kid}

    def sign(self, claims: dict[str, Any], *, header: dict[str, Any] | None = None) -> str:
        """Give a compact JWS.

        Args:
            claims: The payload.
            header: Overrides header fields; a value of None leaves the field out.
        """
        fields = {"alg": "EdDSA", "kid": self.kid, **(header or {})}
        head = {name: value for name, value in fields.items() if value is not None}
        signing_input = f"{_segment(head)}.{_segment(claims)}"
        return f"{signing_input}.{b64url(self.private.sign(signing_input.encode()))}"


def _segment(value: dict[str, Any]) -> str:
    return b64url(json.dumps(value, separators=(",", ":")).encode())


def id_token_claims(
    issuer: str, audience: str, sub: str | int | None, **claims: Any
) -> dict[str, Any]:
    """Give the claims of an id_token in Auther's shape: `iat` in milliseconds.

    Args:
        issuer: `iss`.
        audience: `aud`.
        sub: `sub`.
        claims: Overrides; a value of None leaves the claim out.
    """
    now_s = time.time()
    base = {
        "iat": int(now_s * 1000),
        "sub": sub,
        "aud": audience,
        "acr": "urn:mace:incommon:iap:silver",
        "name": "Test Person",
        "email": f"{sub}@example.org",
        "email_verified": True,
        "exp": int(now_s) + TOKEN_LIFETIME_S,
        "iss": issuer,
    }
    return {name: value for name, value in {**base, **claims}.items() if value is not None}
