"""What the archive of a removal on MariaDB takes out of the database, and how its tables are made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.archive.manifest import ArchivedColumn, Rebuild
from migrator.core.mariadb import places_of
from migrator.sqlgen import steps
from migrator.sqlgen.archive_plan import ArchivePlan, TablePlan, excluded, file_of

if TYPE_CHECKING:
    from migrator.core.catalog import Table
    from migrator.sqlgen.removal import Removal


def archive_file(removal: Removal) -> dict[str, str]:
    """Give the file that describes the archive, by its path."""
    tables = tuple(_table(removal, table) for table in removal.tables)
    return file_of(ArchivePlan(steps.ARCHIVE_TABLES, tables))


def _table(removal: Removal, table: Table) -> TablePlan:
    kept = [c for c in table.columns if c.name in removal.kept(table)]
    keys = [key for key in table.constraints if key.kind == "f"]
    return TablePlan(
        schema=table.schema,
        name=table.name,
        place=(places_of(removal.database).quarantine, table.name),
        columns=tuple(ArchivedColumn(c.name, c.type, c.collation) for c in kept),
        sources=tuple(column.name for column in kept),
        key=table.key,
        excluded=excluded(removal, table),
        sequences=(),
        rebuild=Rebuild(
            create=table.definition,
            complete="",
            keys="",
            left_out=tuple(
                f"{table.label}: foreign key {k.name} to {'.'.join(k.target)}" for k in keys
            ),
        ),
        only_columns=False,
        blanks=(),
    )
