"""The answers that the shim gives itself."""

from __future__ import annotations

import json
import math
import secrets
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from urllib.parse import quote, urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME

from .decision import Answer, Decision
from .model import Header
from .request import Request
from .settings import Settings

START_PATH = "/auth/auther/start"
LOGOUT_PATH = "/auth/auther/logout"
EXCHANGE_PATH = "/auth/auther/exchange"
CONFLICT_PATH = "/auth/conflict"
_JSON: Header = (b"content-type", b"application/json")
_HTML: tuple[Header, ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (
        b"content-security-policy",
        b"default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
)
_CONFLICT_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>Sign in again</title><h1>Two sign-ins at once</h1>
<p>This browser holds two sign-ins that do not belong together, so neither was used.</p>
<form method="post"><input type="hidden" name="csrf" value="%s">
<button>Sign out of both and sign in again</button></form></html>
"""
_FAILED_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<title>Not signed in</title><h1>The sign-in did not work</h1>
<p>Nothing was changed. Reason: <code>%s</code></p>
<p><a href="%s">Try again</a></p></html>
"""
# What a browser is redirected for is said in words to whoever cannot follow.
_SAID_TO_PROGRAMS = {
    Answer.LOGIN: Answer.UNAUTHORIZED,
    Answer.CONFLICT_COOKIE: Answer.CONFLICT_HEADER,
}


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


def answer(decision: Decision, request: Request, *, login_path: str) -> Response:
    """Give the answer for a decision that does not reach the application."""
    refusal = decision.answer
    if refusal is Answer.UNAVAILABLE:
        return unavailable(decision.retry_after_s)
    if refusal is Answer.UNLINKED:
        return error(HTTPStatus.CONFLICT, refusal.value)
    if request.is_navigation and refusal in {Answer.LOGIN, Answer.LEGACY_ENDED}:
        return redirect(with_return_path(login_path, request.return_path()))
    if request.is_navigation and refusal is Answer.CONFLICT_COOKIE:
        return redirect(CONFLICT_PATH)
    return error(HTTPStatus.UNAUTHORIZED, _SAID_TO_PROGRAMS.get(refusal, refusal).value)


def redirect(location: str, *headers: Header) -> Response:
    """Send the browser somewhere with GET."""
    return Response(HTTPStatus.SEE_OTHER, b"", ((b"location", location.encode("ascii")), *headers))


def with_return_path(path: str, return_to: str, **more: str) -> str:
    """Give a path that comes back to another one."""
    # Django's own login page has its own name for it.
    name = "return_to" if path == START_PATH else REDIRECT_FIELD_NAME
    return f"{path}?{urlencode({name: return_to, **more}, quote_via=quote, safe='/')}"


def unavailable(retry_after_s: float) -> Response:
    """Say that nobody can tell now; never that somebody is signed out."""
    wait_s = str(max(1, math.ceil(retry_after_s))).encode()
    refusal = error(HTTPStatus.SERVICE_UNAVAILABLE, Answer.UNAVAILABLE.value)
    return Response(refusal.status, refusal.body, (*refusal.headers, (b"retry-after", wait_s)))


def conflict_page(settings: Settings) -> Response:
    """Show the page that names nobody; its form's token is also in a cookie."""
    token = secrets.token_urlsafe(32)
    # Strict: a POST that another site starts arrives without this cookie.
    cookie = set_cookie(settings, "auther_conflict", token, same_site="Strict")
    return Response(HTTPStatus.OK, (_CONFLICT_PAGE % token).encode(), (*_HTML, cookie))


def failed_page(reason: str, status: int, *, again: str, retry_after_s: float = 0) -> Response:
    """Show that a login came to no end, and why."""
    body = (_FAILED_PAGE % (escape(reason), escape(again))).encode()
    wait = ((b"retry-after", str(math.ceil(retry_after_s)).encode()),) if retry_after_s else ()
    return Response(status, body, (*_HTML, *wait))


def set_cookie(
    settings: Settings,
    name: str,
    value: str,
    *,
    same_site: str = "Lax",
    max_age_s: int | None = None,
) -> Header:
    """Give a `set-cookie` header; HttpOnly, whole origin, no Domain (`__Host-` forbids one)."""
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    secure = "; Secure" if settings.secure_cookies else ""
    text = f"{settings.cookie(name)}={value}; Path=/; HttpOnly; SameSite={same_site}{age}{secure}"
    return (b"set-cookie", text.encode("ascii"))


def drop_cookie(settings: Settings, name: str) -> Header:
    """Give the `set-cookie` header that removes a cookie."""
    return set_cookie(settings, name, "", max_age_s=0)


def error(status: HTTPStatus, code: str) -> Response:
    """Say no to a program."""
    headers: list[Header] = [_JSON]
    if status is HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer error="invalid_token"'))
    return Response(status, json.dumps({"error": code}).encode(), tuple(headers))
