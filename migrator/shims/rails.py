"""The Rails + Devise target: a Rack middleware behind Warden, a login controller, an initializer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if not set(text) & set('"\\#'):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@dataclass(frozen=True)
class RailsTarget:
    """Rails 6.1 and later with Devise 4.8 and later on PostgreSQL."""

    name: str = "rails"
    names: tuple[str, ...] = ("AutherCutover", "auther_login?", "migrator_login_path")

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the shim, its README and its test.

        Returns:
            Text by path relative to the application's root.
        """
        return render_folder("rails", asdict(settings), filters={"ruby": ruby_literal})
