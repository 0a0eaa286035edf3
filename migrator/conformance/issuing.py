"""What the test issuer knows and gives: tokens, key sets, codes."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from migrator.conformance.plugin_stand_in import PluginStandIn, with_query
from migrator.conformance.signing_keys import SigningKey, b64url, id_token_claims

if TYPE_CHECKING:
    from collections.abc import Iterator

JwksMode = Literal[
    "ok", "down", "error", "slow", "garbage", "empty", "huge", "redirect", "duplicate_kid"
]
Authenticate = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Grant:
    """What an authorization code stands for."""

    sub: str
    redirect_uri: str
    challenge: str
    nonce: str | None


@dataclass
class Issuing:
    """An issuer without its address.

    Attributes:
        redirect_uris: Where the client may be sent back to.
        jwks_mode: How the JWKS endpoint answers from now on.
        slow_s: Seconds that "slow" takes.
        jwks_fetches: Requests to the JWKS endpoint so far, answered or not.
        last_fetch_at_s: When the last of them came, by the monotonic clock.
        signed_in_sub: Whom /oauth2/authorize signs in without asking; None: the session cookie.
        authenticate: Answers (e-mail, password) with the user's sub, for POST /sign-in/email.
        id_token_overrides: Claims put into id_tokens of the code flow (tampering).
        plugin: What the application's server calls.
    """

    client_id: str = "test-client"
    redirect_uris: list[str] = field(default_factory=list)
    jwks_mode: JwksMode = "ok"
    slow_s: float = 30.0
    jwks_fetches: int = 0
    last_fetch_at_s: float = float("-inf")
    token_requests: int = 0
    signed_in_sub: str | None = None
    authenticate: Authenticate | None = None
    id_token_overrides: dict[str, Any] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey()])
    port: int = 0
    plugin: PluginStandIn = field(default_factory=PluginStandIn)
    grants: dict[str, Grant] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def issuer(self) -> str:
        """Give the `iss` of its tokens: the origin, as Auther does."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def auth_url(self) -> str:
        """Give the base of the endpoints."""
        return f"{self.issuer}/api/auth"

    @property
    def jwks_url(self) -> str:
        """Give the JWKS endpoint."""
        return f"{self.auth_url}/jwks"

    @property
    def authorize_url(self) -> str:
        """Give the authorization endpoint."""
        return f"{self.auth_url}/oauth2/authorize"

    @property
    def token_url(self) -> str:
        """Give the token endpoint."""
        return f"{self.auth_url}/oauth2/token"

    @contextmanager
    def overriding(self, claims: dict[str, Any]) -> Iterator[None]:
        """Put claims into the id_tokens of the code flow meanwhile."""
        self.id_token_overrides = claims
        try:
            yield
        finally:
            self.id_token_overrides = {}

    def make_token(
        self,
        sub: str | int | None = "nobody",
        *,
        key: SigningKey | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Give a signed token; a claim or header field of None is left out."""
        shape = {"iss": self.issuer, "aud": self.client_id, **claims}
        return (key or self.keys[-1]).sign(
            id_token_claims(shape.pop("iss"), shape.pop("aud"), sub, **shape), header=header
        )

    def rotate(self, *, keep_old: bool = True) -> SigningKey:
        """Sign with a new key from now on; the old one stays published if asked."""
        self.keys = [*(self.keys if keep_old else []), SigningKey()]
        return self.keys[-1]

    def count_fetch(self) -> None:
        """Note that somebody asks for the key set."""
        with self._lock:
            self.jwks_fetches += 1
            self.last_fetch_at_s = time.monotonic()

    def key_set(self, mode: JwksMode = "ok") -> dict[str, Any]:
        """Give the JWKS, whole or spoilt in one way."""
        keys = [key.jwk() for key in self.keys]
        if mode == "empty":
            return {"keys": []}
        if mode == "huge":
            return {"keys": keys, "padding": "x" * 5_000_000}
        if mode == "duplicate_kid":
            return {"keys": [*keys, SigningKey(kid=self.keys[-1].kid).jwk()]}
        return {"keys": keys}

    def discovery(self) -> dict[str, Any]:
        """Give the discovery document, with the fields Auther's has."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.authorize_url,
            "token_endpoint": self.token_url,
            "userinfo_endpoint": f"{self.auth_url}/oauth2/userinfo",
            "jwks_uri": self.jwks_url,
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
        }

    def understands(self, query: dict[str, str]) -> bool:
        """Tell whether an authorization request is whole and the client's own."""
        return (
            query.get("response_type") == "code"
            and query.get("client_id") == self.client_id
            and query.get("redirect_uri") in self.redirect_uris
            and query.get("code_challenge_method") == "S256"
            and {"code_challenge", "state"} <= query.keys()
        )

    def is_client_page(self, client_id: str, url: str) -> bool:
        """Tell whether a page has the origin of one of the client's redirect URIs."""
        origins = {urlsplit(uri)[:2] for uri in self.redirect_uris}
        return client_id == self.client_id and urlsplit(url)[:2] in origins

    def begin_session(self, sub: str) -> str:
        """Give the session cookie's value of somebody who signs in here."""
        token = secrets.token_urlsafe(24)
        self.sessions[token] = sub
        return token

    def issue_code(self, query: dict[str, str], sub: str) -> str:
        """Give the redirect that ends an authorization request."""
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(
            sub, query["redirect_uri"], query["code_challenge"], query.get("nonce")
        )
        return with_query(query["redirect_uri"], code=code, state=query["state"])

    def redeem(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Give the token answer for a code, once; None when anything does not fit."""
        self.token_requests += 1
        grant = self.grants.pop(form.get("code", ""), None)
        challenge = b64url(sha256(form.get("code_verifier", "").encode()).digest())
        if grant is None or (grant.challenge, grant.redirect_uri, self.client_id) != (
            challenge,
            form.get("redirect_uri"),
            form.get("client_id"),
        ):
            return None
        claims = {"sub": grant.sub, "nonce": grant.nonce, **self.id_token_overrides}
        token = self.make_token(claims.pop("sub"), **claims)
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token,
        }
