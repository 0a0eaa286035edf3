"""Asks a running Auther, over HTTP, who it says it is: discovery and key set, nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import httpx

TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Probe:
    """What a running Auther answered.

    Attributes:
        base_url: Where it was asked.
        fault: Why there is no usable answer, empty when there is one.
        issuer: The issuer that the discovery document names.
        algorithms: What the keys of the key set sign with, e.g. `("EdDSA",)`.
        issuer_known: Whether [auther] issuers holds that issuer.
        encrypted: https, or plain http that stays on this machine.
    """

    base_url: str
    fault: str = ""
    issuer: str = ""
    algorithms: tuple[str, ...] = ()
    issuer_known: bool = False
    encrypted: bool = True


class _NoAnswerError(Exception):
    """An endpoint did not answer as it should; the message says how."""


def probe(base_url: str, *, api: str, issuers: tuple[str, ...]) -> Probe:
    """Ask for discovery document and key set, without following redirects.

    Args:
        base_url: Auther's public address.
        api: The base of better-auth's HTTP API below it.
        issuers: The issuers that the shims will accept.
    """
    try:
        encrypted = is_encrypted(base_url)
    except ValueError:
        return Probe(base_url, fault=f"{base_url} is no address")
    try:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            discovery = _get(client, f"{api}/.well-known/openid-configuration")
            keys = _get(client, f"{api}/jwks").get("keys")
    except _NoAnswerError as error:
        return Probe(base_url, fault=str(error), encrypted=encrypted)
    issuer = str(discovery.get("issuer", ""))
    algorithms = tuple(sorted({algorithm_of(key) for key in keys})) if _are_keys(keys) else ()
    return Probe(
        base_url,
        issuer=issuer,
        algorithms=algorithms,
        issuer_known=issuer in issuers,
        encrypted=encrypted,
        fault="" if algorithms else "the key set holds no keys",
    )


def _get(client: httpx.Client, url: str) -> dict[str, Any]:
    try:
        with client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise _NoAnswerError(f"{url} answered {response.status_code}")
            body = b""
            for part in response.iter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise _NoAnswerError(f"{url} answered more than {MAX_BYTES} bytes")
        found = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _NoAnswerError(f"{url} did not answer ({type(error).__name__})") from error
    except ValueError as error:
        raise _NoAnswerError(f"{url} answered no JSON") from error
    if not isinstance(found, dict):
        raise _NoAnswerError(f"{url} answered no JSON object")
    return found


def _are_keys(keys: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(keys, list) and all(isinstance(key, dict) for key in keys)


def is_encrypted(base_url: str) -> bool:
    """Tell whether an address is https, or plain http that stays on this machine.

    Raises:
        ValueError: It is no address.
    """
    address = urlsplit(base_url)
    return address.scheme == "https" or address.hostname in _LOOPBACK


def algorithm_of(key: dict[str, Any]) -> str:
    """Give what a key of a key set signs with."""
    if key.get("kty") == "OKP" and key.get("crv") in {"Ed25519", "Ed448"}:
        return "EdDSA"
    return str(key.get("alg") or key.get("kty") or "unknown")
