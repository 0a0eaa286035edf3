"""Erases single rows from quarantine and archive, or keeps them from ever coming back."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.archive.erasures import add_to_list, make_erasure
from migrator.archive.files import disk
from migrator.archive.folder import announce, arrive
from migrator.archive.writer import chunk_name, write_chunk, write_chunks
from migrator.core.clock import iso
from migrator.core.errors import RefusedError
from migrator.legacy.guard import ChunkKeys
from migrator.runner.removing import finished
from migrator.runner.removing.archives import (
    archived,
    chunk_size,
    erasure_key,
    folder_of,
    is_proven,
    kept,
    sealing_of,
)
from migrator.runner.removing.wishes import (
    BOTH,
    LIST,
    QUARANTINE,
    erasing_of,
    require_untied,
    seek,
    without_archive,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.archive.encryption import Sealing
    from migrator.archive.manifest import ArchivedTable, Chunk
    from migrator.legacy.erasing import Erasing, Key
    from migrator.runner.removing.archives import Kept
    from migrator.runner.removing.site import Site
    from migrator.runner.removing.wishes import Sought, Wish

_EDITION = re.compile(r"t(?P<table>\d+)-c(?P<number>\d+)(-e(?P<edition>\d+))?\.")


@dataclass(frozen=True)
class Erased:
    """What came of it.

    Attributes:
        where: `QUARANTINE`, `BOTH` or `LIST`.
        rows: Deleted rows, or entries of the list for this table.
        files: Chunks that were rewritten.
        needs_drill: The step whose archive has to be proven anew; empty when none.
    """

    where: str
    rows: int
    files: tuple[str, ...] = ()
    needs_drill: str = ""


def erase(here: Site, wish: Wish) -> Erased:
    """Do what is asked for; the lease is held.

    Before the purge the rows go from the quarantine in the transaction that records the rewritten chunks; interrupted,
    both or neither is done. After it they stay in the files and on a list that every restore obeys. Either way the same
    call again comes to the same end.

    Raises:
        UsageError: The plan has no such table or column, or a value is none of its type.
        HeldError: The rows are where the application itself has to delete them.
        RefusedError: Rows were changed since the archive.
        DependencyError: Disk or database failed.
    """
    sought = seek(here, wish)
    if sought.place == LIST:
        return _list(here, sought)
    if sought.place == QUARANTINE:
        return _delete_only(here, sought)
    return _Renewal(here, sought).run()


class _Renewal:
    """Rows deleted and their chunks rewritten, in one transaction and one move of the manifest."""

    def __init__(self, here: Site, sought: Sought) -> None:
        self._here, self._sought = here, sought
        self._step, self._plan = sought.step, sought.table
        self._kept: Kept = kept(here, sought.step)
        known = self._kept.manifest.table(sought.table.label)
        assert known is not None  # noqa: S101  made of the same plan
        self._known: ArchivedTable = known
        self._sealing: Sealing = sealing_of(here.ctx)

    def run(self) -> Erased:
        here, sought, name = self._here, self._sought, self._plan.name
        with (
            here.database.told(),
            here.database.transaction(),
            here.guard.approved_writer(),
        ):
            erasing = erasing_of(here, self._plan, self._kept.manifest.copy_encoding)
            require_untied(here, erasing, sought)
            self._require_unchanged(erasing)
            keys = _keys(erasing, sought)
            rows = _delete(erasing, sought, keys)
            if not rows:
                return self._nothing_to_do()
            renewed = self._chunks(erasing, keys)
            found = erasing.content()
            manifest = self._kept.manifest.with_table(
                replace(
                    self._known,
                    rows=found.rows,
                    sha256=found.sha256,
                    chunks=tuple(
                        c for old in self._known.chunks for c in renewed.get(old.file, (old,))
                    ),
                )
            )
            announce(self._kept.folder, manifest)
            here.guard.record_erasure(name, **vars(found))
            here.guard.record_renewal(
                [t.name for t in self._kept.plan.tables], manifest.content_hash
            )
        arrive(self._kept.folder, manifest.content_hash)
        return Erased(BOTH, rows, tuple(renewed), self._step)

    def _nothing_to_do(self) -> Erased:
        """No such row is left, perhaps since a call that was interrupted after it was done."""
        proven = is_proven(self._here, self._step)
        return Erased(BOTH, 0, needs_drill="" if proven else self._step)

    def _require_unchanged(self, erasing: Erasing) -> None:
        recorded = archived(self._here, self._plan.name)
        assert recorded is not None  # noqa: S101  asked before
        changed = (
            erasing.changed_rows()
            if self._plan.only_columns
            else (erasing.content().sha256 != recorded.sha256)
        )
        if changed:
            raise RefusedError(
                f"rows of {self._plan.label} were changed since the archive",
                hint=without_archive(self._step),
            )

    def _chunks(self, erasing: Erasing, keys: Sequence[Key]) -> dict[str, tuple[Chunk, ...]]:
        """Rewrite what the rows were in; give the new chunks, none or one, by the old one's file."""
        known = self._here.guard.chunks(self._plan.name)
        if not known:
            return self._all_chunks(erasing)
        renewed: dict[str, tuple[Chunk, ...]] = {}
        for chunk in known:
            if keys and erasing.holds(chunk, keys):
                erasing.forget_gone(chunk)
                path = self._kept.folder / _next_edition(chunk.file, self._sealing)
                written = write_chunk(path, erasing.chunk_rows(chunk), self._sealing)
                keys_now = ChunkKeys(path.name, chunk.first_key, chunk.last_key)
                self._here.guard.renew_chunk(
                    self._plan.name, chunk.file, keys_now if written else None
                )
                renewed[chunk.file] = (written,) if written else ()
        return renewed

    def _all_chunks(self, erasing: Erasing) -> dict[str, tuple[Chunk, ...]]:
        """Nobody knows which chunk a row is in: all are written anew."""
        old = self._known.chunks
        if not old:
            return {}
        rows = erasing.rows(self._plan.place, self._plan.sources, self._plan.key)
        number = int(_parts(old[0].file)["table"])
        edition = 1 + max(int(_parts(chunk.file)["edition"] or 0) for chunk in old)
        written = write_chunks(
            self._kept.folder,
            rows,
            self._sealing,
            name=lambda place: chunk_name(number, place, self._sealing, edition=edition),
            size=chunk_size(self._here.ctx),
        )
        new = tuple(chunk.chunk for chunk in written)
        return {old[0].file: new} | {chunk.file: () for chunk in old[1:]}


def _keys(erasing: Erasing, sought: Sought) -> tuple[Key, ...]:
    if not sought.table.key:
        return ()
    return erasing.keys(sought.column, sought.values) if sought.column else sought.keys


def _delete(erasing: Erasing, sought: Sought, keys: tuple[Key, ...]) -> int:
    if not sought.table.key:
        return erasing.delete_by(sought.column, sought.values)
    return erasing.delete(keys) if keys else 0


def _delete_only(here: Site, sought: Sought) -> Erased:
    with here.database.told(), here.database.transaction():
        here.guard.check_lease()
        erasing = erasing_of(here, sought.table, "UTF8")
        rows = _delete(erasing, sought, _keys(erasing, sought))
    return Erased(QUARANTINE, rows)


def _list(here: Site, sought: Sought) -> Erased:
    step, table = sought.step, sought.table
    folder = folder_of(here.ctx, here.plan.plan_id, step)
    with disk(f"the archive in {folder} is not there"):
        next(folder.iterdir())
    key, at = erasure_key(here, step), iso(here.ctx.clock.now())
    columns = (sought.column,) if sought.column else table.key
    with here.database.told(), here.database.transaction():
        values = erasing_of(here, table, "UTF8").listed(columns, sought.keys)
    entries = [make_erasure(key, table.label, columns, value, at=at) for value in values]
    whole = add_to_list(folder, entries)
    number = sum(1 for entry in whole if entry.table == table.label)
    if here.guard.plan_id() is None:
        finished.note_erasures(here.ctx, here.plan, table.name, number)
    else:
        with here.database.told(), here.database.transaction():
            here.guard.check_lease()
            here.guard.record_erasures(table.name, number)
    return Erased(LIST, number)


def _next_edition(file: str, sealing: Sealing) -> str:
    parts = _parts(file)
    edition = int(parts["edition"] or 0) + 1
    return chunk_name(int(parts["table"]), int(parts["number"]), sealing, edition=edition)


def _parts(file: str) -> re.Match[str]:
    match = _EDITION.match(file)
    assert match is not None  # noqa: S101  the writer named it
    return match
