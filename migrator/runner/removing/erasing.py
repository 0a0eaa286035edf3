"""Erases single rows from quarantine and archive, or keeps them from ever coming back."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.archive.erasures import add_to_list, make_erasure
from migrator.archive.files import disk
from migrator.archive.folder import announce, arrive
from migrator.archive.writer import chunk_name, write_chunk, write_chunks
from migrator.core.clock import iso
from migrator.core.errors import HeldError, RefusedError, UsageError
from migrator.core.sql import ident
from migrator.legacy.erasing import Archived
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
from migrator.sqlgen.naming import GUARD, row_hashes
from migrator.sqlgen.steps import (
    ARCHIVE_COLUMNS,
    ERASE_COLUMNS,
    PURGE_COLUMNS,
    PURGE_TABLES,
    QUARANTINE_TABLES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.archive.encryption import Sealing
    from migrator.archive.manifest import ArchivedTable, Chunk
    from migrator.legacy.erasing import Erasing, Key
    from migrator.runner.removing.archives import Kept
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.archive_plan import TablePlan

_EDITION = re.compile(r"t(?P<table>\d+)-c(?P<number>\d+)(-e(?P<edition>\d+))?\.")


@dataclass(frozen=True)
class Wish:
    """Whose rows are to go.

    Attributes:
        table: Schema and name.
        column: Whose values are named; empty for the primary key.
        values: As text; of a primary key of several columns, separated by commas, one with a comma in it in quotes.
    """

    table: str
    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class _Sought:
    """A wish as the archive's files have it; `column` is empty for the primary key."""

    column: str
    keys: tuple[Key, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The values of the one column."""
        return tuple(value for (value,) in self.keys)


@dataclass(frozen=True)
class Erased:
    """What came of it.

    Attributes:
        where: `quarantine`, `quarantine and archive` or `erasure list`.
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
    step, table = _find(here, wish.table)
    sought = _sought(here, table, wish)
    # Where values are erased before the columns go, they are gone from that step on.
    last = ERASE_COLUMNS if ERASE_COLUMNS in here.plan.steps else PURGE_COLUMNS
    purge = last if step == ARCHIVE_COLUMNS else PURGE_TABLES
    state = here.states()[purge]
    if state == "reverting":
        raise HeldError(
            f"{purge} is half reverted", hint="migrator remove revert, then this again"
        )
    if state == "applying" and here.database.piecemeal:
        # Some of its tables are there and some are not.
        raise HeldError(
            f"{purge} is half applied",
            hint="migrator remove apply or migrator remove revert, then this again",
        )
    if state in {"applied", "applying"}:
        return _list(here, step, table, sought)
    if archived(here, table.name) is None:
        return _delete_only(here, table, sought)
    return _Renewal(here, step, table).run(sought)


class _Renewal:
    """Rows deleted and their chunks rewritten, in one transaction and one move of the manifest."""

    def __init__(self, here: Site, step: str, table: TablePlan) -> None:
        self._here, self._step, self._plan = here, step, table
        self._kept: Kept = kept(here, step)
        known = self._kept.manifest.table(table.label)
        assert known is not None  # noqa: S101  made of the same plan
        self._known: ArchivedTable = known
        self._sealing: Sealing = sealing_of(here.ctx)

    def run(self, sought: _Sought) -> Erased:
        here, name = self._here, self._plan.name
        with (
            here.database.told(),
            here.database.transaction(),
            here.guard.approved_writer(),
        ):
            erasing = _erasing(here, self._plan, self._kept.manifest.copy_encoding)
            self._require_untied(erasing, sought)
            self._require_unchanged(erasing)
            keys = _keys(erasing, self._plan, sought)
            rows = _delete(erasing, self._plan, sought, keys)
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
        return Erased("quarantine and archive", rows, tuple(renewed), self._step)

    def _nothing_to_do(self) -> Erased:
        """No such row is left, perhaps since a call that was interrupted after it was done."""
        proven = is_proven(self._here, self._step)
        return Erased("quarantine and archive", 0, needs_drill="" if proven else self._step)

    def _require_untied(self, erasing: Erasing, sought: _Sought) -> None:
        """Nothing but what was named may change: the archive would hold it as it was."""
        if ties := erasing.tied(sought.column, sought.keys):
            labels = {table.place: table.label for table in self._kept.plan.tables}
            held = ", ".join(
                f"{rows} of {labels.get(tie.table, '.'.join(tie.table))} by {tie.constraint} ({tie.action})"
                for tie, rows in ties.items()
            )
            raise HeldError(
                f"other rows point to these, and foreign keys would change them too or refuse: {held}",
                hint=f"erase those first; or {self._without_archive()}",
            )

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
                hint=self._without_archive(),
            )

    def _without_archive(self) -> str:
        """Say how to have it done where no archive has to follow."""
        steps = self._here.plan.steps
        before = steps[steps.index(self._step) - 1]
        return f"migrator remove revert --to {before}, then this again, then migrator remove apply"

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


def _find(here: Site, label: str) -> tuple[str, TablePlan]:
    plans = [here.plan.archive(step) for step in here.plan.archive_steps]
    for plan in plans:
        for table in plan.tables:
            if table.label == label:
                return plan.step, table
    labels = ", ".join(table.label for plan in plans for table in plan.tables)
    raise UsageError(f"the plan has no table {label}; it has: {labels}", hint="name one of them")


def _column(table: TablePlan, wish: Wish) -> str:
    """Give the column that values are of; empty for a primary key."""
    if (wish.column,) == table.key:
        return ""
    if not wish.column and not table.key:
        raise UsageError(f"{table.label} has no primary key", hint="name one with --column")
    if wish.column and (wish.column not in table.names or table.only_columns):
        known = ", ".join(table.key if table.only_columns else table.names)
        raise UsageError(f"--column {wish.column}: allowed for {table.label}: {known}")
    return wish.column


def _sought(here: Site, table: TablePlan, wish: Wish) -> _Sought:
    """Read the values as the columns' types do: nobody writes `07` where the files have `7`, and misses the row."""
    column = _column(table, wish)
    names = (column,) if column else table.key
    keys = _parted(wish.values) if len(names) > 1 else [(value,) for value in wish.values]
    if any(len(key) != len(names) for key in keys):
        raise UsageError(f"a key of {table.label} is {','.join(names)}")
    with here.database.told(), here.database.transaction():
        erasing = _erasing(here, table, "UTF8")
        written = [
            erasing.as_written(name, values)
            for name, values in zip(names, zip(*keys, strict=True), strict=True)
        ]
    return _Sought(column, tuple(zip(*written, strict=True)))


def _parted(values: Sequence[str]) -> list[Key]:
    return [tuple(next(csv.reader([value]))) for value in values]


def _keys(erasing: Erasing, table: TablePlan, sought: _Sought) -> tuple[Key, ...]:
    if not table.key:
        return ()
    return erasing.keys(sought.column, sought.values) if sought.column else sought.keys


def _delete(erasing: Erasing, table: TablePlan, sought: _Sought, keys: tuple[Key, ...]) -> int:
    if not table.key:
        return erasing.delete_by(sought.column, sought.values)
    return erasing.delete(keys) if keys else 0


def _erasing(here: Site, table: TablePlan, encoding: str) -> Erasing:
    hashes = ident(GUARD, row_hashes(table.name)) if table.only_columns else ""
    definitions = tuple((c.name, c.type, c.collation) for c in table.columns)
    return here.database.erasing(
        Archived(table.place, table.sources, table.key, definitions, hashes, table.blanks),
        encoding=encoding,
    )


def _delete_only(here: Site, table: TablePlan, sought: _Sought) -> Erased:
    if table.only_columns or here.states()[QUARANTINE_TABLES] != "applied":
        raise HeldError(
            f"{table.label} is neither archived nor in quarantine: the application itself deletes its rows",
            hint="delete them there; what comes into the archive later is without them",
        )
    with here.database.told(), here.database.transaction():
        here.guard.check_lease()
        erasing = _erasing(here, table, "UTF8")
        rows = _delete(erasing, table, sought, _keys(erasing, table, sought))
    return Erased("quarantine", rows)


def _list(here: Site, step: str, table: TablePlan, sought: _Sought) -> Erased:
    folder = folder_of(here.ctx, here.plan.plan_id, step)
    with disk(f"the archive in {folder} is not there"):
        next(folder.iterdir())
    key, at = erasure_key(here, step), iso(here.ctx.clock.now())
    columns = (sought.column,) if sought.column else table.key
    with here.database.told(), here.database.transaction():
        values = _erasing(here, table, "UTF8").listed(columns, sought.keys)
    entries = [make_erasure(key, table.label, columns, value, at=at) for value in values]
    whole = add_to_list(folder, entries)
    number = sum(1 for entry in whole if entry.table == table.label)
    if here.guard.plan_id() is None:
        finished.note_erasures(here.ctx, here.plan, table.name, number)
    else:
        with here.database.told(), here.database.transaction():
            here.guard.check_lease()
            here.guard.record_erasures(table.name, number)
    return Erased("erasure list", number)


def _next_edition(file: str, sealing: Sealing) -> str:
    parts = _parts(file)
    edition = int(parts["edition"] or 0) + 1
    return chunk_name(int(parts["table"]), int(parts["number"]), sealing, edition=edition)


def _parts(file: str) -> re.Match[str]:
    match = _EDITION.match(file)
    assert match is not None  # noqa: S101  the writer named it
    return match
