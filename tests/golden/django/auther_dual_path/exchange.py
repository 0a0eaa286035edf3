"""A legacy session becomes one at Auther without a password, on the way to the next page.

Two hops, because Auther is another origin: it binds a nonce to the browser and says its hash; this
server gets a ticket for (person, hash, client, PKCE challenge); redeeming it needs the nonce.
Whatever fails, the person goes on with the legacy session.
"""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from .answers import EXCHANGE_PATH, Response, redirect
from .attempt import Attempt
from .auther_api import AutherRefusedError, AutherUnreachableError
from .handle import Handle
from .model import (
    AccountState,
    Person,
    SignedIn,
    Stage,
    VerificationUnavailableError,
)
from .request import safe_return_path

PAUSE_COOKIE = "auther_exchange_pause"
_PAUSE_S = 600
_log = logging.getLogger(__name__)


def offered(handle: Handle, user: SignedIn) -> Response | None:
    """Give the way to Auther where the legacy session of a page's visitor may become one there."""
    if user.credential != "session" or not _is_on(handle):
        return None
    if not handle.request.is_top_level_get or _pauses(handle):
        return None
    # Set before it begins: whoever is stuck at Auther and comes back must not be sent there again.
    handle.set_cookie(PAUSE_COOKIE, "1", max_age_s=_PAUSE_S)
    person = _eligible(handle, user.user_pk)
    if person is None:
        return None
    handle.parts.counters.count("auth_exchanges", "started")
    attempt = handle.parts.attempts.begin(
        handle.request.return_path(), purpose="exchange", sub=person.auther_id
    )
    settings = handle.parts.settings
    query = {
        "client_id": settings.client_id,
        "to": settings.origin + EXCHANGE_PATH,
        "state": attempt.state,
    }
    where = f"{settings.plugin_url}/exchange/start?{urlencode(query)}"
    return redirect(where, handle.parts.attempts.remember(attempt))


def came_back(handle: Handle) -> Response:
    """Go on with a ticket, if the session still is that person's."""
    parts, query = handle.parts, handle.request.query
    state = query.get("state", "")
    begun = parts.attempts.take(handle.request, state)
    if begun is None or begun.purpose != "exchange":
        return handle.failed_login("state")
    handle.headers.append(parts.attempts.forget(state))
    http, legacy = handle.request.http, parts.legacy
    session = legacy.read(http) if legacy.holds_user(http) else None
    active = session is not None and session.state is AccountState.ACTIVE
    person = _eligible(handle, session.user_pk) if session is not None and active else None
    if not _is_on(handle) or person is None or person.auther_id != begun.sub:
        return given_up(handle, begun.return_to, "not_eligible")
    attempt = parts.attempts.begin(begun.return_to, purpose="exchange", sub=begun.sub)
    try:
        ticket = parts.api.exchange_ticket(
            begun.sub, query.get("nonce_hash", ""), attempt.code_challenge
        )
    except AutherRefusedError:
        return given_up(handle, begun.return_to, "refused")
    except AutherUnreachableError:
        return given_up(handle, begun.return_to, "unreachable")
    where = f"{parts.settings.plugin_url}/exchange/redeem?{urlencode({'ticket': ticket})}"
    return redirect(
        f"{where}&{attempt.authorize_query(parts.settings)}", parts.attempts.remember(attempt)
    )


def succeeded(handle: Handle, attempt: Attempt) -> None:
    """Note that a session became one at Auther."""
    handle.drop_cookie(PAUSE_COOKIE)
    if attempt.purpose == "exchange":
        handle.parts.counters.count("auth_exchanges", "ok")


def given_up(handle: Handle, return_to: str, reason: str) -> Response:
    """Go back to the page; the pause has begun with the exchange."""
    _log.info("a session was not exchanged: %s", reason)
    handle.parts.counters.count("auth_exchanges", reason if reason == "other_user" else "failed")
    return redirect(safe_return_path(return_to, default=handle.parts.settings.after_login))


def _is_on(handle: Handle) -> bool:
    view, parts = handle.view, handle.parts
    if view.stage is Stage.DUAL:
        return parts.settings.exchange_in_dual and parts.api.exchanges
    on = view.stage is Stage.DRAIN and not view.legacy_is_over(parts.now())
    return on and parts.api.exchanges


def _eligible(handle: Handle, user_pk: str) -> Person | None:
    try:
        person = handle.parts.people.by_user_pk(user_pk)
    except VerificationUnavailableError:
        return None
    return None if person is None or person.pinned or person.disabled else person


def _pauses(handle: Handle) -> bool:
    return bool(handle.request.cookies(handle.parts.settings.cookie(PAUSE_COOKIE)))
