"""The Rails target: a Rack middleware, a login controller and an initializer, beside Devise or without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.ruby import library_parts, render_ruby

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

# In the order in which they are loaded.
_PARTS = (
    "framework",
    "database",
    "detector",
    "legacy_session",
    "legacy_pages",
    "foreign",
    "login_helper",
    "password_at_auther",
    "doors",
    "bypass_sign_in",
    "account_pages",
    "csrf_protection",
    "authentication",
    "routes",
    "middleware",
)
_LEGACY_ONLY = frozenset(
    {
        "detector",
        "legacy_session",
        "legacy_pages",
        "login_helper",
        "password_at_auther",
        "doors",
        "bypass_sign_in",
        "account_pages",
    }
)
_AUTOLOADED = (("identity", "Identity"), ("side_connection", "SideConnection"))
# Over the rest where there is no legacy side.
_ALONE = "rails_alone"
_CONFLICT_PAGE = "app/views/auther_sessions/conflict.html.erb"


@dataclass(frozen=True)
class RailsTarget:
    """Rails 6.1 and later on PostgreSQL, with Devise 4.8 and later or without a legacy side."""

    name: str = "rails"
    names: tuple[str, ...] = (
        "AutherCutover",
        "auther_login?",
        "migrator_login_path",
        "auther_login_path",
        "auther_logout_path",
        "auther_allowed?",
        "auther_user",
        "authenticate_auther!",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the shim, its README and its test.

        Returns:
            Text by path relative to the application's root.
        """
        parts = _parts(settings)
        autoloaded = _AUTOLOADED if settings.users_table else ()
        values = {
            "target": self.name,
            "parts": parts,
            "autoloaded": autoloaded,
            "configuration": "config/initializers/auther_cutover.rb",
            "legacy_side": "Devise",
        }
        kept = (*parts, *(name for name, _ in autoloaded))
        folders = (self.name,) if settings.legacy else (self.name, _ALONE)
        found = render_ruby(folders, settings, values, kept=kept)
        if not settings.legacy:
            del found[_CONFLICT_PAGE]
        return found


def _parts(settings: ShimSettings) -> tuple[str, ...]:
    left_out = {"authentication"} if settings.legacy else _LEGACY_ONLY
    return library_parts(settings, _PARTS, left_out=left_out)
