"""Says at start what is missing: half installed, it would let in or keep out the wrong people."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from .settings import SETTINGS

_PACKAGE = "auther_dual_path"
_MIDDLEWARE = f"{_PACKAGE}.middleware.AutherMiddleware"
_USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"


def is_complete(*_: Any, **__: Any) -> list[CheckMessage]:
    """Look at the project's settings; part of `manage.py check`, which every start runs."""
    found = list(settings.MIDDLEWARE)
    problems = []
    if _MIDDLEWARE not in found or _USERS not in found[: found.index(_MIDDLEWARE)]:
        problems.append(("E001", f"MIDDLEWARE needs {_MIDDLEWARE} after {_USERS}"))
    hint = f"build {SETTINGS.build}: see {_PACKAGE}/README.md"
    return [Error(text, hint=hint, id=f"{_PACKAGE}.{number}") for number, text in problems]
