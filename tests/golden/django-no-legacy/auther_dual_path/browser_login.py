"""The browser's way to Auther and back, and out again."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from . import renewal
from .answers import Response, error, redirect
from .attempt import Attempt
from .auther_api import AutherRefusedError, AutherUnreachableError
from .credentials import TOKEN_COOKIE
from .decision import Kind
from .handle import Handle
from .model import Person, VerificationUnavailableError
from .request import safe_return_path
from .tokens import Claims, SentToken, TokenRefusedError, refusal_of

_STATUS_OF = {"identity_unlinked": 409, "other_user": 403}


class LoginFailedError(Exception):
    """A login that comes to no end; the reason is shown and counted."""

    def __init__(self, reason: str, status: int = 400, *, retry_after_s: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


def start(handle: Handle) -> Response:
    """Send the browser to Auther."""
    query, parts = handle.request.query, handle.parts
    return_to = safe_return_path(query.get("return_to", ""), default=parts.settings.after_login)
    sub = renewal.bound_to(handle) if query.get("renew") == "1" else ""
    attempt = parts.attempts.begin(return_to, purpose="renewal" if sub else "login", sub=sub)
    where = f"{parts.settings.authorize_url}?{attempt.authorize_query(parts.settings)}"
    return redirect(where, parts.attempts.remember(attempt))


def callback(handle: Handle) -> Response:
    """Take the browser back: verify whom Auther signed in, and let exactly that person in."""
    request, parts = handle.request, handle.parts
    state = request.query.get("state", "")
    attempt = parts.attempts.take(request, state)
    if attempt is None:
        return handle.failed_login("state")
    handle.headers.append(parts.attempts.forget(state))
    try:
        _complete(handle, attempt)
    except LoginFailedError as failure:
        return _given_up(handle, attempt, failure)
    except TokenRefusedError as failure:
        return _given_up(handle, attempt, LoginFailedError(failure.reason, 403))
    except VerificationUnavailableError as failure:
        reason, wait_s = "verification_unavailable", max(1, failure.retry_after_s)
        return _given_up(handle, attempt, LoginFailedError(reason, 503, retry_after_s=wait_s))
    return redirect(attempt.return_to)


def logout(handle: Handle) -> Response:
    """End everything in this browser, and this person's sessions at Auther."""
    if handle.request.method != "POST":
        return error(HTTPStatus.METHOD_NOT_ALLOWED, "method")
    if not handle.request.is_same_origin(handle.parts.settings.origin, unsaid=False):
        return error(HTTPStatus.FORBIDDEN, "csrf")
    end_auther_side(handle)
    return redirect(handle.parts.settings.after_login)


def end_auther_side(handle: Handle) -> None:
    """Drop the credential, and end the sessions at Auther of whom it stands for, best effort."""
    parts = handle.parts
    finding = parts.credentials.in_cookie(handle.request)
    claims = finding.claims
    # An old token that somebody found must not sign its person out for ever.
    renewable = claims is not None and parts.now() < claims["exp"] + parts.settings.renew_for_s
    sub = claims["sub"] if claims is not None and renewable else ""
    result = "failed" if finding.kind is Kind.UNAVAILABLE and parts.api.logs_out else "off"
    if sub and parts.api.logs_out:
        try:
            parts.api.log_out(sub)
            result = "ended"
        except (AutherRefusedError, AutherUnreachableError):
            result = "failed"
    parts.counters.count("auth_logouts", result)
    handle.drop_token()


def _complete(handle: Handle, attempt: Attempt) -> None:
    parts = handle.parts
    token, claims = _redeem(handle, attempt)
    if attempt.sub and claims["sub"] != attempt.sub:
        raise LoginFailedError("other_user", 403)
    person = _person(handle, claims)
    parts.people.signed_in(person.auther_id)
    # Kept longer than the token: what the browser has dropped could not be renewed.
    until_s = claims["exp"] + parts.settings.renew_for_s
    value = parts.tokens.cookie_value(token, until_s)
    handle.discard_token()
    handle.set_cookie(TOKEN_COOKIE, value, max_age_s=int(until_s - parts.now()))
    renewal.succeeded(handle, attempt)
    parts.counters.count("auth_logins", "callback", "auther")


def _redeem(handle: Handle, attempt: Attempt) -> tuple[str, Claims]:
    parts, code = handle.parts, handle.request.query.get("code", "")
    if not code or "error" in handle.request.query:
        raise LoginFailedError("refused_by_auther")
    token = _id_token(_tokens(handle, code, attempt.verifier))
    claims = parts.verifier.verify(SentToken(token))
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
        raise LoginFailedError("nonce")
    audience = claims["aud"]
    if parts.settings.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise LoginFailedError("audience")
    return token, claims


def _tokens(handle: Handle, code: str, verifier: str) -> Mapping[str, Any]:
    try:
        return handle.parts.api.token_for(code, verifier)
    except AutherRefusedError:
        raise LoginFailedError("code_refused") from None
    except AutherUnreachableError:
        raise LoginFailedError("auther_unreachable", 503, retry_after_s=5) from None


def _id_token(answer: Mapping[str, Any]) -> str:
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise LoginFailedError("no_id_token", 502)
    return token


def _person(handle: Handle, claims: Claims) -> Person:
    person = handle.parts.credentials.person_of(claims)
    reason = person if isinstance(person, str) else refusal_of(person, claims)
    if isinstance(person, str) or reason:
        raise LoginFailedError(reason, _STATUS_OF.get(reason, 403))
    return person


def _given_up(handle: Handle, attempt: Attempt, failure: LoginFailedError) -> Response:
    if attempt.purpose == "renewal":
        renewal.failed(handle, failure.reason)
    return handle.failed_login(failure.reason, failure.status, retry_after_s=failure.retry_after_s)
