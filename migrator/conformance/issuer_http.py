"""The issuer's endpoints over HTTP."""

from __future__ import annotations

import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from migrator.conformance.plugin_stand_in import (
    CAPABILITIES,
    NONCE_COOKIE,
    RedemptionRefused,
    Refused,
    hash_of,
    with_query,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.conformance.issuing import Issuing

SESSION_COOKIE = "better-auth.session_token"
_PLUGIN = "/migrator/"


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuing

    def do_GET(self) -> None:
        pages: dict[str, Callable[[], None]] = {
            "/.well-known/openid-configuration": lambda: self._json(200, self.issuer.discovery()),
            "/jwks": self._jwks,
            "/oauth2/authorize": self._authorize,
            "/migrator/exchange/start": self._exchange_start,
            "/migrator/exchange/redeem": self._exchange_redeem,
            "/healthz": lambda: self._json(200, {"ok": True}),
        }
        page = pages.get(self._path())
        return page() if page else self._json(404, {"error": "not found"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self._path()
        if path == "/oauth2/token":
            answer = self.issuer.redeem(_flat(body))
            return self._json(200 if answer else 401, answer or {"error": "invalid_grant"})
        if path == "/sign-in/email":
            return self._sign_in(json.loads(body))
        if path.removeprefix(_PLUGIN) in CAPABILITIES:
            return self._plugin(path.removeprefix(_PLUGIN), json.loads(body))
        return self._json(404, {"error": "not found"})

    def _path(self) -> str:
        return urlsplit(self.path).path.removeprefix("/api/auth")

    def _jwks(self) -> None:
        self.issuer.count_fetch()
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
        sub = self.issuer.signed_in_sub or self.issuer.sessions.get(self._cookie(SESSION_COOKIE))
        if not self.issuer.understands(query):
            return self._json(400, {"error": "invalid_request"})
        if sub is None:
            return self._redirect(f"{self.issuer.issuer}/sign-in?{urlencode(query)}")
        return self._redirect_or_tell(self.issuer.issue_code(query, sub))

    def _sign_in(self, body: dict[str, str]) -> None:
        check = self.issuer.authenticate
        sub = check(body.get("email", ""), body.get("password", "")) if check else None
        if sub is None:
            return self._json(401, {"code": "INVALID_EMAIL_OR_PASSWORD"})
        token = self.issuer.begin_session(sub)
        answer = json.dumps({"redirect": False, "token": token, "user": {"id": sub}}).encode()
        return self._answer(200, answer, {"Set-Cookie": _cookie(SESSION_COOKIE, token)})

    def _plugin(self, capability: str, body: dict[str, Any]) -> None:
        plugin = self.issuer.plugin
        if plugin.mode == "down":
            self.close_connection = True
            return None
        time.sleep(self.issuer.slow_s if plugin.mode == "slow" else 0)
        try:
            answer = plugin.answer(capability, self.headers.get("Authorization", ""), body)
        except Refused as refused:
            return self._json(refused.status, {"code": refused.code})
        return self._json(200, answer)

    def _exchange_start(self) -> None:
        query = _flat(urlsplit(self.path).query)
        to = query.get("to", "")
        if not self.issuer.is_client_page(query.get("client_id", ""), to):
            return self._json(400, {"code": "bad_request"})
        nonce = self._cookie(NONCE_COOKIE) or secrets.token_urlsafe(32)
        added = {name: value for name, value in query.items() if name == "state"}
        where = with_query(to, nonce_hash=hash_of(nonce), **added)
        return self._redirect(where, {"Set-Cookie": _cookie(NONCE_COOKIE, nonce)})

    def _exchange_redeem(self) -> None:
        query = _flat(urlsplit(self.path).query)
        ticket, nonce = query.pop("ticket", ""), self._cookie(NONCE_COOKIE)
        if not self.issuer.understands(query):
            return self._json(400, {"code": "bad_request"})
        present = self.issuer.sessions.get(self._cookie(SESSION_COOKIE))
        try:
            sub = self.issuer.plugin.redeem(ticket, nonce=nonce, present=present, query=query)
        except RedemptionRefused as refused:
            said = refused.query(query["state"])
            return self._redirect(with_query(query["redirect_uri"], **said))
        cookie = _cookie(SESSION_COOKIE, self.issuer.begin_session(sub))
        where = f"{self.issuer.authorize_url}?{urlencode(query)}"
        return self._redirect(where, {"Set-Cookie": cookie})

    def _redirect_or_tell(self, url: str) -> None:
        if self.headers.get("Sec-Fetch-Mode") == "cors":
            return self._json(200, {"redirect": True, "url": url})
        return self._redirect(url)

    def _redirect(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._answer(302, b"", {"Location": url, **(headers or {})})

    def _cookie(self, wanted: str) -> str:
        pairs = (part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";"))
        return {name: value for name, _, value in pairs}.get(wanted, "")

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


def handler_for(issuer: Issuing) -> type[BaseHTTPRequestHandler]:
    """Give a request handler that serves one issuer."""
    return type("Handler", (_Handler,), {"issuer": issuer})


def _flat(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _cookie(name: str, value: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax"
