"""The Laravel target: a middleware and a guard, in PHP."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


def php_literal(value: str | float | tuple[str, ...]) -> str:
    """Give a PHP literal that stands for exactly this value."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(php_literal, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{_in_quotes(value)}'" if isinstance(value, str) else str(value)


def _in_quotes(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


@dataclass(frozen=True)
class LaravelTarget:
    """Laravel 8.83 and later on PHP 8.1 and later, users in PostgreSQL."""

    name: str = "laravel"
    names: tuple[str, ...] = (
        "AutherCutover",
        "auther_cutover",
        "DecideWho",
        "SkipsCsrfForBearers",
        "auther:heartbeat",
        "'auther'",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the folder `app/AutherCutover`, its configuration, README and test.

        Returns:
            Text by path relative to the application's root.
        """
        table = settings.users_table
        schema = ident(qualified(table)[0]) if table else ""
        rendered = render_folder(
            self.name,
            asdict(settings) | {"schema": schema},
            filters={"php": php_literal, "inphp": _in_quotes},
            trim=True,
        )
        return {path: text for path, text in rendered.items() if text.strip()}
