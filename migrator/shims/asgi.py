"""The ASGI target: pure middleware for Starlette, FastAPI and whatever else speaks ASGI."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings


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

    def files(self, settings: ShimSettings) -> dict[str, str]:
        """Render the package `auther_dual_path`, its README and its test.

        Returns:
            Text by path relative to the folder that the application imports from.
        """
        values = asdict(settings) | {
            "users_table": ident(*qualified(settings.users_table)),
            "users_pk": ident(settings.users_pk),
        }
        files = render_folder("asgi", values, filters={"py": python_literal})
        if not settings.delegate_permissions:
            del files["auther_dual_path/permissions.py"]
        return files
