"""The way into a database file that Auther is going to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from migrator.auther.sqlite import open_existing, open_sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.auther.sqlite import SqliteTarget
    from migrator.config.model import Config


class SqliteFile:
    """One file; made where there is none."""

    def __init__(self, path: Path, *, account_issuers: Mapping[str, str]) -> None:
        self.name = path.name
        self.path = path
        self._issuers = account_issuers

    @classmethod
    def of(cls, config: Config, root: Path) -> Self:
        """Take the path from the configuration."""
        auther = config.auther
        return cls(root / auther.database, account_issuers=auther.account_issuers)

    def is_absent(self) -> bool:  # noqa: D102
        return not self.path.exists() or self.path.stat().st_size == 0

    def opened(  # noqa: D102
        self, *, writing: bool, bulk: bool = False
    ) -> AbstractContextManager[SqliteTarget]:
        if not writing:
            return open_existing(self.path, account_issuers=self._issuers)
        return open_sqlite(self.path, bulk=bulk, account_issuers=self._issuers)
