"""What somebody wants erased, where it is as things stand, and what foreign keys make of it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import HeldError, UsageError
from migrator.core.sql import ident
from migrator.legacy.erasing import Archived
from migrator.runner.removing.archives import archived, before_archive
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

    from migrator.legacy.erasing import Erasing, Key, Tie
    from migrator.runner.removing.site import Site
    from migrator.sqlgen.archive_plan import TablePlan

QUARANTINE, BOTH, LIST = "quarantine", "quarantine and archive", "erasure list"


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
class Sought:
    """A wish as the archive's files have it, and where its rows are as things stand.

    Attributes:
        step: Whose archive the table is in, or will be.
        place: `QUARANTINE`, `BOTH` or `LIST`.
        column: Empty for the primary key.
        keys: As text.
    """

    step: str
    table: TablePlan
    place: str
    column: str
    keys: tuple[Key, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The values of the one column."""
        return tuple(value for (value,) in self.keys)


def seek(here: Site, wish: Wish) -> Sought:
    """Read a wish as the plan and the database have it.

    Raises:
        UsageError: The plan has no such table or column, or a value is none of its type.
        HeldError: The rows are where the application itself has to delete them.
        DependencyError: The database failed.
    """
    step, table = _find(here, wish.table)
    column = _column(table, wish)
    keys = _keys(here, table, (column,) if column else table.key, wish.values)
    return Sought(step, table, _place(here, step, table), column, keys)


def foresee(here: Site, wish: Wish) -> tuple[str, ...]:
    """Say what foreign keys do to other rows, before anybody agrees to it; writes nothing.

    Raises:
        UsageError: The plan has no such table or column, or a value is none of its type.
        HeldError: The rows cannot be erased as things stand.
        DependencyError: The database failed.
    """
    sought = seek(here, wish)
    if sought.place == LIST:
        return ()
    with here.database.told(), here.database.transaction():
        erasing = erasing_of(here, sought.table, "UTF8")
        if sought.place == BOTH:
            require_untied(here, erasing, sought)
            return ()
        ties = erasing.tied(sought.column, sought.keys)
    if refusing := {tie: rows for tie, rows in ties.items() if tie.refuses}:
        raise HeldError(
            f"other rows point to these, and foreign keys refuse: {_said(here, sought, refusing)}",
            hint="erase those first, or point them elsewhere; then this again",
        )
    if not ties:
        return ()
    return (
        f"with them, by foreign keys: {_said(here, sought, ties)}; and what points to those in turn",
    )


def require_untied(here: Site, erasing: Erasing, sought: Sought) -> None:
    """Nothing but what was named may change: the archive would hold it as it was.

    Raises:
        HeldError: Foreign keys of other rows point to these.
    """
    if ties := erasing.tied(sought.column, sought.keys):
        raise HeldError(
            "other rows point to these, and foreign keys would change them too or refuse: "
            + _said(here, sought, ties),
            hint=f"erase those first; or {without_archive(sought.step)}",
        )


def without_archive(step: str) -> str:
    """Say how to have it done where no archive has to follow."""
    return f"{before_archive(step)}, then this again, then migrator remove apply"


def erasing_of(here: Site, table: TablePlan, encoding: str) -> Erasing:
    """Find and delete rows of a table within a transaction."""
    hashes = ident(GUARD, row_hashes(table.name)) if table.only_columns else ""
    definitions = tuple((c.name, c.type, c.collation) for c in table.columns)
    return here.database.erasing(
        Archived(table.place, table.sources, table.key, definitions, hashes, table.blanks),
        encoding=encoding,
    )


def _find(here: Site, label: str) -> tuple[str, TablePlan]:
    plans = [here.plan.archive(step) for step in here.plan.archive_steps]
    for plan in plans:
        for table in plan.tables:
            if table.label == label:
                return plan.step, table
    labels = ", ".join(table.label for plan in plans for table in plan.tables)
    raise UsageError(f"the plan has no table {label}; it has: {labels}", hint="name one of them")


def _place(here: Site, step: str, table: TablePlan) -> str:
    """Tell from where rows are erased as things stand."""
    states = here.states()
    # Where values are erased before the columns go, they are gone from that step on.
    last = ERASE_COLUMNS if ERASE_COLUMNS in here.plan.steps else PURGE_COLUMNS
    purge = last if step == ARCHIVE_COLUMNS else PURGE_TABLES
    if states[purge] == "reverting":
        raise HeldError(
            f"{purge} is half reverted", hint="migrator remove revert, then this again"
        )
    if states[purge] == "applying" and here.database.piecemeal:
        # Some of its tables are there and some are not.
        raise HeldError(
            f"{purge} is half applied",
            hint="migrator remove apply or migrator remove revert, then this again",
        )
    if states[purge] in {"applied", "applying"}:
        return LIST
    if archived(here, table.name) is not None:
        return BOTH
    if table.only_columns or states[QUARANTINE_TABLES] != "applied":
        raise HeldError(
            f"{table.label} is neither archived nor in quarantine: the application itself deletes its rows",
            hint="delete them there; what comes into the archive later is without them",
        )
    return QUARANTINE


def _said(here: Site, sought: Sought, ties: dict[Tie, int]) -> str:
    """Say of each foreign key how many rows of which table it holds, and what it does."""
    labels = {table.place: table.label for table in here.plan.archive(sought.step).tables}
    return ", ".join(
        f"{rows} of {labels.get(tie.table, '.'.join(tie.table))} by {tie.constraint} ({tie.action})"
        for tie, rows in ties.items()
    )


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


def _keys(
    here: Site, table: TablePlan, names: tuple[str, ...], values: Sequence[str]
) -> tuple[Key, ...]:
    """Read the values as the columns' types do: nobody writes `07` where the files have `7`, and misses the row."""
    keys = _parted(values) if len(names) > 1 else [(value,) for value in values]
    if any(len(key) != len(names) for key in keys):
        raise UsageError(f"a key of {table.label} is {','.join(names)}")
    with here.database.told(), here.database.transaction():
        erasing = erasing_of(here, table, "UTF8")
        written = [
            erasing.as_written(name, values)
            for name, values in zip(names, zip(*keys, strict=True), strict=True)
        ]
    return tuple(zip(*written, strict=True))


def _parted(values: Sequence[str]) -> list[Key]:
    return [tuple(next(csv.reader([value]))) for value in values]
