"""Renders a target's folder of templates; writing the result is another step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SUFFIX = ".j2"


def render_folder(
    target: str,
    values: Mapping[str, Any],
    *,
    filters: Mapping[str, Callable[[Any], str]],
    marks: tuple[str, str] = ("{{", "}}"),
    trim: bool = False,
) -> dict[str, str]:
    """Render every template of a target.

    Args:
        target: The folder below `templates/`.
        values: What templates may name; a name that is missing is an error.
        filters: Turn a value into a literal of the target's language.
        marks: What stands around a value, where the language itself uses double braces.
        trim: Leave out the line of a condition as a whole.

    Returns:
        Each file's text by its path, without the template's ending.
    """
    # Many know the targets, and few render one.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("migrator.shims", f"templates/{target}"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - source code, not HTML; values pass the literal filters
        keep_trailing_newline=True,
        trim_blocks=trim,
        variable_start_string=marks[0],
        variable_end_string=marks[1],
    )
    environment.filters.update(filters)
    return {
        name.removesuffix(SUFFIX): environment.get_template(name).render(values)
        for name in sorted(environment.list_templates(extensions=[SUFFIX.strip(".")]))
    }
