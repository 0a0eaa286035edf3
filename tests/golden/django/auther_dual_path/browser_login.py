"""The browser's way to Auther and back, and out again."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from . import exchange, renewal
from .answers import Response, conflict_page, error, redirect
from .attempt import Attempt
from .auther_api import AutherRefusedError, AutherUnreachableError
from .credentials import TOKEN_COOKIE
from .decision import Kind
from .handle import Handle
from .model import Person, Stage, VerificationUnavailableError
from .request import safe_return_path
from .tokens import Claims, SentToken, TokenRefusedError, refusal_of

BUCKET_COOKIE = "migrator_bucket"
BUCKET_AGE_S = 400 * 24 * 3600
# Before a bucket's key: this browser has signed in at Auther, and does so again.
MOVED = "m."
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
    if handle.view.stage is Stage.LEGACY:
        return redirect(parts.login_path)
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
    if handle.view.stage is Stage.LEGACY:
        return _back_to_legacy(handle, attempt)
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


def _back_to_legacy(handle: Handle, attempt: Attempt) -> Response:
    if attempt.purpose == "exchange":
        return exchange.given_up(handle, attempt.return_to, "stage")
    return redirect(handle.parts.login_path)


def logout(handle: Handle) -> Response:
    """End everything in this browser, and this person's sessions at Auther."""
    if handle.request.method != "POST":
        return error(HTTPStatus.METHOD_NOT_ALLOWED, "method")
    if not handle.request.is_same_origin(handle.parts.settings.origin, unsaid=False):
        return error(HTTPStatus.FORBIDDEN, "csrf")
    end_auther_side(handle)
    handle.headers.extend(handle.parts.legacy.forget(handle.request.http))
    return redirect(handle.parts.settings.after_login)


def conflict(handle: Handle, csrf: Callable[[], str]) -> Response:
    """Show that two sign-ins do not belong together; a POST ends both."""
    request, settings = handle.request, handle.parts.settings
    if request.method in {"GET", "HEAD"}:
        return conflict_page(settings)
    cookie, sent = request.cookie(settings.cookie("auther_conflict")), csrf()
    good = sent and hmac.compare_digest(cookie.encode(), sent.encode())
    same_origin = request.is_same_origin(settings.origin, unsaid=True)
    if request.method != "POST" or not (good and same_origin):
        return error(HTTPStatus.FORBIDDEN, "csrf")
    handle.drop_token()
    handle.drop_cookie("auther_conflict")
    handle.headers.extend(handle.parts.legacy.forget(request.http))
    return redirect(handle.parts.login_path)


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
    moves = handle.view.stage in {Stage.DUAL, Stage.DRAIN}
    parts.people.signed_in(person.auther_id, moves_home=moves)
    # First the other side's session, so that a conflict later means abuse or a race.
    parts.legacy.give_way(handle.request.http, person.user_pk)
    # Kept longer than the token: what the browser has dropped could not be renewed.
    until_s = claims["exp"] + parts.settings.renew_for_s
    value = parts.tokens.cookie_value(token, until_s)
    handle.discard_token()
    handle.set_cookie(TOKEN_COOKIE, value, max_age_s=int(until_s - parts.now()))
    renewal.succeeded(handle, attempt)
    exchange.succeeded(handle, attempt)
    _remember_side(handle)
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
    if attempt.purpose == "exchange":
        # The legacy session is as good as before: nobody notices.
        return exchange.given_up(handle, attempt.return_to, failure.reason)
    return handle.failed_login(failure.reason, failure.status, retry_after_s=failure.retry_after_s)


def _remember_side(handle: Handle) -> None:
    name = handle.parts.settings.cookie(BUCKET_COOKIE)
    key = handle.request.cookie(name)
    if not key.startswith(MOVED):
        handle.set_cookie(BUCKET_COOKIE, MOVED + key, max_age_s=BUCKET_AGE_S)
