"""Writes what is about to go to encrypted files, out of one snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.archive.erasures import put_key
from migrator.archive.folder import made_aside, put_manifest
from migrator.archive.manifest import (
    DIGEST,
    MARIADB_DIGEST,
    ArchivedTable,
    Manifest,
    SequenceValue,
)
from migrator.archive.writer import WrittenChunk, chunk_name, write_chunks
from migrator.core.clock import iso
from migrator.core.sql import ident
from migrator.legacy.copytext import parse
from migrator.legacy.guard import ChunkKeys
from migrator.runner.removing.archives import chunk_size, erasure_key, folder_of, kept, sealing_of
from migrator.sqlgen.naming import GUARD, row_hashes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.archive.encryption import Sealing
    from migrator.core.progress import Task
    from migrator.legacy.archived import Copying, Source
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.archive_plan import ArchivePlan, TablePlan

_UNIT = "files"


def make_archive(here: Site, step: str) -> Manifest:
    """Write the archive of a step and record it in the database, both or neither.

    A snapshot cannot be taken up again: interrupted, the next call begins anew and removes what this one left. Called
    after the archive was recorded, it reads that one.

    Raises:
        UsageError: There is no key to encrypt to.
        RefusedError: Gate evidence is missing, or the recorded archive is not on the disk.
        DependencyError: Disk or database failed.
        ConflictError: Another operator is at work.
    """
    if _UNIT in here.guard.done_units(step, "deploy"):
        return kept(here, step).manifest
    plan, sealing = here.plan.archive(step), sealing_of(here.ctx)
    folder = folder_of(here.ctx, here.plan.plan_id, step)
    with here.database.told(), here.database.snapshot() as source:
        here.guard.enter(step, _UNIT, here.plan.plan_id)
        with made_aside(folder) as aside:
            manifest, keys = _Writing(here, plan, sealing, aside).all_tables(source)
            put_manifest(aside, manifest)
        _record(here, plan, manifest, keys)
        here.guard.leave(step, _UNIT)
    return manifest


class _Writing:
    """One archive in the making."""

    def __init__(self, here: Site, plan: ArchivePlan, sealing: Sealing, folder: Path) -> None:
        self._here, self._plan, self._sealing, self._folder = here, plan, sealing, folder
        self._size = chunk_size(here.ctx)

    def all_tables(self, source: Source) -> tuple[Manifest, dict[str, list[ChunkKeys]]]:
        """Write every table's chunks; give the manifest, and which keys are in which chunk."""
        copying = self._here.database.copying(encoding=source.copy_encoding)
        keys: dict[str, list[ChunkKeys]] = {}
        tables = []
        for number, table in enumerate(self._plan.tables, start=1):
            written, keys[table.name] = self._table(copying, table, number)
            tables.append(written)
        manifest = Manifest(
            plan_id=self._here.plan.plan_id,
            step=self._plan.step,
            database=source.database,
            server_version=source.server_version,
            encoding=source.encoding,
            copy_encoding=source.copy_encoding,
            snapshot_at=iso(source.snapshot_at),
            encryption=self._sealing.name,
            recipients=self._sealing.recipients,
            erasure_key_file=put_key(
                self._folder, erasure_key(self._here, self._plan.step), self._sealing
            ),
            tables=tuple(tables),
            digest=MARIADB_DIGEST if source.of_mariadb else DIGEST,
        )
        return manifest, keys

    def _table(
        self, copying: Copying, table: TablePlan, number: int
    ) -> tuple[ArchivedTable, list[ChunkKeys]]:
        found = copying.digest(table.place, table.sources)
        rows = copying.rows(table.place, table.sources, table.key)
        title = f"archiving {table.label}"
        with self._here.ctx.progress.task(title, total=found.rows) as task:
            chunks = list(self._chunks(rows, number, task))
        written = ArchivedTable(
            schema=table.schema,
            name=table.name,
            oid=copying.oid(table.place),
            rows=found.rows,
            sha256=found.sha256,
            columns=table.columns,
            key=table.key,
            excluded=table.excluded,
            sequences=tuple(
                SequenceValue(schema, name, **copying.sequence_value(now_in, name))
                for schema, name, now_in in table.sequences
            ),
            rebuild=table.rebuild,
            chunks=tuple(chunk.chunk for chunk in chunks),
        )
        if table.only_columns:
            hashes = ident(GUARD, row_hashes(table.name))
            copying.hash_rows(table.place, table.sources, (table.key, hashes))
        return written, [keys_of(table, chunk) for chunk in chunks if table.key]

    def _chunks(self, rows: Iterator[bytes], number: int, task: Task) -> Iterator[WrittenChunk]:
        for chunk in write_chunks(
            self._folder,
            rows,
            self._sealing,
            name=lambda place: chunk_name(number, place, self._sealing),
            size=self._size,
        ):
            task.advance(chunk.chunk.rows)
            yield chunk


def keys_of(table: TablePlan, written: WrittenChunk) -> ChunkKeys:
    """Give the primary keys that a chunk begins and ends with."""
    places = [table.names.index(column) for column in table.key]
    first, last = parse(
        row.decode("utf-8", "surrogateescape") for row in (written.first_row, written.last_row)
    )
    return ChunkKeys(
        written.chunk.file,
        [first[place] or "" for place in places],
        [last[place] or "" for place in places],
    )


def _record(
    here: Site, plan: ArchivePlan, manifest: Manifest, keys: dict[str, list[ChunkKeys]]
) -> None:
    hashed = manifest.content_hash
    for table in plan.tables:
        found = manifest.table(table.label)
        assert found is not None  # noqa: S101  made of the same plan
        here.guard.record_archive(
            table.name,
            rows=found.rows,
            sha256=found.sha256,
            manifest_sha256=hashed,
            chunks=keys[table.name],
        )
