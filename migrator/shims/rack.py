"""The plain Rack target: a middleware behind the session, for Sinatra and whatever else speaks Rack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.shims.ruby import render_ruby

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

# In the order in which they are loaded.
_PARTS = (
    "framework",
    "settings",
    "errors",
    "stage_reader",
    "counters",
    "token",
    "key_set",
    "verified_tokens",
    "token_verifier",
    "sealed",
    "cookie_jar",
    "request",
    "cookies",
    "credential",
    "plugin",
    "database",
    "side_connection",
    "resolving",
    "identity",
    "stored_token",
    "auther_session",
    "newcomer",
    "revocations",
    "detector",
    "legacy_session",
    "legacy_pages",
    "answers",
    "foreign",
    "renewal",
    "exchange",
    "decision",
    "dual_decision",
    "beacon",
    "control",
    "shadow",
    "metrics",
    "permissions",
    "login_choice",
    "login_attempt",
    "login_flow",
    "home",
    "auther_password",
    "reset_ticket",
    "door_rules",
    "doors",
    "passwords",
    "helpers",
    "pages",
    "middleware",
)
_LEGACY_ONLY = frozenset(
    {
        "stage_reader",
        "side_connection",
        "revocations",
        "detector",
        "legacy_session",
        "legacy_pages",
        "exchange",
        "dual_decision",
        "control",
        "shadow",
        "login_choice",
        "home",
        "auther_password",
        "reset_ticket",
        "door_rules",
        "doors",
        "passwords",
    }
)
_WITH_USERS = frozenset({"database", "resolving", "identity", "stored_token", "newcomer"})


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
    if not settings.delegate_permissions:
        left_out.add("permissions")
    if not settings.users_table:
        left_out |= _WITH_USERS
    return tuple(name for name in _PARTS if name not in left_out)
