"""Restores an archive into a new database, with nothing but the archive at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.archive.erasures import read_list
from migrator.archive.folder import alone
from migrator.archive.manifest import MANIFEST
from migrator.archive.reader import check_chunks
from migrator.core.errors import RefusedError, UsageError
from migrator.legacy.archived import (
    Copying,
    make_if_possible,
    require_empty_place,
    set_sequence,
)
from migrator.legacy.connect import open_postgres
from migrator.legacy.execute import told
from migrator.runner.removing.drilling import compare, fill, make_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrator.archive.encryption import Opening
    from migrator.archive.manifest import ArchivedTable, Manifest
    from migrator.core.progress import Progress
    from migrator.legacy.postgres import PostgresConnection


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes:
        tables: Rows by schema and name.
        exceptions: What is not as it was.
        erased: Entries of the erasure lists that were left out.
    """

    tables: dict[str, int]
    exceptions: tuple[str, ...]
    erased: int


@dataclass(frozen=True)
class FoundArchive:
    """An archive whose files are all there and as they were written."""

    folder: Path
    manifest: Manifest


def find_archives(folder: Path, manifest_hashes: Sequence[str] = ()) -> tuple[FoundArchive, ...]:
    """Give the archives in a folder, or in the folders right below it, after all their files were checked.

    Args:
        folder: With a manifest, or with folders that have one.
        manifest_hashes: From the receipt or the ledger; with some of them given, each manifest's has to be among them.

    Raises:
        UsageError: There is no archive.
        RefusedError: A manifest or a chunk is damaged, missing or in another's place.
        DependencyError: The disk cannot be read.
    """
    here = [folder] if (folder / MANIFEST).is_file() else sorted(_below(folder))
    if not here:
        raise UsageError(f"there is no archive in {folder}", hint="name the folder of one")
    found = tuple(FoundArchive(place, alone(place, manifest_hashes)) for place in here)
    for archive in found:
        check_chunks(archive.folder, archive.manifest)
    return found


def restore(
    archives: Sequence[FoundArchive], dsn: str, opening: Opening, progress: Progress
) -> Restored:
    """Make the tables of some archives anew and fill them, all in one transaction.

    Interrupted anywhere, nothing of it is there.

    Args:
        archives: As `find_archives` gives them.
        dsn: A database that has none of the tables; appears in no message.
        opening: Decrypts.
        progress: Where progress is said.

    Raises:
        RefusedError: A table is there already, a type is missing that the archive does not have, or what came back differs from the archive.
        DependencyError: Disk or database failed.
    """
    if any(archive.manifest.of_mariadb for archive in archives):
        raise RefusedError(
            "the archive is a MariaDB's, which comes back by a revert only",
            hint="where it was made: migrator remove revert --identity file:archive.key",
        )
    tables = [table for archive in archives for table in archive.manifest.tables]
    with open_postgres(dsn, doing="the restore", read_only=False) as connection:
        require_empty_place(connection, [(table.schema, table.name) for table in tables])
        with told(connection), connection.transaction():
            work = _Restoring(connection, opening, progress)
            there = make_types(connection, tables)
            rows = {
                table.label: work.table(archive, table)
                for archive in archives
                for table in archive.manifest.tables
            }
            for table in tables:
                connection.execute(table.rebuild.keys.encode())
            not_made = work.extras(tables)
    return Restored(
        rows,
        (
            *(line for archive in archives for line in _exceptions(archive)),
            *(f"type {name} was there already and is used as it is" for name in there),
            *not_made,
        ),
        sum(len(read_list(archive.folder)) for archive in archives),
    )


class _Restoring:
    """Tables on their way into a new database."""

    def __init__(
        self, connection: PostgresConnection, opening: Opening, progress: Progress
    ) -> None:
        self._connection, self._opening, self._progress = connection, opening, progress

    def extras(self, tables: Sequence[ArchivedTable]) -> list[str]:
        """Make what this database can have; say what it cannot, and why."""
        return [
            f"not made: {part.what}: {why}"
            for table in tables
            for part in table.rebuild.extras
            if (why := make_if_possible(self._connection, part.sql))
        ]

    def table(self, archive: FoundArchive, table: ArchivedTable) -> int:
        """Make one and give its rows."""
        place = (table.schema, table.name)
        self._connection.execute(table.rebuild.create.encode())
        copying = Copying(self._connection, encoding=archive.manifest.copy_encoding)
        with self._progress.task(f"restoring {table.label}", total=table.rows) as task:
            erased = fill(copying, place, (archive.folder, archive.manifest), table, self._opening)
            task.advance(table.rows)
        found = copying.digest(place, table.column_names)
        if not erased:
            compare(table, found)
        for value in table.sequences:
            set_sequence(
                self._connection,
                (value.schema, value.name),
                last_value=value.last_value,
                is_called=value.is_called,
            )
        self._connection.execute(table.rebuild.complete.encode())
        return found.rows


def _below(folder: Path) -> list[Path]:
    return [place.parent for place in folder.glob(f"*/{MANIFEST}")]


def _exceptions(archive: FoundArchive) -> list[str]:
    found = []
    for table in archive.manifest.tables:
        found += [f"{table.label}.{e.column}: {e.why}; it is {e.instead}" for e in table.excluded]
        found += [f"not made: {line}" for line in table.rebuild.left_out]
    erasures = read_list(archive.folder)
    for label in sorted({erasure.table for erasure in erasures}):
        number = sum(1 for erasure in erasures if erasure.table == label)
        found.append(f"{label}: {number} erasures are applied: their rows are not restored")
    return found
