"""Says at start what is missing: half installed, it would let in or keep out the wrong people."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from .settings import SETTINGS

_PACKAGE = "auther_dual_path"
_MIDDLEWARE = f"{_PACKAGE}.middleware.DualPathMiddleware"
_BACKEND = f"{_PACKAGE}.backends.AutherBackend"
_USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"


def is_complete(*_: Any, **__: Any) -> list[CheckMessage]:
    """Look at the project's settings; part of `manage.py check`, which every start runs."""
    found = list(settings.MIDDLEWARE)
    problems = []
    if _MIDDLEWARE not in found or _USERS not in found[: found.index(_MIDDLEWARE)]:
        problems.append(("E001", f"MIDDLEWARE needs {_MIDDLEWARE} after {_USERS}"))
    if next(iter(apps.get_app_configs())).name != _PACKAGE:
        # Else other receivers act on a login that is refused.
        problems.append(("E002", f"{_PACKAGE} must be the first of INSTALLED_APPS"))
    first_backend, *others = settings.AUTHENTICATION_BACKENDS
    if first_backend != _BACKEND or not others:
        problems.append(("E003", f"AUTHENTICATION_BACKENDS needs {_BACKEND} before your own"))
    hint = f"build {SETTINGS.build}: see {_PACKAGE}/README.md"
    return [Error(text, hint=hint, id=f"{_PACKAGE}.{number}") for number, text in problems]
