"""The removal's guard database: lease, evidence, and how far each step came."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from migrator.core.mariadb import places_of
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import compose
from migrator.legacy.guard import Guard, Orphans
from migrator.legacy.mariadb_removal.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrator.legacy.guard import ChunkKeys
    from migrator.legacy.mariadb.connection import MariaDbConnection

_TIMES = ("archived_at", "drilled_at")


class MariaDbGuard(Guard):
    """The same on MariaDB, where a database of its own stands for a schema."""

    def __init__(self, connection: MariaDbConnection) -> None:
        self._server = connection
        self.places = places_of(connection.database)
        self.fence: int | None = None

    def record_archive(
        self,
        name: str,
        *,
        rows: int,
        sha256: str,
        manifest_sha256: str,
        chunks: Iterable[ChunkKeys],  # noqa: ARG002 - see `chunks`
    ) -> None:
        """Write down what a table's files hold."""
        self._do(
            "record_archive", name=name, rows=rows, sha256=sha256, manifest_sha256=manifest_sha256
        )

    @contextmanager
    def approved_writer(self) -> Iterator[None]:
        """Let the block write past the write-block; what lets it is never committed, so that nothing is left of it."""
        with super().approved_writer():
            yield
        self._do("dismiss_writer")

    def chunks(self, name: str) -> tuple[ChunkKeys, ...]:  # noqa: ARG002
        """Give nothing: ENUM and SET are sorted otherwise than compared, so that no range of keys says what is in a file."""
        return ()

    def record_loaded(self, name: str) -> None:
        """Write down, within the transaction, that a table is whole in the archive database."""
        self._do("record_loaded", name=name)

    def record_drill(self, name: str, manifest_sha256: str) -> bool:
        """Write down that these files were restored and compared; False when others are recorded by now."""
        these = {"name": name, "manifest_sha256": manifest_sha256}
        self._do("record_drill", **these)
        return bool(self._rows("is_recorded", **these))

    def orphans(self) -> tuple[Orphans, ...]:
        """Give the rows that a foreign key, which came back unchecked, does not fit."""
        return tuple(
            Orphans(**{**row, "some_keys": row["some_keys"].split()})
            for row in self._rows("orphans")
        )

    def scream(self) -> None:
        """Say nothing: MariaDB writes refused statements to no log."""

    def record(self) -> dict[str, Any]:
        """Give what only the guard database knows, as JSON values."""
        return {
            "archives": [_as_json(row) for row in self._rows("record_archives")],
            "counters": self._rows("record_counters"),
            "targets": self._rows("record_targets"),
        }

    def restore(self, record: dict[str, Any]) -> None:
        """Put a record into a guard database that was made again."""
        for row in record["archives"]:
            self._do("restore_archive", **_from_json(row))
        for row in record["counters"]:
            self._do("restore_counter", **row)
        for row in record["targets"]:
            self._do("restore_target", **row)

    def in_the_way(self, oids: list[int]) -> list[dict[str, Any]]:  # noqa: ARG002 - the guard knows its tables
        """Give who holds the tables' metadata locks; without the plugin only who has a transaction open."""
        known = self.knows_locks()
        return self._rows("metadata_locks" if known else "open_transactions")

    def knows_locks(self) -> bool:
        """Tell whether the server says who holds a metadata lock."""
        return bool(self._rows("plugin")[0]["found"])

    @contextmanager
    def leased(self, holder: str) -> Iterator[int]:
        """Hold the lease for a block, by a lock of the server that ends with this session.

        Raises:
            ConflictError: Another operator holds it.
        """
        try:
            self._do("take_lease", holder=holder)
        except psycopg.Error as error:
            refuse(error)
        try:
            yield int(self._rows("fence")[0]["fence"])
        finally:
            if not self._server.closed:
                self._do("release_lease")

    def _rows(self, query: str, /, **values: object) -> list[dict[str, Any]]:
        return self._server.rows(self._composed(query), self._with_places(values))

    def _do(self, query: str, /, **values: object) -> None:
        self._server.execute(self._composed(query), self._with_places(values))

    def _composed(self, name: str) -> Any:
        text = load("migrator.legacy.mariadb_removal", "guard.sql")[name]
        return compose(text, guard=ident(self.places.guard))

    def _with_places(self, values: dict[str, object]) -> dict[str, object]:
        return {"guard": self.places.guard, "quarantine": self.places.quarantine, **values}


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()}


def _from_json(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: datetime.fromisoformat(row[name]) for name in _TIMES if row[name]}
    return {**row, **times}
