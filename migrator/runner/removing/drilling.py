"""Proves archives by restoring them, and brings rows back from them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from migrator.archive.erasures import read_key, read_list, without_erased
from migrator.archive.folder import arrive
from migrator.archive.reader import check_chunks, read_rows
from migrator.core.errors import ConflictError, RefusedError
from migrator.legacy.copytext import parse
from migrator.runner.removing.archives import (
    archived,
    before_archive,
    folder_of,
    kept,
    opening_of,
)
from migrator.sqlgen.naming import ROW_NUMBER
from migrator.sqlgen.steps import ARCHIVE_COLUMNS, ARCHIVE_TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from migrator.archive.encryption import Opening
    from migrator.archive.erasures import Erasure
    from migrator.archive.manifest import ArchivedTable, Manifest
    from migrator.config.secrets import SecretRef
    from migrator.core.progress import Progress, Task
    from migrator.legacy.archived import Copying, Digest
    from migrator.legacy.copytext import Row
    from migrator.legacy.guard import Guard
    from migrator.legacy.removal import RemovalDatabase
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.archive_plan import TablePlan

_PAGE_ROWS = 500


@dataclass(frozen=True)
class Proven:
    """A table that was restored from its files and compared."""

    table: str
    rows: int
    sha256: str


def drill(here: Site, step: str, identity: SecretRef | None) -> tuple[Proven, ...]:
    """Prove the archive of a step in the application's own database; as `prove_recorded`.

    Raises:
        HeldError: There is no archive, or no private key.
    """
    found = kept(here, step)
    # `remove apply` takes no private key, so that the next command is another one.
    elsewhere = (
        f"whoever has it, on any machine: migrator remove drill --from {found.folder.parent} "
        "--identity file:archive.key; then the same command"
    )
    opening = opening_of(here.ctx, found.manifest, identity, otherwise=elsewhere)
    check_chunks(found.folder, found.manifest)
    return prove_recorded(
        here.guard,
        found.folder,
        found.manifest,
        opening,
        into=here.database,
        progress=here.ctx.progress,
    )


def prove_recorded(
    guard: Guard,
    folder: Path,
    manifest: Manifest,
    opening: Opening,
    *,
    into: RemovalDatabase,
    progress: Progress,
) -> tuple[Proven, ...]:
    """Prove an archive and record that where the SQL of the purge looks for it.

    Args:
        guard: Of the application's database, which knows the archive.
        folder: The archive's, its files checked.
        manifest: The archive's.
        opening: Decrypts.
        into: The database to restore into.
        progress: Where progress is said.

    Raises:
        RefusedError: The archive is not what the database knows, or does not hold what was archived.
        ConflictError: The archive was renewed meanwhile.
        DependencyError: Disk or database failed.
    """
    _require_known(guard, manifest)
    proven = prove(folder, manifest, opening, into=into, progress=progress)
    for table in manifest.tables:
        if not guard.record_drill(table.name, manifest.content_hash):
            raise ConflictError(
                "the archive was renewed meanwhile", hint="the same again: migrator remove drill"
            )
    return proven


def prove(
    folder: Path,
    manifest: Manifest,
    opening: Opening,
    *,
    into: RemovalDatabase,
    progress: Progress,
) -> tuple[Proven, ...]:
    """Restore an archive into a scratch schema, compare it with its manifest, and leave nothing of it.

    Everything is restored in one transaction that is rolled back: interrupted anywhere, nothing is left.
    """
    with (
        into.told(),
        into.rehearsal(
            types_of(manifest.tables), kinds_of(manifest.tables), encoding=manifest.copy_encoding
        ) as copying,
    ):
        place = _Place(copying, into.scratch, folder, opening, progress)
        return tuple(place.prove(table) for table in manifest.tables)


def refill(here: Site, step: str, identity: SecretRef | None) -> None:
    """Bring the rows of an archive back into the archive schema, from where the revert takes them.

    Interrupted anywhere, the same call goes on: a table is either there with all its rows or not at all.

    Raises:
        HeldError: There is no private key.
        RefusedError: The archive is not what the database knows, or was changed.
        ConflictError: Another operator is at work.
        DependencyError: Disk or database failed.
    """
    plan = here.plan.archive(step)
    wanted = [table for table in plan.tables if not here.guard.is_loaded(table.name)]
    if not wanted:
        return
    folder = folder_of(here.ctx, here.plan.plan_id, step)
    manifest = arrive(folder, _manifest_hash(here, wanted[0].name))
    opening = opening_of(here.ctx, manifest, identity)
    check_chunks(folder, manifest)
    erasures = read_list(folder)
    _require_whole_list(here, wanted, erasures)
    if erasures:
        # What is left out cannot be compared afterwards, so the whole is first.
        prove(folder, manifest, opening, into=here.database, progress=here.ctx.progress)
    loading = _Loading(here, folder, manifest, opening)
    for table in wanted:
        loading.load(table.label, only_columns=table.only_columns)


class _Loading:
    """Rows on their way back."""

    def __init__(self, here: Site, folder: Path, manifest: Manifest, opening: Opening) -> None:
        self._here, self._folder, self._manifest, self._opening = here, folder, manifest, opening

    def load(self, label: str, *, only_columns: bool) -> None:
        """Make a table in the archive schema and fill it, in one transaction."""
        table = self._manifest.table(label)
        assert table is not None  # noqa: S101  made of the same plan
        database, encoding = self._here.database, self._manifest.copy_encoding
        place = (database.archive, table.name)
        with database.told(), database.loading(table.name, encoding=encoding) as copying:
            copying.make(place, definitions(table))
            erased = fill(copying, place, (self._folder, self._manifest), table, self._opening)
            found = copying.digest(place, table.column_names)
            if erased:
                self._here.guard.record_refill(table.name, **vars(found))
            else:
                compare(table, found)
            if only_columns:
                copying.number_rows(place, table.key, ROW_NUMBER)


def fill(
    copying: Copying,
    place: tuple[str, str],
    archive: tuple[Path, Manifest],
    table: ArchivedTable,
    opening: Opening,
) -> bool:
    """Copy a table's rows in, without those on the erasure list; tell whether there is one for this table."""
    folder, manifest = archive
    rows = read_rows(folder, table, opening)
    erasures = [erasure for erasure in read_list(folder) if erasure.table == table.label]
    if erasures:
        key = read_key(folder, manifest, opening)
        rows = without_erased(rows, table, erasures, key, texts=_texts(copying, table))
    copying.fill(place, table.column_names, rows)
    return bool(erasures)


def types_of(tables: Sequence[ArchivedTable]) -> tuple[tuple[str, str], ...]:
    """Give the types of some tables, each once, with the SQL that makes it."""
    return tuple({part.what: part.sql for table in tables for part in table.rebuild.types}.items())


def kinds_of(tables: Sequence[ArchivedTable]) -> list[str]:
    """Give the types of the columns of some tables."""
    return [column.type for table in tables for column in table.columns]


def definitions(table: ArchivedTable) -> list[tuple[str, str, str]]:
    """Give a table's kept columns: name, type, collation."""
    return [(column.name, column.type, column.collation) for column in table.columns]


@dataclass(frozen=True)
class _Place:
    """Where tables are restored to be compared."""

    copying: Copying
    schema: str
    folder: Path
    opening: Opening
    progress: Progress

    def prove(self, table: ArchivedTable) -> Proven:
        """Restore one and compare it."""
        place = (self.schema, table.name)
        self.copying.make(place, definitions(table))
        rows = read_rows(self.folder, table, self.opening)
        with self.progress.task(f"restoring {table.label}", total=table.rows) as task:
            self.copying.fill(place, table.column_names, _counted(rows, task))
        found = self.copying.digest(place, table.column_names)
        compare(table, found)
        return Proven(table.label, found.rows, found.sha256)


def _counted(rows: Iterator[bytes], task: Task) -> Iterator[bytes]:
    for piece in rows:
        task.advance(piece.count(b"\n"))
        yield piece


def compare(table: ArchivedTable, found: Digest) -> None:
    """Make sure that what was restored is what was archived.

    Raises:
        RefusedError: It is not.
    """
    if (found.rows, found.sha256) != (table.rows, table.sha256):
        raise RefusedError(
            f"{table.label} differs from its archive once restored: {found.rows} rows with checksum "
            f"{found.sha256[:12]}, archived {table.rows} rows with checksum {table.sha256[:12]}",
            hint=f"before a purge: {before_archive(ARCHIVE_TABLES)}, of columns {before_archive(ARCHIVE_COLUMNS)}, then apply again; after it: take another copy of the archive's folder",
        )


def _require_known(guard: Guard, manifest: Manifest) -> None:
    known = {table.name: table for table in guard.archives()}
    for table in manifest.tables:
        there = known.get(table.name)
        if there is None or (there.manifest_sha256, there.sha256) != (
            manifest.content_hash,
            table.sha256,
        ):
            raise RefusedError(
                f"the archive of {table.label} is not the one that the database knows",
                hint="copy its folder anew, then: migrator remove drill",
            )


def _manifest_hash(here: Site, name: str) -> str:
    known = archived(here, name)
    return known.manifest_sha256 if known else ""


def _require_whole_list(
    here: Site, wanted: Sequence[TablePlan], erasures: Sequence[Erasure]
) -> None:
    for table in wanted:
        known = archived(here, table.name)
        there = sum(1 for erasure in erasures if erasure.table == table.label)
        if known is not None and there < known.erased:
            raise RefusedError(
                f"the erasure list beside the archive has {there} entries for {table.label}, not {known.erased}",
                hint="bring the list back from a copy: without it erased rows would come back",
            )


def _texts(
    copying: Copying, table: ArchivedTable
) -> Callable[[Sequence[str], Iterable[bytes]], Iterator[tuple[bytes, Row]]]:
    def texts(columns: Sequence[str], rows: Iterable[bytes]) -> Iterator[tuple[bytes, Row]]:
        places = [table.column_names.index(column) for column in columns]
        defined = [definitions(table)[place] for place in places]
        left = iter(rows)
        while page := list(islice(left, _PAGE_ROWS)):
            found = parse(row.decode("utf-8", "surrogateescape") for row in page)
            values = [[row[place] for place in places] for row in found]
            yield from zip(page, copying.comparable(defined, values), strict=True)

    return texts
