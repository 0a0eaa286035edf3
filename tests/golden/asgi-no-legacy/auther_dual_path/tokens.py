"""Verifies Auther's id_tokens."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from jwt import PyJWK

from .keys import KeySet, UnknownKeyError
from .model import Person, VerificationUnavailableError
from .settings import Settings

Claims = Mapping[str, Any]
# Auther writes `iat` in milliseconds; no date in seconds is that large before the year 5138.
_MILLISECONDS_FROM = 1e11
# Each of these lets a token say where its key is, or how it wants to be read.
_SURPRISES = frozenset(("jku", "x5u", "jwk", "x5c", "crit", "b64"))
_MAX_SUB = 255


class TokenRefusedError(Exception):
    """A token fails a check.

    Attributes:
        reason: From a closed list; a counter's label.
        stale: It was good once or is good elsewhere (a cookie like that is as absent); otherwise
            it is malformed or forged.
        claims: Of a token that is in order but for its age.
    """

    def __init__(self, reason: str, *, stale: bool = False, claims: Claims | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.stale = stale
        self.claims = claims


class SentToken:
    """A token as it was sent: nothing of it is verified, and each part of it is read once."""

    __slots__ = ("_claims", "digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha256(text.encode()).digest()
        self._claims: Claims | None = None

    def parts(self) -> tuple[str, str, str]:
        """Give header, payload and signature as they were sent.

        Raises:
            TokenRefusedError: There are more or fewer.
        """
        header, dot, rest = self.text.partition(".")
        payload, other_dot, signature = rest.partition(".")
        if not (dot and other_dot) or "." in signature:
            raise TokenRefusedError("malformed")
        return header, payload, signature

    def claims(self) -> Claims:
        """Give what it says.

        Raises:
            TokenRefusedError: It is no JWS.
        """
        if self._claims is None:
            self._claims = _json(self.parts()[1])
        return self._claims

    def claimed_issuer(self) -> object:
        """Give what it says about its issuer, for routing only; None for what is no JWS."""
        try:
            return self.claims().get("iss")
        except TokenRefusedError:
            return None


class VerifiedTokens:
    """Tokens that were good, so that the next request need not check the signature again.

    Keyed by hash: a dump of this memory holds no token. Never good past `exp`, nor longer than
    the very key that signed it; whether the person may still come in is asked every time.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._found: dict[bytes, tuple[Claims, float, str, PyJWK]] = {}
        self._lock = threading.Lock()

    def get(self, digest: bytes, keys: KeySet, now_s: float) -> Claims | None:
        """Give the claims of a token that was verified before and still is good."""
        entry = self._found.get(digest)
        if entry is None:
            return None
        claims, until_s, kid, key = entry
        if keys.known(kid) is not key:
            # The set has changed: whatever it signed is looked at again.
            with self._lock:
                self._found.clear()
            return None
        return claims if now_s < until_s else None

    def put(self, digest: bytes, claims: Claims, kid: str, key: PyJWK) -> None:
        """Remember a good token; the oldest one makes room."""
        with self._lock:
            if len(self._found) >= self._limit:
                del self._found[next(iter(self._found))]
            self._found[digest] = (claims, claims["exp"], kid, key)


class TokenVerifier:
    """Checks tokens against the configured key set, issuers and audiences."""

    def __init__(
        self, settings: Settings, keys: KeySet, *, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._now = now
        self._verified = VerifiedTokens(settings.verified_tokens)

    def known(self, token: SentToken) -> Claims | None:
        """Give the claims of a token that was verified lately, None when it has to be now."""
        return self._verified.get(token.digest, self._keys, self._now())

    async def verify(self, token: SentToken) -> Claims:
        """Give the claims of a good token.

        Raises:
            TokenRefusedError: It fails a check.
            VerificationUnavailableError: Nobody can tell now.
        """
        if len(token.text) > self._settings.max_token_bytes:
            raise TokenRefusedError("too_large")
        parts = token.parts()
        header, claims, signature = _header(parts[0]), token.claims(), _decode(parts[2])
        kid = self._checked_kid(header)
        problem = self._problem_of(claims)
        key = self._keys.known(kid)
        if key is None:
            key = await self._looked_for(kid, problem)
        if header["alg"] != key.algorithm_name:
            raise TokenRefusedError("algorithm")
        # The library's own verification of a signature, without a second reading of the token.
        if not key.Algorithm.verify(f"{parts[0]}.{parts[1]}".encode(), key.key, signature):
            raise TokenRefusedError("signature")
        # Only now: a forged token is forged, whatever else is wrong with it.
        if problem is not None:
            raise problem
        self._verified.put(token.digest, claims, kid, key)
        return claims

    async def _looked_for(self, kid: str, problem: TokenRefusedError | None) -> PyJWK:
        if problem is None:
            try:
                return await self._keys.find(kid)
            except UnknownKeyError:
                raise TokenRefusedError("unknown_key") from None
        # A token that its claims rule out anyway is not worth a fetch, nor a 503. But the first set
        # is fetched for one that has expired: whether it was good decides about its renewal.
        if problem.claims is not None and not self._keys.is_usable:
            with contextlib.suppress(UnknownKeyError, VerificationUnavailableError):
                return await self._keys.find(kid)
        # Nobody has signed these claims, as far as is known.
        raise TokenRefusedError(problem.reason, stale=problem.stale)

    def _checked_kid(self, header: Claims) -> str:
        if header.get("alg") not in self._settings.algorithms:
            raise TokenRefusedError("algorithm")
        kid = header.get("kid")
        if not isinstance(kid, str) or not _SURPRISES.isdisjoint(header):
            raise TokenRefusedError("malformed")
        return kid

    def _problem_of(self, claims: Claims) -> TokenRefusedError | None:
        now, leeway_s = self._now(), self._settings.leeway_s
        exp, nbf, iat = _time(claims, "exp"), _time(claims, "nbf"), issued_at_s(claims)
        if exp is None or not _is_subject(claims.get("sub")):
            return TokenRefusedError("missing_claim")
        if claims.get("iss") not in self._settings.issuers:
            return TokenRefusedError("issuer", stale=True)
        if not self._is_for_us(claims.get("aud")):
            return TokenRefusedError("audience", stale=True)
        if now >= exp + leeway_s:
            return TokenRefusedError("expired", stale=True, claims=claims)
        if max(nbf or 0, iat or 0) > now + leeway_s:
            return TokenRefusedError("not_yet_valid", stale=True)
        return None

    def _is_for_us(self, audience: object) -> bool:
        named = audience if isinstance(audience, list) else [audience]
        return any(isinstance(one, str) and one in self._settings.audiences for one in named)


def issued_at_s(claims: Claims) -> float | None:
    """Give `iat` in whole seconds, whichever unit the token uses.

    Raises:
        TokenRefusedError: It is not a number.
    """
    iat = _number(claims, "iat")
    if iat is None:
        return None
    return iat // 1000 if iat > _MILLISECONDS_FROM else iat // 1


def refusal_of(person: Person, claims: Claims) -> str:
    """Say why a good token does not sign this person in, '' when it does."""
    # Who was never signed out everywhere may come with a token of any age.
    return person.refusal(None if person.valid_after_s is None else issued_at_s(claims))


def _time(claims: Claims, name: str) -> float | None:
    value = _number(claims, name)
    if value is not None and value > _MILLISECONDS_FROM:
        raise TokenRefusedError("missing_claim")
    return value


def _number(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # bool is an int in Python; the bounds also keep NaN, infinity and huge integers out.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise TokenRefusedError("missing_claim")
    return float(value)


def _is_subject(sub: object) -> bool:
    if not isinstance(sub, str) or not 0 < len(sub) <= _MAX_SUB:
        return False
    return sub.isascii() and sub.isprintable() and " " not in sub


@lru_cache(maxsize=64)
def _header(segment: str) -> Claims:
    # A key signs all its tokens under the same one.
    return _json(segment)


def _json(segment: str) -> Claims:
    try:
        value = json.loads(_decode(segment).decode())
    except (ValueError, RecursionError):
        raise TokenRefusedError("malformed") from None
    if not isinstance(value, dict):
        raise TokenRefusedError("malformed")
    # Shared by all requests with this token: nobody may change it.
    return MappingProxyType(value)


def _decode(segment: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        # The decoder skips foreign characters and stray bits: only the one canonical spelling
        # passes, so a token cannot be respelt past a list of revoked ones.
        canonical = base64.urlsafe_b64encode(data).rstrip(b"=") == segment.encode("ascii")
    except ValueError:
        raise TokenRefusedError("malformed") from None
    if not canonical:
        raise TokenRefusedError("malformed")
    return data
