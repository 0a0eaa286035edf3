"""The Go target: a middleware for net/http with lib/pq, go-jose and the Prometheus client."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.shims.interface import ShimSettings


PACKAGE = "autherdualpath"


def go_literal(text: str) -> str:
    """Give a Go string literal that stands for exactly this text."""
    return '"' + "".join(_escaped(character) for character in str(text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"


def go_list(texts: tuple[str, ...]) -> str:
    """Give a Go slice of strings, nil for an empty one."""
    return f"[]string{{{', '.join(map(go_literal, texts))}}}" if texts else "nil"


def go_bool(value: bool) -> str:  # noqa: FBT001 - a filter of the templates
    """Give a Go boolean."""
    return "true" if value else "false"


@dataclass(frozen=True)
class GoTarget:
    """Go 1.19 and later, net/http, users in PostgreSQL."""

    name: str = "go"
    names: tuple[str, ...] = (
        PACKAGE,
        ".PasswordDoor(",
        ".ResetLink(",
        ".IsAtAuther(",
        ".EndSessions(",
        ".LoginURL(",
    )

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the package `autherdualpath`, its README and its tests.

        Returns:
            Text by path relative to the folder that the application's packages are in.
        """
        table = settings.users_table
        values = asdict(settings) | {
            "users_table": ident(*qualified(table)) if table else "",
            "users_pk": ident(settings.users_pk),
        }
        filters: dict[str, Callable[[Any], str]] = {
            "go": go_literal,
            "golist": go_list,
            "gobool": go_bool,
        }
        rendered: dict[str, str] = {}
        for folder in ("common", "legacy" if settings.legacy else "plain"):
            rendered |= render_folder(f"go/{folder}", values, filters=filters)
        unused = "federated.go" if table else "postgres.go"
        return {path: text for path, text in rendered.items() if path != f"{PACKAGE}/{unused}"}
