"""The frameworks whose source can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.application.asgi import ASGI
from migrator.application.django import DJANGO
from migrator.application.go import GO
from migrator.application.laravel import LARAVEL
from migrator.application.node import EXPRESS, HONO
from migrator.application.rack import RACK
from migrator.application.rails import RailsReader
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.application.interface import ApplicationFindings, Reader

# The first that recognises a folder reads it: a Django application may ask for Starlette too.
READERS: dict[str, Reader] = {
    "rails": RailsReader(),
    **{one.framework.name: one for one in (DJANGO, LARAVEL, ASGI, EXPRESS, HONO, GO, RACK)},
}


def reader_of(root: Path) -> Reader | None:
    """Give who can read the application in a folder; None where its framework is not known."""
    return next((reader for reader in READERS.values() if reader.recognises(root)), None)


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
    reader = reader_of(root)
    if reader is None:
        raise UsageError(
            f"{root} holds no application of a known framework ({', '.join(READERS)})",
            hint="give the folder with config/application.rb, manage.py, artisan, config.ru, package.json, go.mod or "
            "requirements.txt: migrator preflight --app PATH",
        )
    return reader.read(root, users_table=users_table.rpartition(".")[2])
