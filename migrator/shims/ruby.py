"""What the targets in Ruby share: the parts that know no web framework, and literals."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrator.shims.render import render_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrator.shims.interface import ShimSettings

SHARED = "ruby"
# Over the rest where there is no legacy side.
ALONE = "_alone"
_LIB = "lib/auther_cutover"
_CONFIGURATION = "configuration.rb"


def ruby_literal(text: str) -> str:
    """Give a Ruby string literal that stands for exactly this text."""
    if not set(text) & set('"\\#'):
        return f'"{text}"'
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def render_ruby(
    target: str, settings: ShimSettings, values: Mapping[str, Any], *, kept: Iterable[str]
) -> dict[str, str]:
    """Render a target's folders over the shared ones.

    Args:
        target: The target's name, which is its folder's.
        values: What templates name beside the settings; `configuration` is where the settings go,
            `legacy_side` what it is called.
        kept: The parts of the library, the files below `lib/auther_cutover`, that belong to it.
    """
    names = asdict(settings) | {"target": target} | dict(values)
    found: dict[str, str] = {}
    for folder in (SHARED, target):
        found |= render_folder(folder, names, filters={"ruby": ruby_literal})
        if not settings.legacy:
            found |= render_folder(folder + ALONE, names, filters={"ruby": ruby_literal})
    found[values["configuration"]] = found.pop(_CONFIGURATION)
    wanted = {*kept, None}
    return {path: text for path, text in found.items() if _part(path) in wanted}


def _part(path: str) -> str | None:
    """The part that a file of the library is; None for every other file."""
    return (
        path.removeprefix(f"{_LIB}/").removesuffix(".rb") if path.startswith(f"{_LIB}/") else None
    )
