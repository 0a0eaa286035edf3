"""The Django target's in-process benchmark; `bench_shim` runs it beside a freshly generated application."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import django
from django.conf import settings

if TYPE_CHECKING:
    from python_parts import Pair

settings.configure(
    SECRET_KEY="b" * 50,
    INSTALLED_APPS=["auther_dual_path", "django.contrib.auth", "django.contrib.contenttypes"],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    ROOT_URLCONF="no_urls",
    AUTHENTICATION_BACKENDS=[
        "auther_dual_path.backends.AutherBackend",
        "django.contrib.auth.backends.ModelBackend",
    ],
)
sys.modules["no_urls"] = ModuleType("no_urls")
vars(sys.modules["no_urls"])["urlpatterns"] = []
django.setup()

# What needs Django to be set up.
from auther_dual_path.assembly import Assembly  # noqa: E402
from auther_dual_path.middleware import DualPathMiddleware  # noqa: E402
from auther_dual_path.model import AccountState, Person  # noqa: E402
from auther_dual_path.sessions import DjangoSessions  # noqa: E402
from auther_dual_path.settings import Environment  # noqa: E402
from django.contrib.auth.models import AnonymousUser, User  # noqa: E402
from django.contrib.sessions.backends.signed_cookies import SessionStore  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from python_parts import (  # noqa: E402
    AUTHER_ID,
    HEADERS,
    JWKS,
    Writes,
    measure,
    token,
    verified,
    write_log_lines_nowhere,
)

USER = User(pk=7)
PERSON = Person("7", AUTHER_ID, account=USER)
REQUESTS = RequestFactory(headers=HEADERS)


class People(Writes):
    """The lookup of both sides: the same constant."""

    def by_auther_id(self, _: str) -> Person:
        return PERSON

    def process_began(self, _: object) -> bool:
        return False


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok" if request.user.is_authenticated else "-")


def made(bearer: str = "", *, session: bool = False) -> HttpRequest:
    """Give a request as the middleware before the shim leaves it."""
    request = REQUESTS.get("/api/members?page=2")
    request.session, request.user = SessionStore(), AnonymousUser()
    # SessionMiddleware looks for its own.
    request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if bearer:
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
    if session:
        request.META["HTTP_COOKIE"] = "theme=dark; sessionid=there; consent=1"
        request.COOKIES[settings.SESSION_COOKIE_NAME] = "there"
        request.session["_auth_user_id"], request.user = "7", USER
        request.session.modified = False
    return request


def main() -> None:
    write_log_lines_nowhere()
    people = People()
    parts = Assembly(
        people=people,  # type: ignore[arg-type]  # what no request of these asks is left out
        legacy=DjangoSessions(lambda _: AccountState.ACTIVE),
        login_path="/login",
        cookie_secret="b" * 32,
        environment=Environment.read(),
        fetch_jwks=lambda: JWKS,
    )
    shim = DualPathMiddleware(view, parts=parts)

    def fresh(number: int) -> Pair:
        text = token(number)
        plain, guarded = made(), made(text)

        def bare() -> None:
            people.by_auther_id(verified(text)["sub"])
            view(plain)

        return bare, lambda: shim(guarded)

    again = token(0)

    def cached(_: int) -> Pair:
        plain, guarded = made(), made(again)

        def bare() -> None:
            people.by_auther_id(AUTHER_ID)
            view(plain)

        return bare, lambda: shim(guarded)

    def legacy(_: int) -> Pair:
        plain, guarded = made(session=True), made(session=True)
        return lambda: view(plain), lambda: shim(guarded)

    measure(ask=lambda text: shim(made(text)), fresh=fresh, cached=cached, legacy=legacy)


main()
