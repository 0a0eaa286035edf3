"""The way into a database file that Auther is going to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from migrator.auther.ways.in_use import sign_of_use
from migrator.auther.ways.saving import save_file
from migrator.auther.ways.sqlite import open_existing, open_sqlite
from migrator.core.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.auther.ways.calling import Patience
    from migrator.auther.ways.sqlite import SqliteTarget
    from migrator.config.model import Config


class SqliteFile:
    """One file; made where there is none."""

    snapshot_suffix = ".db"

    def __init__(self, path: Path, *, account_issuers: Mapping[str, str], api: str = "") -> None:
        self.name = path.name
        self.path = path
        self._api = api
        self._issuers = account_issuers

    @classmethod
    def of(cls, config: Config, root: Path, _patience: Patience) -> Self:
        """Take the path from the configuration."""
        auther = config.auther
        return cls(
            root / auther.database,
            account_issuers=auther.account_issuers,
            api=auther.api if auther.base_url else "",
        )

    def is_absent(self) -> bool:  # noqa: D102
        return not self.path.exists() or self.path.stat().st_size == 0

    def refuse_in_use(self) -> None:  # noqa: D102
        sign = "" if self.is_absent() else sign_of_use(self.path, api=self._api)
        if sign:
            raise RefusedError(
                f"Auther runs on {self.name}: {sign}. While we write, its sign-ins would answer 500",
                hint='stop Auther meanwhile, or write through it: kind = "endpoint" under [auther]'
                " in migrator.toml",
            )

    def save(self, into: Path) -> int:  # noqa: D102
        if self.is_absent():
            raise UsageError(
                f"there is no Auther database at {self.name}", hint="migrator import run"
            )
        return save_file(self.path, into)

    def opened(  # noqa: D102
        self, *, writing: bool, bulk: bool = False
    ) -> AbstractContextManager[SqliteTarget]:
        if not writing:
            return open_existing(self.path, account_issuers=self._issuers)
        return open_sqlite(self.path, bulk=bulk, account_issuers=self._issuers)
