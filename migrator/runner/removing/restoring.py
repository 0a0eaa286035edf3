"""Restores an archive into a new database, with nothing but the archive at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.archive.erasures import read_list
from migrator.archive.folder import alone
from migrator.archive.manifest import MANIFEST
from migrator.archive.reader import check_chunks
from migrator.core.errors import RefusedError, UsageError
from migrator.legacy.removals import is_mariadb, open_removal
from migrator.runner.removing.drilling import compare, fill, kinds_of, types_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrator.archive.encryption import Opening
    from migrator.archive.manifest import ArchivedTable, Manifest
    from migrator.core.progress import Progress
    from migrator.legacy.removal import NewTables

# Nobody knows the new tables yet: nothing is waited for.
_WAIT_S = 10


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
    """Make the tables of some archives anew and fill them, all or none.

    Interrupted anywhere, none of them is there, and the same call begins anew.

    Args:
        archives: As `find_archives` gives them.
        dsn: A database that has none of the tables; appears in no message.
        opening: Decrypts.
        progress: Where progress is said.

    Raises:
        RefusedError: The database is of another kind, a table is there already, a type is missing that the archive does not have, or what came back differs from the archive.
        DependencyError: Disk or database failed.
    """
    if {archive.manifest.of_mariadb for archive in archives} != {is_mariadb(dsn)}:
        theirs, other = (
            ("PostgreSQL", "MariaDB") if is_mariadb(dsn) else ("MariaDB", "another one")
        )
        raise RefusedError(
            f"the archive is not all of the kind of that database: it holds {theirs}'s SQL, that one is {other}",
            hint="--into a new database of the kind that the archive was made in",
        )
    tables = [table for archive in archives for table in archive.manifest.tables]
    names = [(table.schema, table.name) for table in tables]
    with (
        open_removal(dsn, doing="the restore", read_only=False, wait_s=_WAIT_S) as database,
        database.told(),
        database.new_tables(names) as new,
    ):
        there = new.make_types(types_of(tables), kinds_of(tables))
        rows = {
            table.label: _table(new, archive, table, (opening, progress))
            for archive in archives
            for table in archive.manifest.tables
        }
        for table in tables:
            new.run(table.rebuild.keys)
        not_made = _extras(new, tables)
    return Restored(
        rows,
        (
            *(line for archive in archives for line in _exceptions(archive)),
            *(f"type {name} was there already and is used as it is" for name in there),
            *not_made,
        ),
        sum(len(read_list(archive.folder)) for archive in archives),
    )


def _extras(new: NewTables, tables: Sequence[ArchivedTable]) -> list[str]:
    """Make what this database can have; say what it cannot, and why."""
    return [
        f"not made: {part.what}: {why}"
        for table in tables
        for part in table.rebuild.extras
        if (why := new.run_if_possible(part.sql))
    ]


def _table(
    new: NewTables, archive: FoundArchive, table: ArchivedTable, means: tuple[Opening, Progress]
) -> int:
    """Make one and give its rows."""
    opening, progress = means
    place = new.place(table.schema, table.name)
    new.run(table.rebuild.create)
    copying = new.copying(encoding=archive.manifest.copy_encoding)
    with progress.task(f"restoring {table.label}", total=table.rows) as task:
        erased = fill(copying, place, (archive.folder, archive.manifest), table, opening)
        task.advance(table.rows)
    found = copying.digest(place, table.column_names)
    if not erased:
        compare(table, found)
    for value in table.sequences:
        new.set_sequence(
            value.schema, value.name, last_value=value.last_value, is_called=value.is_called
        )
    new.run(table.rebuild.complete)
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
