"""The ASGI target: pure middleware for Starlette, FastAPI and whatever else speaks ASGI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.python import PACKAGE, render_python

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


@dataclass(frozen=True)
class AsgiTarget:
    """Starlette and FastAPI on Python 3.11 and later, users in PostgreSQL."""

    name: str = "asgi"
    names: tuple[str, ...] = (
        PACKAGE,
        "auther.user",
        "DualPathMiddleware",
        "AutherMiddleware",
        "login_target(",
        "login_url(",
        "password_is_right(",
        "admit(",
        "reset_at_auther(",
        "end_auther_session(",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the package `auther_dual_path`, its README and its test.

        Returns:
            Text by path relative to the folder that the application imports from.
        """
        return render_python(self.name, settings, blocking=False)
