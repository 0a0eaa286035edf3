"""The Django target: an application with a middleware, an authentication backend and signal receivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.python import PACKAGE, render_python

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


@dataclass(frozen=True)
class DjangoTarget:
    """Django 4.2 and later under WSGI or ASGI, with django.contrib.auth; users in PostgreSQL."""

    name: str = "django"
    names: tuple[str, ...] = (
        PACKAGE,
        "auther_user",
        "AUTHER_",
        "load auther",
        "DualPathMiddleware",
        "AutherMiddleware",
        "AutherBackend",
        "login_target(",
        "login_url(",
        "password_is_right(",
        "admit(",
        "reset_at_auther(",
        "end_auther_session(",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the Django application `auther_dual_path`, its README and its test.

        Returns:
            Text by path relative to the folder that the project imports from.
        """
        return render_python(self.name, settings, blocking=True)
