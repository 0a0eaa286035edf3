"""The ways into Auther that faults happen on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

from migrator.auther.ways.calling import Patience
from migrator.auther.ways.database import Run
from migrator.auther.ways.libsql import connect
from tests.parts.faulty_wire import FaultyHttp
from tests.parts.sqld.fixtures import empty

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth
    from tests.phases.importing import Site

IMPORT_SECRET = "an-import-secret-of-the-fault-trials-32-bytes"
Content = dict[str, list[tuple[Any, ...]]]


class FaultTarget(Protocol):
    """One way in, on a real part.

    Attributes:
        name: The kind.
        proxy: Between the import and Auther; None where nothing goes over HTTP.
    """

    name: str
    proxy: FaultyHttp | None

    def configure(self, config: Path) -> None:
        """Have the configuration name this way."""
        ...

    def content(self, site: Site) -> Content:
        """Read users and accounts past the proxy, in order."""
        ...


class SqliteTargets:
    """A file of the trial's own."""

    name = "sqlite"
    proxy: FaultyHttp | None = None

    def configure(self, config: Path) -> None:
        """Nothing to do: that is what the configuration names."""

    def content(self, site: Site) -> Content:
        """Read the file."""
        found = site.content()
        return {table: found[table] for table in ("user", "account")}


class LibsqlTargets:
    """A real libSQL server behind a proxy that breaks."""

    name = "libsql"

    def __init__(self, server: str) -> None:
        self._server = server
        self.proxy: FaultyHttp | None = FaultyHttp(server)

    def configure(self, config: Path) -> None:
        """Name the proxy instead of a file, and begin without tables."""
        assert self.proxy is not None
        empty(self._server)
        text = config.read_text(encoding="utf-8")
        way = f'kind = "libsql"\nurl = "{self.proxy.base_url}"'
        config.write_text(text.replace('database = "auther.db"', way), encoding="utf-8")

    def content(self, _site: Site) -> Content:
        """Ask the server itself."""
        with connect(self._server, token="", writing=False, patience=Patience()) as database:
            questions = [Run(f'SELECT * FROM "{t}" ORDER BY id', ()) for t in ("user", "account")]
            users, accounts = database.ask(*questions)
        return {"user": users, "account": accounts}


class EndpointTargets:
    """The plugin of a running better-auth behind a proxy that breaks."""

    name = "endpoint"

    def __init__(self, auther: BetterAuth, database: Path) -> None:
        self._database = database
        self.proxy: FaultyHttp | None = FaultyHttp(auther.base_url)

    def configure(self, config: Path) -> None:
        """Name the proxy instead of a file, and begin without users."""
        assert self.proxy is not None
        text = config.read_text(encoding="utf-8")
        way = f'kind = "endpoint"\nbase_url = "{self.proxy.base_url}"'
        secret = '[plugin]\nimport_secret = "env:FAULTS_IMPORT_SECRET"\n[stage]'
        text = text.replace('database = "auther.db"', way).replace("[stage]", secret)
        config.write_text(text, encoding="utf-8")
        self._run("DELETE FROM user")

    def content(self, _site: Site) -> Content:
        """Read the file under the server."""
        return {t: self._run(f'SELECT * FROM "{t}" ORDER BY id') for t in ("user", "account")}

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._database, timeout=10)) as connection, connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return connection.execute(statement).fetchall()
