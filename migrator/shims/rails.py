"""The Rails + Devise target: a Rack middleware behind Warden, a login controller, an initializer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

TEMPLATES = "templates/rails"
SUFFIX = ".j2"


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if text.isprintable() and not set(text) & set("\"\\#'"):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("migrator.shims", TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (Ruby, not HTML; values go through the filter below)
        keep_trailing_newline=True,
    )
    environment.filters["ruby"] = ruby_literal
    return environment


@dataclass(frozen=True)
class RailsTarget:
    """Rails 6.1 and later with Devise 4.8 and later on PostgreSQL."""

    name: str = "rails"

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the shim: each template under its own path, without the ending.

        Returns:
            Text by path relative to the application's root.
        """
        environment = _environment()
        return {
            template.removesuffix(SUFFIX): environment.get_template(template).render(
                settings=settings
            )
            for template in environment.list_templates(extensions=["j2"])
        }
