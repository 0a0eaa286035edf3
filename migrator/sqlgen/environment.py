"""Where templates of a plan's files, of pages and of other tools' files are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def environment_of(package: str, *, blocks_leave_lines: bool = False) -> Environment:
    """Give an environment for the folder `templates` of a package.

    Args:
        package: Its name.
        blocks_leave_lines: A line that holds nothing but a block stays, empty, unless the block trims it.
    """
    # Only a plan is rendered: everything after it reads what was written.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    return Environment(
        loader=PackageLoader(package),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=not blocks_leave_lines,
        lstrip_blocks=not blocks_leave_lines,
        autoescape=False,  # noqa: S701  Markdown, SQL and code: each quotes in its own way
    )
