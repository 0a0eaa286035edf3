"""Reads a set of public keys as Auther publishes it."""

from __future__ import annotations

import json
from typing import Any

from jwt import PyJWK, PyJWTError

MAX_KEYS = 100
# A key that names no algorithm gets the one of its type, never the token's choice.
_DEFAULT_ALGORITHM = {"OKP": "EdDSA", "RSA": "RS256", "EC": "ES256"}


def parse_keys(body: bytes, algorithms: tuple[str, ...]) -> dict[str, PyJWK]:
    """Read a key set.

    Raises:
        ValueError: It is no key set, holds no usable key, or names one key id twice.
    """
    try:
        entries = json.loads(body)["keys"]
        if not isinstance(entries, list) or len(entries) > MAX_KEYS:
            raise ValueError("not a list of keys, or a very long one")
        usable = [entry for entry in entries if _signs(entry, algorithms)]
        keys = {entry["kid"]: PyJWK(entry, _algorithm(entry)) for entry in usable}
    except (KeyError, TypeError, AttributeError, RecursionError, PyJWTError) as error:
        raise ValueError("not a key set") from error
    if not keys or len(keys) < len(usable):
        raise ValueError("a key set without a usable key, or with one key id twice")
    return keys


def _signs(entry: dict[str, Any], algorithms: tuple[str, ...]) -> bool:
    named = isinstance(entry.get("kid"), str) and entry["kid"] != ""
    return named and _algorithm(entry) in algorithms and entry.get("use", "sig") == "sig"


def _algorithm(entry: dict[str, Any]) -> str | None:
    return entry.get("alg") or _DEFAULT_ALGORITHM.get(entry.get("kty", ""))
