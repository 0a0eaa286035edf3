"""The plain Rack target: a middleware behind the session, for Sinatra and whatever else speaks Rack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.ruby import library_parts, render_ruby

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

# In the order in which they are loaded.
_PARTS = (
    "framework",
    "cookie_jar",
    "request",
    "database",
    "side_connection",
    "identity",
    "detector",
    "legacy_session",
    "legacy_pages",
    "foreign",
    "doors",
    "passwords",
    "helpers",
    "pages",
    "middleware",
)
_LEGACY_ONLY = frozenset({"detector", "legacy_session", "legacy_pages", "doors", "passwords"})
_WITH_USERS = frozenset({"identity", "side_connection"})


@dataclass(frozen=True)
class RackTarget:
    """Sinatra and other Rack 2.2 applications on Ruby 2.7 and later, users in PostgreSQL.

    Rack knows no users: the team says in a few methods what its sessions are.
    """

    name: str = "rack"
    names: tuple[str, ...] = (
        "AutherCutover",
        "auther_login?",
        "migrator_login_path",
        "auther_login_path",
        "auther_allowed?",
        "auther_user",
        "auther_credential",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the library `auther_cutover`, its settings, its README and its test.

        Returns:
            Text by path relative to the application's root.
        """
        parts = _parts(settings)
        values = {
            "target": self.name,
            "parts": parts,
            "autoloaded": (),
            "configuration": "config/auther_cutover.rb",
            "legacy_side": "the application's own sessions",
        }
        return render_ruby((self.name,), settings, values, kept=parts)


def _parts(settings: ShimSettings) -> tuple[str, ...]:
    left_out = set() if settings.legacy else set(_LEGACY_ONLY)
    if not settings.users_table:
        left_out |= _WITH_USERS
    return library_parts(settings, _PARTS, left_out=left_out)
