"""Django itself: its responses, and whom a request acts for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from .answers import Response
from .model import Header


def http_response(response: Response) -> HttpResponse:
    """Give one of the shim's own answers."""
    made = HttpResponse(response.body, status=int(response.status))
    add_headers(made, [(b"cache-control", b"no-store"), *response.headers])
    return made


def add_headers(response: HttpResponseBase, headers: Iterable[Header]) -> None:
    """Add headers; a cookie that is set twice is set as the last one says."""
    for name, value in headers:
        if name == b"set-cookie":
            response.cookies.load(value.decode("ascii"))
        else:
            response[name.decode("ascii")] = value.decode("ascii")


def tell_caches(response: HttpResponseBase, name: str) -> None:
    """Say what an answer depends on; Django does so where it looked into the session."""
    if "Vary" in response.headers:
        patch_vary_headers(response, [name])
    else:
        response["Vary"] = name


def act_as(http: HttpRequest, user: Any) -> None:
    """Have a request act for somebody; no session is begun or changed by that."""
    http.user, http.auser = user, partial(_same, user)


async def _same(user: Any) -> Any:
    return user


def without_cookies(http: HttpRequest) -> None:
    """Have a request act for who its bearer says, whoever else this client may be."""
    http.COOKIES = {}
    http.META.pop("HTTP_COOKIE", None)
    http.session = import_module(settings.SESSION_ENGINE).SessionStore()
    act_as(http, AnonymousUser())
