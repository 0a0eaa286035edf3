"""Pages of django.contrib.auth that would change a password which is at Auther."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import (
    INTERNAL_RESET_SESSION_TOKEN,
    PasswordChangeView,
    PasswordResetConfirmView,
)
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest
from django.utils import timezone

from .answers import Response, error, redirect
from .doors import changes_password_at_auther, reset_at_auther
from .request import Request
from .settings import SETTINGS

_ADMINS = "admin:password_change"


def elsewhere(http: HttpRequest, view: Any, values: dict[str, Any]) -> Response | None:
    """Give the way to Auther for whoever has the password there, None for everybody else.

    Raises:
        VerificationUnavailableError: Auther or the database does not answer.
    """
    view_class = getattr(view, "view_class", object)
    if issubclass(view_class, PasswordResetConfirmView):
        return _reset(http, view_class(**view.view_initkwargs), values)
    named = http.resolver_match.view_name if http.resolver_match else ""
    if issubclass(view_class, PasswordChangeView) or named == _ADMINS:
        return _change(http)
    return None


def _reset(
    http: HttpRequest, view: PasswordResetConfirmView, values: dict[str, Any]
) -> Response | None:
    # First Django takes the token out of the address; what looks at links before people do ends
    # there.
    if values.get("token") != view.reset_url_token or http.method == "HEAD":
        return None
    user = view.get_user(values["uidb64"])
    token = http.session.get(INTERNAL_RESET_SESSION_TOKEN)
    if user is None or not view.token_generator.check_token(user, token):
        return None
    url = reset_at_auther(http, str(user.pk))
    if not url:
        return None
    del http.session[INTERNAL_RESET_SESSION_TOKEN]
    _use_up(user)
    return redirect(url)


def _use_up(user: Any) -> None:
    """End a link, which nothing stores: it is good until password, e-mail or last login change."""
    try:
        user._meta.get_field("last_login")
    except FieldDoesNotExist:
        return
    # Links know whole seconds only.
    before, now = user.last_login, timezone.now()
    user.last_login = now if before is None else max(now, before + timedelta(seconds=1))
    user.save(update_fields=["last_login"])


def _change(http: HttpRequest) -> Response | None:
    user = http.user
    if not (user.is_authenticated and changes_password_at_auther(http, str(user.pk))):
        return None
    if not Request(http).wants_page:
        return error(HTTPStatus.FORBIDDEN, "login_moved")
    at = urlsplit(SETTINGS.authorize_url)
    return redirect(f"{at.scheme}://{at.netloc}/")
