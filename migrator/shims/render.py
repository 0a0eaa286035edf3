"""Renders a target's folder of templates; writing the result is another step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SUFFIX = ".j2"


def render_folder(
    target: str, values: Mapping[str, Any], *, filters: Mapping[str, Callable[[Any], str]]
) -> dict[str, str]:
    """Render every template of a target.

    Args:
        target: The folder below `templates/`.
        values: What templates may name; a name that is missing is an error.
        filters: Turn a value into a literal of the target's language.

    Returns:
        Each file's text by its path, without the template's ending.
    """
    environment = Environment(
        loader=PackageLoader("migrator.shims", f"templates/{target}"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - source code, not HTML; values pass the literal filters
        keep_trailing_newline=True,
    )
    environment.filters.update(filters)
    return {
        name.removesuffix(SUFFIX): environment.get_template(name).render(values)
        for name in sorted(environment.list_templates(extensions=[SUFFIX.strip(".")]))
    }
