"""What the targets in JavaScript share: the parts that know no web framework, and literals."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

SHARED = "node"
# Types in comments are full of double braces.
_MARKS = ("{$", "$}")


def javascript_literal(value: str | float | tuple[str, ...]) -> str:
    """Give a JavaScript literal that stands for exactly this value."""
    if isinstance(value, tuple):
        return f"[{', '.join(javascript_literal(part) for part in value)}]"
    # A JSON text in ASCII is a JavaScript literal of the same text.
    return json.dumps(str(value) if isinstance(value, str) else value)


def render_javascript(target: str, settings: ShimSettings) -> dict[str, str]:
    """Render a target's folder over the shared one."""
    own = {"target": target, "view": ", view" if settings.legacy else ""}
    values = asdict(settings) | _names(settings) | own
    return {
        path: text
        for folder in (SHARED, target)
        for path, text in render_folder(
            folder, values, filters={"js": javascript_literal}, marks=_MARKS, trim=True
        ).items()
        if text.strip()
    }


def _names(settings: ShimSettings) -> dict[str, str]:
    if not settings.users_table:
        return {}
    schema, table = qualified(settings.users_table)
    return {
        "schema": _in_template(ident(schema)),
        "users_table": _in_template(ident(schema, table)),
        "users_pk": _in_template(ident(settings.users_pk)),
    }


def _in_template(text: str) -> str:
    """Keep a name as it is between back quotes; in plain quotes no name's quotes may end the text."""
    return text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
