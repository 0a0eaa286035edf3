"""What the programs in Python have in common: a key, tokens, the bare verification, the measuring.

Imported by its plain name: a program finds beside itself what it needs.
"""

from __future__ import annotations

import base64
import gc
import json
import logging
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from auther_dual_path.settings import SETTINGS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from collections.abc import Callable

    # A request without the shim, and the same with it.
    Pair = tuple[Callable[[], object], Callable[[], object]]
    Pairs = Callable[[int], Pair]

PAIRS = 3000
BLOCK = 100
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


class Writes:
    """What a shim writes beside the requests: nothing."""

    def seen_on_legacy(self, user_pk: str) -> None: ...

    def beat(self, facts: object) -> None: ...

    def signed_out_everywhere(self) -> frozenset[str]:
        return frozenset()


def measure(*, ask: Callable[[str], object], **kinds: Pairs) -> None:
    """Measure each kind of request and the memory, and print what came of it.

    Args:
        ask: Sends a request with a token.
        kinds: Make the pair of each number.
    """
    for number in range(WARM):
        ask(token(-1 - number))
    ask(token(0))
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in kinds}
    # In turn: whatever slows this machine down meanwhile slows all kinds.
    for first in range(0, PAIRS, BLOCK):
        for name, pair_of in kinds.items():
            found[name] += [
                _timed(number, *pair_of(number)) for number in range(first, first + BLOCK)
            ]
    json.dump({"library": LIBRARY, **found, "memory_kib": _memory(ask)}, sys.stdout)


def _timed(number: int, bare: Callable[[], object], shim: Callable[[], object]) -> tuple[int, int]:
    """Time both, each first in every other pair."""
    if number % 2:
        took = _ns(shim)
        return _ns(bare), took
    return _ns(bare), _ns(shim)


def _ns(work: Callable[[], object]) -> int:
    began = time.perf_counter_ns()
    work()
    return time.perf_counter_ns() - began


def _memory(ask: Callable[[str], object]) -> list[int]:
    """Give what is resident after each cache's size in distinct tokens."""
    found = []
    for turn in range(3):
        for number in range(SETTINGS.verified_tokens):
            ask(token((turn + 1) * 1_000_000 + number))
        gc.collect()
        found.append(_resident_kib())
    return found


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024
