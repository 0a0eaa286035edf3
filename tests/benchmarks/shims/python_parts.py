"""What the programs in Python have in common: a key, tokens, the bare verification, memory.

Imported by its plain name: a program finds beside itself what it needs.
"""

from __future__ import annotations

import base64
import json
import logging
import resource
import time
from pathlib import Path
from typing import Any

import jwt
from auther_dual_path.settings import SETTINGS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PAIRS = 3000
WARM = 300
LIBRARY = f"PyJWT {jwt.__version__}"
AUTHER_ID = "u" * 32
KEY = Ed25519PrivateKey.generate()
JWK = {
    "kty": "OKP",
    "crv": "Ed25519",
    "kid": "k1",
    "x": base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).rstrip(b"=").decode(),
}
JWKS = json.dumps({"keys": [JWK]}).encode()
BARE_KEY = jwt.PyJWK(JWK, "EdDSA")
HEADERS = {
    "host": "club.example.org",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "en",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
    "x-forwarded-for": "192.0.2.7",
    "x-request-id": "7f7a0c3c9a2b4f0e8d9c",
}


def token(number: int) -> str:
    """Give a token of its own for each number."""
    now = int(time.time())
    claims = {
        "iss": SETTINGS.issuers[0],
        "aud": SETTINGS.audiences[0],
        "sub": AUTHER_ID,
        "iat": now,
        "exp": now + 172_800,
        "nonce": f"{number:043}",
        "acr": "urn:mace:incommon:iap:silver",
        "name": "Alice Example",
        "given_name": "Alice",
        "family_name": "Example",
        "email": "alice@example.org",
        "email_verified": True,
    }
    return jwt.encode(claims, KEY, "EdDSA", headers={"kid": "k1"})


def verified(text: str) -> Any:
    """Give a token's claims as the library alone does."""
    return jwt.decode(
        text,
        BARE_KEY,
        algorithms=["EdDSA"],
        audience=list(SETTINGS.audiences),
        issuer=list(SETTINGS.issuers),
        options={"require": ["exp", "sub"]},
        leeway=30,
    )


def write_log_lines_nowhere() -> None:
    """Have each decision's line written at INFO: how fast a disk is, is not the shim's."""
    log = logging.getLogger("auther_dual_path")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(logging.NullHandler())


def resident_kib() -> int:
    """Give what is resident."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024
