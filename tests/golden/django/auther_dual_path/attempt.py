"""One attempt to sign in at Auther: authorization code with PKCE, bound to this browser.

What it has to remember travels in a sealed cookie of its own, so that two tabs do not disturb each
other and no server keeps anything.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Literal
from urllib.parse import urlencode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .answers import drop_cookie, set_cookie
from .model import Header
from .request import Request
from .settings import Settings

LIFETIME_S = 600
_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_IV_BYTES = 12

Purpose = Literal["login", "renewal", "exchange"]


@dataclass(frozen=True)
class Attempt:
    """What was asked for, and what must come back.

    Attributes:
        purpose: Why the browser goes to Auther.
        sub: Who has to come back; '' where anybody may.
        at_s: When it began, Unix time.
    """

    return_to: str
    at_s: int
    purpose: Purpose = "login"
    sub: str = ""
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def code_challenge(self) -> str:
        """Give the PKCE challenge (S256)."""
        digest = sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def authorize_query(self, settings: Settings) -> str:
        """Give the query of the authorization request."""
        return urlencode(
            {
                "response_type": "code",
                "client_id": settings.client_id,
                "redirect_uri": settings.redirect_uri,
                "scope": "openid profile email",
                "state": self.state,
                "nonce": self.nonce,
                "code_challenge": self.code_challenge,
                "code_challenge_method": "S256",
            }
        )


class Attempts:
    """Puts attempts into cookies and takes them out again, once in each browser."""

    def __init__(
        self, settings: Settings, secret: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings
        self._cipher = AESGCM(sha256(f"auther_login:{secret}".encode()).digest())
        self._now = now

    def begin(self, return_to: str, *, purpose: Purpose = "login", sub: str = "") -> Attempt:
        """Make an attempt; the browser does not know of it yet."""
        return Attempt(return_to, int(self._now()), purpose, sub)

    def remember(self, attempt: Attempt) -> Header:
        """Give the `set-cookie` header that binds an attempt to the browser."""
        name = _cookie_name(attempt.state)
        iv = secrets.token_bytes(_IV_BYTES)
        sealed = iv + self._cipher.encrypt(iv, json.dumps(asdict(attempt)).encode(), name.encode())
        value = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        return set_cookie(self._settings, name, value, max_age_s=LIFETIME_S)

    def take(self, request: Request, state: str) -> Attempt | None:
        """Give the attempt that `state` belongs to in this browser, None for anybody else's."""
        if not _STATE.fullmatch(state):
            return None
        attempt = self._open(request, _cookie_name(state))
        if attempt is None or not hmac.compare_digest(attempt.state, state):
            return None
        return attempt if self._now() - attempt.at_s <= LIFETIME_S else None

    def forget(self, state: str) -> Header:
        """Give the `set-cookie` header after which the attempt is used up."""
        return drop_cookie(self._settings, _cookie_name(state))

    def _open(self, request: Request, name: str) -> Attempt | None:
        value = request.cookie(self._settings.cookie(name))
        try:
            sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            iv, text = sealed[:_IV_BYTES], sealed[_IV_BYTES:]
            return Attempt(**json.loads(self._cipher.decrypt(iv, text, name.encode())))
        except (InvalidTag, binascii.Error, ValueError, TypeError):
            return None


def _cookie_name(state: str) -> str:
    return f"auther_login_{state[:12]}"
