"""A small local OpenID issuer in Auther's shape, with switches for everything that can go wrong.

It stands in for a real Auther where Node is missing and where a test needs a token or a JWKS that
no real issuer would give. Runs in a thread of this process; needs nothing but `cryptography`.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.parts.signing_keys import SigningKey, b64url, id_token_claims

JwksMode = Literal[
    "ok", "down", "error", "slow", "garbage", "empty", "huge", "redirect", "duplicate_kid"
]
Authenticate = Callable[[str, str], str | None]
SESSION_COOKIE = "better-auth.session_token"


@dataclass
class Grant:
    """What an authorization code stands for."""

    sub: str
    redirect_uri: str
    challenge: str
    nonce: str | None


@dataclass
class Issuer:
    """An issuer on a loopback port. Use as a context manager, or start() and stop().

    Attributes:
        jwks_mode: How the JWKS endpoint answers from now on.
        slow_s: Seconds that "slow" takes.
        jwks_fetches: Requests to the JWKS endpoint so far, answered or not.
        signed_in_sub: Whom /oauth2/authorize signs in without asking; None: the session cookie.
        authenticate: Answers (e-mail, password) with the user's sub, for POST /sign-in/email.
        id_token_overrides: Claims put into id_tokens of the code flow (tampering).
    """

    client_id: str = "test-client"
    redirect_uris: list[str] = field(default_factory=list)
    jwks_mode: JwksMode = "ok"
    slow_s: float = 30.0
    jwks_fetches: int = 0
    token_requests: int = 0
    signed_in_sub: str | None = None
    authenticate: Authenticate | None = None
    id_token_overrides: dict[str, Any] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey()])
    port: int = 0
    grants: dict[str, Grant] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    def start(self) -> Self:
        """Listen on the port (0: any free one)."""
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler_for(self))
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

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

    def make_token(
        self,
        sub: str = "nobody",
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

    def issue_code(self, query: dict[str, str], sub: str) -> str:
        """Give the redirect that ends an authorization request."""
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(
            sub, query["redirect_uri"], query["code_challenge"], query.get("nonce")
        )
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

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
        token = self.make_token(grant.sub, **{"nonce": grant.nonce, **self.id_token_overrides})
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token,
        }


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.removeprefix("/api/auth")
        if path == "/.well-known/openid-configuration":
            return self._json(200, self.issuer.discovery())
        if path == "/jwks":
            return self._jwks()
        if path == "/oauth2/authorize":
            return self._authorize()
        if path == "/healthz":
            return self._json(200, {"ok": True})
        return self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = urlsplit(self.path).path.removeprefix("/api/auth")
        if path == "/oauth2/token":
            answer = self.issuer.redeem(_flat(body))
            return self._json(200 if answer else 401, answer or {"error": "invalid_grant"})
        if path == "/sign-in/email":
            return self._sign_in(json.loads(body))
        return self._json(404, {"error": "not found"})

    def _jwks(self) -> None:
        self.issuer.jwks_fetches += 1
        match self.issuer.jwks_mode:
            case "down":
                self.close_connection = True
            case "error":
                self._json(500, {"error": "broken"})
            case "garbage":
                self._answer(200, b"<html>it works!</html>", {"Content-Type": "text/html"})
            case "redirect":
                self._answer(302, b"", {"Location": f"{self.issuer.jwks_url}?moved"})
            case mode:
                time.sleep(self.issuer.slow_s if mode == "slow" else 0)
                self._json(200, self.issuer.key_set(mode))

    def _authorize(self) -> None:
        query = _flat(urlsplit(self.path).query)
        sub = self.issuer.signed_in_sub or self.issuer.sessions.get(self._session_cookie())
        well_formed = (
            query.get("response_type") == "code"
            and query.get("client_id") == self.issuer.client_id
            and query.get("redirect_uri") in self.issuer.redirect_uris
            and query.get("code_challenge_method") == "S256"
            and {"code_challenge", "state"} <= query.keys()
        )
        if not well_formed:
            return self._json(400, {"error": "invalid_request"})
        if sub is None:
            return self._answer(302, b"", {"Location": f"{self.issuer.issuer}/sign-in"})
        return self._redirect(self.issuer.issue_code(query, sub))

    def _redirect(self, url: str) -> None:
        if self.headers.get("Sec-Fetch-Mode") == "cors":
            return self._json(200, {"redirect": True, "url": url})
        return self._answer(302, b"", {"Location": url})

    def _sign_in(self, body: dict[str, str]) -> None:
        check = self.issuer.authenticate
        sub = check(body.get("email", ""), body.get("password", "")) if check else None
        if sub is None:
            return self._json(401, {"code": "INVALID_EMAIL_OR_PASSWORD"})
        token = secrets.token_urlsafe(24)
        self.issuer.sessions[token] = sub
        cookie = f"{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax"
        answer = json.dumps({"redirect": False, "token": token, "user": {"id": sub}}).encode()
        return self._answer(200, answer, {"Set-Cookie": cookie})

    def _session_cookie(self) -> str:
        pairs = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";"))
        return {name: value for name, _, value in pairs}.get(SESSION_COOKIE, "")

    def _json(self, status: int, body: Any) -> None:
        self._answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Keep the console quiet."""


def _flat(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _handler_for(issuer: Issuer) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"issuer": issuer})
