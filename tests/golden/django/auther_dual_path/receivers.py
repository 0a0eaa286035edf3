"""What Django tells of logins and logouts, whichever view they came through."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, REDIRECT_FIELD_NAME, SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.auth.views import LoginView, PasswordResetConfirmView
from django.http import HttpRequest

from .current import handle_of
from .doors import (
    DoorClosedError,
    admit,
    closed,
    end_auther_session,
    password_at_auther,
    password_was_right,
)
from .model import VerificationUnavailableError
from .request import Request
from .settings import SETTINGS

OWN_BACKEND = "auther_dual_path.backends.AutherBackend"
_TRIED = "_auther_tried"
_LET_IN = "_auther_let_in"


def connect() -> None:
    """Listen. First: what other receivers do at a login must not happen for a refused one."""
    user_logged_in.connect(_logged_in, dispatch_uid="auther_dual_path")
    user_logged_out.connect(_logged_out, dispatch_uid="auther_dual_path")


def _logged_in(*, request: HttpRequest, user: Any, **_: Any) -> None:
    """Close the door, or count the login.

    The session holds the user already, in memory: it is stored after the view. So whoever is
    refused is taken out of it, and nothing of the login remains.
    """
    door, user_pk = door_of(request), str(user.pk)
    name_of, password = request.__dict__.pop(_TRIED, ("", ""))
    try:
        if password and name_of != user_pk:
            _check_again(request, user_pk, password, door)
        _let_in(request, user_pk, door)
    except DoorClosedError:
        if door == "reset":
            # The new password stays, in a transaction too, and the page says that one can sign in.
            return
        raise
    if request.session.get(BACKEND_SESSION_KEY) == OWN_BACKEND:
        # The session must not end when this package goes.
        others = (name for name in settings.AUTHENTICATION_BACKENDS if name != OWN_BACKEND)
        request.session[BACKEND_SESSION_KEY] = next(others, OWN_BACKEND)
    if password:
        password_was_right(request, user_pk, password)


def look_for_silent_logins(http: HttpRequest, before: str) -> None:
    """Treat as a login what put a user into the session without Django's `login`.

    Args:
        before: Whom the session named before the view.

    Raises:
        DoorClosedError: The stage sends this person to Auther; the session holds nobody.
        VerificationUnavailableError: The database does not answer; the session holds nobody.
    """
    holder = str(http.session.get(SESSION_KEY, "")) if http.session.modified else ""
    if holder and holder not in {before, getattr(http, _LET_IN, "")}:
        _let_in(http, holder, "other")


def _check_again(http: HttpRequest, user_pk: str, password: str, door: str) -> None:
    """Ask Auther where your own backend found somebody whom ours did not know by that name."""
    try:
        right = password_at_auther(
            http, user_pk, password, door=door, return_to=return_path_of(http)
        )
        if right is False:
            raise closed(handle_of(http), door, return_path_of(http))
    except (DoorClosedError, VerificationUnavailableError):
        handle_of(http).parts.legacy.forget(http)
        raise


def _let_in(http: HttpRequest, user_pk: str, door: str) -> None:
    try:
        admit(http, user_pk, door=door, return_to=return_path_of(http))
    except (DoorClosedError, VerificationUnavailableError):
        handle_of(http).parts.legacy.forget(http)
        raise
    setattr(http, _LET_IN, user_pk)


def _logged_out(*, request: HttpRequest, **_: Any) -> None:
    end_auther_session(request)


def tried(http: HttpRequest, user_pk: str, password: str) -> None:
    """Keep a password until this request's end: if it was right, Auther is asked about it too.

    Args:
        user_pk: Whom the name means that came with it, '' for nobody whom we know.
    """
    setattr(http, _TRIED, (user_pk, password))


def door_of(http: HttpRequest) -> str:
    """Name the door that somebody comes through: a label from a closed list."""
    if not Request(http).wants_page:
        return "json"
    match = http.resolver_match
    view_class = getattr(match.func, "view_class", object) if match else object
    if match and match.app_name == "admin":
        return "admin"
    if issubclass(view_class, PasswordResetConfirmView):
        return "reset"
    login_path = handle_of(http).parts.login_path
    return "form" if issubclass(view_class, LoginView) or http.path == login_path else "other"


def return_path_of(http: HttpRequest) -> str:
    """Give where somebody wants to go after a login."""
    given = http.POST.get(REDIRECT_FIELD_NAME) or http.GET.get(REDIRECT_FIELD_NAME)
    return given or SETTINGS.after_login
