"""How what the application's code says looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.application.interface import Sign
from migrator.cli.sections import grid, heading, lines, row

if TYPE_CHECKING:
    from rich.console import Console

    from migrator.application.interface import ApplicationFindings

_SHOWN = 5
_TITLES = {
    Sign.SIGNS_IN: "signs in",
    Sign.BYPASSES_HOOKS: "signs in past hooks",
    Sign.CHECKS_PASSWORD: "asks for the password",
    Sign.HOOKS: "hooks into sign-ins",
    Sign.STRATEGIES: "strategies of its own",
    Sign.OWN_SESSION_KEY: "own key in the session",
    Sign.FOREIGN_BEARERS: "bearers of others",
    Sign.HTTP_BASIC: "HTTP Basic",
    Sign.LOGIN_LINKS: "links to the login",
    Sign.LEGACY_COLUMNS: "uses legacy columns",
    Sign.USERS_IN_SQL: "users table in SQL",
}


def show_application(out: Console, found: ApplicationFindings) -> None:
    """Show it; of each sign the first places, the rest stands in the JSON."""
    heading(out, f"Application: {found.framework} in {found.root}")
    store = found.session_store
    said = {
        "files read": f"{found.files:,}",
        "libraries": ", ".join(f"{name} {version}" for name, version in found.versions.items()),
        "models": "; ".join(f"{name}: {', '.join(m)}" for name, m in found.models.items()),
        "scopes with routes": ", ".join(found.scopes),
        "sessions": f"{store.kind or 'not said'}, expire after: {store.expires or 'not said'}",
        "settings": ", ".join(f"{name} = {value}" for name, value in found.settings.items()),
        "secrets set": ", ".join(found.secrets_set),
        "ignored_columns": ", ".join(found.ignores_columns),
    }
    lines(out, {name: text or "none" for name, text in said.items()})
    table = grid()
    for sign, places in found.signs.items():
        more = f", and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        row(table, _TITLES[sign], f"{len(places):,}", ", ".join(map(str, places[:_SHOWN])) + more)
    out.print(table)
