"""The shim of this project, put together from its settings."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.module_loading import import_string

from .assembly import Assembly
from .handle import Handle
from .identity import PostgresPeople
from .model import SignedIn
from .request import Request
from .sessions import DjangoSessions
from .settings import Environment

_JUDGE = "auther_dual_path.identity.account_state"


@cache
def shim() -> Assembly:
    """Give it; the middleware makes it when the process starts."""
    judge = import_string(getattr(settings, "AUTHER_ACCOUNT_STATE", _JUDGE))
    return Assembly(
        people=PostgresPeople(judge=judge),
        legacy=DjangoSessions(judge),
        login_path=resolve_url(settings.LOGIN_URL),
        cookie_secret=settings.SECRET_KEY,
        environment=Environment.read(),
    )


def handle_of(http: HttpRequest) -> Handle:
    """Give what the shim knows of a request; also of one that its middleware has not seen."""
    handle: Handle | None = getattr(http, "_auther_handle", None)
    return begin(http) if handle is None else handle


def begin(http: HttpRequest, parts: Assembly | None = None) -> Handle:
    """Begin with a request.

    Raises:
        VerificationUnavailableError: Nobody knows the stage.
    """
    handle = (parts or shim()).handle(Request(http))
    http._auther_handle = handle
    return handle


def user_of(http: HttpRequest) -> SignedIn | None:
    """Give who a request acts for, None for nobody."""
    user: SignedIn | None = getattr(http, "auther_user", None)
    return user
