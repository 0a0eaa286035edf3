"""What the targets in Ruby share: the parts that know no web framework, and literals."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrator.shims.interface import ShimSettings

SHARED = "ruby"
_LIB = "lib/auther_cutover"
_CONFIGURATION = "configuration.rb"

# In the order in which they are loaded, in front of a target's own parts.
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
    "sealed",
    "cookies",
    "credential",
    "plugin",
    "resolving",
    "stored_token",
    "auther_session",
    "newcomer",
    "revocations",
    "answers",
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
    "login_flow",
    "home",
    "auther_password",
    "reset_ticket",
    "door_rules",
)
_LEGACY_ONLY = frozenset(
    {
        "stage_reader",
        "revocations",
        "exchange",
        "dual_decision",
        "control",
        "shadow",
        "login_choice",
        "home",
        "auther_password",
        "reset_ticket",
        "door_rules",
    }
)
_WITH_USERS = frozenset({"database", "resolving", "stored_token", "newcomer"})


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if not set(text) & set('"\\#'):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def library_parts(
    settings: ShimSettings, own: Iterable[str], *, left_out: Iterable[str]
) -> tuple[str, ...]:
    """Name the parts of the library in the order in which they are loaded.

    Args:
        settings: Decide which of the shared parts are needed.
        own: The target's own parts.
        left_out: What of them is not needed.
    """
    unneeded = set(left_out)
    if not settings.legacy:
        unneeded |= _LEGACY_ONLY
    if not settings.delegate_permissions:
        unneeded.add("permissions")
    if not settings.users_table:
        unneeded |= _WITH_USERS
    return tuple(name for name in (*_PARTS, *own) if name not in unneeded)


def render_ruby(
    folders: Iterable[str],
    settings: ShimSettings,
    values: Mapping[str, Any],
    *,
    kept: Iterable[str],
) -> dict[str, str]:
    """Render a target's folders over the shared ones.

    Args:
        folders: The target's own; a later one wins.
        settings: What is baked in.
        values: What templates name beside the settings; `target` is its name, `configuration` where the
            settings go, `legacy_side` what that side is called.
        kept: The parts of the library, the files below `lib/auther_cutover`, that belong to it.
    """
    names = asdict(settings) | dict(values)
    found: dict[str, str] = {}
    for folder in (SHARED, *folders):
        found |= render_folder(folder, names, filters={"ruby": ruby_literal})
    found[values["configuration"]] = found.pop(_CONFIGURATION)
    wanted = {*kept, None}
    return {path: text for path, text in found.items() if _part(path) in wanted}


def _part(path: str) -> str | None:
    """The part that a file of the library is; None for every other file."""
    return (
        path.removeprefix(f"{_LIB}/").removesuffix(".rb") if path.startswith(f"{_LIB}/") else None
    )
