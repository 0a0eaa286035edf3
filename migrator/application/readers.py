"""The frameworks whose source can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.application.rails import RailsReader
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.application.interface import ApplicationFindings, Reader

READERS: dict[str, Reader] = {"rails": RailsReader()}


def read_application(root: Path, *, users_table: str) -> ApplicationFindings:
    """Read the application in a folder, whichever of the known frameworks it is.

    Args:
        root: Its folder.
        users_table: `schema.table` or `table`, as in `legacy.users_table`.

    Raises:
        UsageError: There is no such folder, or no known framework in it.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder", hint="migrator preflight --app PATH")
    for reader in READERS.values():
        if reader.recognises(root):
            return reader.read(root, users_table=users_table.rpartition(".")[2])
    raise UsageError(
        f"{root} holds no application of a known framework ({', '.join(READERS)})",
        hint="give the folder with config/application.rb and Gemfile: migrator preflight --app PATH",
    )
