"""What the archive of a removal on MariaDB takes out of the database, and how its tables are made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.archive.manifest import ArchivedColumn, Part, Rebuild
from migrator.core.mariadb import places_of
from migrator.sqlgen import steps
from migrator.sqlgen.archive_plan import ArchivePlan, TablePlan, excluded, file_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.core.catalog import Table
    from migrator.sqlgen.removal import Removal


def archive_file(removal: Removal, macros: Mapping[str, Callable[..., str]]) -> dict[str, str]:
    """Give the file that describes the archive, by its path.

    Args:
        removal: What goes.
        macros: `create`, `complete` and `key`, which give SQL.
    """
    tables = tuple(_table(removal, table, macros) for table in removal.tables)
    return file_of(ArchivePlan(steps.ARCHIVE_TABLES, tables))


def _table(removal: Removal, table: Table, macros: Mapping[str, Callable[..., str]]) -> TablePlan:
    kept = [c for c in table.columns if c.name in removal.kept(table)]
    quarantine = places_of(removal.database).quarantine
    return TablePlan(
        schema=table.schema,
        name=table.name,
        place=(quarantine, table.name),
        columns=tuple(ArchivedColumn(c.name, c.type, c.collation) for c in kept),
        sources=tuple(column.name for column in kept),
        key=table.key,
        excluded=excluded(removal, table),
        # AUTO_INCREMENT, under the name of its table.
        sequences=tuple(
            (table.schema, table.name, quarantine) for c in table.columns if c.identity
        ),
        rebuild=_rebuild(removal, table, macros),
        only_columns=False,
        blanks=(),
    )


def _rebuild(removal: Removal, table: Table, macros: Mapping[str, Callable[..., str]]) -> Rebuild:
    together = {(t.schema, t.name) for t in removal.tables}
    keys = [key for key in table.constraints if key.kind == "f"]
    omitted = removal.omitted(table)
    return Rebuild(
        create=macros["create"](table, omitted),
        complete=macros["complete"](table, omitted),
        keys="",
        left_out=tuple(
            f"{table.label}: foreign key {k.name} to {'.'.join(k.target)}"
            for k in keys
            if k.target not in together
        ),
        # Not where rows that it points to were erased.
        extras=tuple(
            Part(f"{table.label}: foreign key {k.name}", macros["key"](table, k))
            for k in keys
            if k.target in together
        ),
    )
