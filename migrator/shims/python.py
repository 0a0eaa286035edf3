"""What the targets in Python share: the parts that know no web framework, and literals."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from migrator.core.sql import ident, qualified
from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from migrator.shims.interface import ShimSettings

PACKAGE = "auther_dual_path"
_SHARED = "python"
# What an application without a legacy side has no use for.
_LEGACY_ONLY = (
    "account_pages.py",
    "background.py",
    "backends.py",
    "doors.py",
    "exchange.py",
    "lifespan.py",
    "process.py",
    "receivers.py",
    "stage.py",
)
_ASYNC = re.compile(r"\b(?:async|await) (?=\S)")


def python_literal(value: str | float | tuple[str, ...]) -> str:
    """Give a Python literal that stands for exactly this value."""
    if isinstance(value, tuple):
        return "(" + "".join(f"{python_literal(part)}, " for part in value).strip() + ")"
    # A JSON text in ASCII is a Python literal of the same text.
    return json.dumps(str(value)) if isinstance(value, str) else repr(value)


def render_python(target: str, settings: ShimSettings, *, blocking: bool) -> dict[str, str]:
    """Render a target's folder over the shared one.

    Args:
        target: The folder below `templates/`; `<target>_plain` goes over it without a legacy side.
        settings: What is baked in.
        blocking: Whether the target's framework calls functions and not coroutines. The shared
            parts are written with `async` and `await`, and lose both then.
    """
    values = _values(settings, blocking=blocking)
    files: dict[str, str] = {}
    plain = () if settings.legacy else ("_plain",)
    for suffix in ("", *plain):
        shared = render_folder(_SHARED + suffix, values, filters={"py": python_literal})
        own = render_folder(target + suffix, values, filters={"py": python_literal})
        files |= (
            {path: without_async(text) for path, text in shared.items()} if blocking else shared
        )
        files |= own
    left_out = {f"{PACKAGE}/{name}" for name in _left_out(settings)}
    return {path: text for path, text in files.items() if path not in left_out}


def without_async(text: str) -> str:
    """Make coroutines plain functions, and what waits for them a call."""
    return _ASYNC.sub("", text)


def _values(settings: ShimSettings, *, blocking: bool) -> dict[str, object]:
    table = settings.users_table
    return asdict(settings) | {
        "users_table": ident(*qualified(table)) if table else "",
        "users_pk": ident(settings.users_pk),
        "blocking": blocking,
        # How a request names its headers, and where it has what the framework calls a request.
        "b": "" if blocking else "b",
        "raw": "http" if blocking else "scope",
    }


def _left_out(settings: ShimSettings) -> tuple[str, ...]:
    names = () if settings.delegate_permissions else ("permissions.py",)
    if settings.legacy:
        return names
    without = ("identity.py", "database.py") if not settings.users_table else ("subjects.py",)
    return (*names, *_LEGACY_ONLY, *without)
