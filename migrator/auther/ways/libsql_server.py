"""The way into a libSQL server that Auther runs on, or is going to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from migrator.auther.ways import schema
from migrator.auther.ways.calling import Patience
from migrator.auther.ways.libsql import connect, open_libsql
from migrator.auther.ways.saving import save_tables
from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrator.auther.ways.sql_target import SqlTarget
    from migrator.config.model import Config

_SCHEMES = {"http": "http", "https": "https", "libsql": "https"}


class LibsqlServer:
    """One server; it queues writers, so Auther may run meanwhile."""

    snapshot_suffix = ".jsonl"

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        account_issuers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> None:
        address = urlsplit(url)
        if address.scheme not in _SCHEMES or not address.hostname or address.username:
            raise UsageError(
                "auther.url is no address of a libSQL server",
                hint='write url = "https://…" under [auther] in migrator.toml',
            )
        self.name = f"the libSQL server {address.hostname}"
        self._url = address._replace(scheme=_SCHEMES[address.scheme], query="").geturl()
        self._token = token
        self._issuers = account_issuers or {}
        self._patience = patience or Patience()

    @classmethod
    def of(cls, config: Config, root: Path, patience: Patience) -> Self:
        """Take address and token from the configuration."""
        auther = config.auther
        token = auther.token.reveal(root) if auther.token else ""
        return cls(
            auther.url, token=token, account_issuers=auther.account_issuers, patience=patience
        )

    def is_absent(self) -> bool:  # noqa: D102
        with connect(
            self._url, token=self._token, writing=False, patience=self._patience
        ) as database:
            return schema.is_empty(database)

    def refuse_in_use(self) -> None:
        """Let everything pass: a server queues its writers."""

    def save(self, into: Path) -> int:  # noqa: D102
        with self.opened(writing=False) as target:
            return save_tables(target.database, into)

    def opened(  # noqa: D102
        self,
        *,
        writing: bool,
        bulk: bool = False,  # noqa: ARG002 - a server knows no other way of writing
    ) -> AbstractContextManager[SqlTarget]:
        return open_libsql(
            self._url,
            token=self._token,
            writing=writing,
            account_issuers=self._issuers,
            patience=self._patience,
        )
