"""Named queries from `.sql` files: blocks that begin with `-- name: some_name`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(package: str, file: str) -> dict[str, str]:
    """Read a file of named queries.

    Args:
        package: The package that carries the file, e.g. `migrator.legacy`.
        file: The file's name, e.g. `devise.sql`.

    Returns:
        Each query's text by its name.
    """
    parts = _NAME.split((files(package) / file).read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
