"""The Rails target: a Rack middleware, a login controller and an initializer, beside Devise or without it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

_LIB = "lib/auther_cutover"
# In the order in which they are loaded.
_PARTS = (
    "settings",
    "errors",
    "stage_reader",
    "client",
    "counters",
    "token",
    "key_set",
    "verified_tokens",
    "token_verifier",
    "cookies",
    "credential",
    "plugin",
    "auther_session",
    "newcomer",
    "revocations",
    "detector",
    "legacy_session",
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
    "home",
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
        "stage_reader",
        "revocations",
        "detector",
        "legacy_session",
        "exchange",
        "dual_decision",
        "control",
        "shadow",
        "login_choice",
        "home",
        "password_at_auther",
        "doors",
        "bypass_sign_in",
        "account_pages",
    }
)
_AUTOLOADED = ("identity", "stored_token")
_DUAL_AUTOLOADED = (*_AUTOLOADED, "side_connection")
_CONFLICT_PAGE = "app/views/auther_sessions/conflict.html.erb"


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if not set(text) & set('"\\#'):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


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
        values = asdict(settings) | {"parts": parts}
        found = render_folder("rails", values, filters={"ruby": ruby_literal})
        if not settings.legacy:
            found |= render_folder("rails_alone", values, filters={"ruby": ruby_literal})
            del found[_CONFLICT_PAGE]
        kept = {*parts, *_autoloaded(settings)}
        return {path: text for path, text in found.items() if _name(path) in kept | {None}}


def _parts(settings: ShimSettings) -> tuple[str, ...]:
    left_out = {"authentication"} if settings.legacy else set(_LEGACY_ONLY)
    if not settings.delegate_permissions:
        left_out.add("permissions")
    if not settings.users_table:
        left_out.add("newcomer")
    return tuple(name for name in _PARTS if name not in left_out)


def _autoloaded(settings: ShimSettings) -> tuple[str, ...]:
    if settings.legacy:
        return _DUAL_AUTOLOADED
    return _AUTOLOADED if settings.users_table else ()


def _name(path: str) -> str | None:
    """The part that a file of the library is; None for every other file."""
    return (
        path.removeprefix(f"{_LIB}/").removesuffix(".rb") if path.startswith(f"{_LIB}/") else None
    )
