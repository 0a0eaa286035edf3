"""The ways into Auther, by the kind that `[auther] kind` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.auther.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrator.auther.interface import Way
    from migrator.config.model import AutherSection

KINDS: dict[str, Callable[[AutherSection, Path], Way]] = {
    "sqlite": SqliteFile.of,
}


def way_into(settings: AutherSection, *, root: Path) -> Way:
    """Find the way that the configuration names; opens nothing yet.

    Args:
        settings: `[auther]`.
        root: Folder that relative paths start from.

    Raises:
        UsageError: A secret or an address that this way needs is missing.
    """
    return KINDS[settings.kind](settings, root)
