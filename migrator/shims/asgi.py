"""The ASGI target: pure middleware for Starlette, FastAPI and whatever else speaks ASGI."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

PACKAGE = "auther_dual_path"
# What an application without a legacy side has no use for.
_LEGACY_ONLY = ("background.py", "doors.py", "exchange.py", "stage.py")


def python_literal(value: str | float | tuple[str, ...]) -> str:
    """Give a Python literal that stands for exactly this value."""
    if isinstance(value, tuple):
        return "(" + "".join(f"{python_literal(part)}, " for part in value).strip() + ")"
    # A JSON text in ASCII is a Python literal of the same text.
    return json.dumps(str(value)) if isinstance(value, str) else repr(value)


@dataclass(frozen=True)
class AsgiTarget:
    """Starlette and FastAPI on Python 3.11 and later, users in PostgreSQL."""

    name: str = "asgi"
    names: tuple[str, ...] = ("auther_dual_path", "auther.user")

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the package `auther_dual_path`, its README and its test.

        Returns:
            Text by path relative to the folder that the application imports from.
        """
        table = settings.users_table
        values = asdict(settings) | {
            "users_table": ident(*qualified(table)) if table else "",
            "users_pk": ident(settings.users_pk),
        }
        filters = {"py": python_literal}
        files = render_folder("asgi", values, filters=filters)
        if not settings.legacy:
            files |= render_folder("asgi_plain", values, filters=filters)
        left_out = {f"{PACKAGE}/{name}" for name in _left_out(settings)}
        return {path: text for path, text in files.items() if path not in left_out}


def _left_out(settings: ShimSettings) -> tuple[str, ...]:
    names = () if settings.delegate_permissions else ("permissions.py",)
    if settings.legacy:
        return names
    without = ("identity.py", "database.py") if not settings.users_table else ("subjects.py",)
    return (*names, *_LEGACY_ONLY, *without)
