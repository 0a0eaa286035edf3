"""The ways into Auther that faults happen on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from migrator.auther.calling import Patience
from migrator.auther.database import Run
from migrator.auther.libsql import connect
from tests.parts.faulty_wire import FaultyHttp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.importing import Site

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
        """Name the proxy instead of a file."""
        assert self.proxy is not None
        text = config.read_text(encoding="utf-8")
        way = f'kind = "libsql"\nurl = "{self.proxy.base_url}"'
        config.write_text(text.replace('database = "auther.db"', way), encoding="utf-8")

    def content(self, _site: Site) -> Content:
        """Ask the server itself."""
        with connect(self._server, token="", writing=False, patience=Patience()) as database:
            questions = [Run(f'SELECT * FROM "{t}" ORDER BY id', ()) for t in ("user", "account")]
            users, accounts = database.ask(*questions)
        return {"user": users, "account": accounts}
