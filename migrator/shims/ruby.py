"""What the targets in Ruby share: the parts that know no web framework, and literals."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrator.shims.interface import ShimSettings

SHARED = "ruby"
# Over the shared parts where there is no legacy side.
SHARED_ALONE = "ruby_alone"
_LIB = "lib/auther_cutover"
_CONFIGURATION = "configuration.rb"


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if not set(text) & set('"\\#'):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


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
    shared = (SHARED,) if settings.legacy else (SHARED, SHARED_ALONE)
    found: dict[str, str] = {}
    for folder in (*shared, *folders):
        found |= render_folder(folder, names, filters={"ruby": ruby_literal})
    found[values["configuration"]] = found.pop(_CONFIGURATION)
    wanted = {*kept, None}
    return {path: text for path, text in found.items() if _part(path) in wanted}


def _part(path: str) -> str | None:
    """The part that a file of the library is; None for every other file."""
    return (
        path.removeprefix(f"{_LIB}/").removesuffix(".rb") if path.startswith(f"{_LIB}/") else None
    )
