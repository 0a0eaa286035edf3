"""The ways into Auther, by the kind that `[auther] kind` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.auther.ways.libsql_server import LibsqlServer
from migrator.auther.ways.plugin_door import PluginDoor
from migrator.auther.ways.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.auther.interface import Way
    from migrator.auther.ways.calling import Patience
    from migrator.config.model import Config

KINDS: dict[str, Callable[[Config, Path, Patience], Way]] = {
    "sqlite": SqliteFile.of,
    "libsql": LibsqlServer.of,
    "endpoint": PluginDoor.of,
}


def way_into(config: Config, *, root: Path, patience: Patience) -> Way:
    """Find the way that the configuration names; opens nothing yet.

    Args:
        config: migrator.toml; `[auther] kind` decides.
        root: Folder that relative paths start from.
        patience: How long a server that is away is waited for.

    Raises:
        UsageError: A secret or an address that this way needs is missing.
    """
    return KINDS[config.auther.kind](config, root, patience)
