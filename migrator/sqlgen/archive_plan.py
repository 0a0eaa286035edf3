"""What an archive step takes out of the database, and how its tables are made anew elsewhere."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from migrator.archive.manifest import ArchivedColumn, Excluded, Part, Rebuild, rebuild_of
from migrator.sqlgen import naming, steps
from migrator.sqlgen.secret_columns import blank

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrator.core.catalog import Constraint, Table
    from migrator.sqlgen.removal import Removal

_WHY = "its values are secrets"
MACROS = (
    *("create", "complete", "keys"),
    *("trigger", "policy", "row_security", "replica_identity", "owner", "rights"),
)


@dataclass(frozen=True)
class TablePlan:
    """One table of an archive.

    Attributes:
        schema: Its own, where it comes back.
        place: Schema and name while it is archived.
        columns: Those whose values are kept; the primary key first where only columns go.
        sources: The columns' names while they are archived.
        key: The primary key's columns, none without one.
        sequences: Schema, name, and the schema while it is archived.
        only_columns: The table itself stays.
        blanks: Where it stays, the columns that go by their names while they are archived, and SQL for what stands in
            them once a row is erased.
    """

    schema: str
    name: str
    place: tuple[str, str]
    columns: tuple[ArchivedColumn, ...]
    sources: tuple[str, ...]
    key: tuple[str, ...]
    excluded: tuple[Excluded, ...]
    sequences: tuple[tuple[str, str, str], ...]
    rebuild: Rebuild
    only_columns: bool
    blanks: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """Schema and name, as in migrator.toml."""
        return f"{self.schema}.{self.name}"

    @property
    def names(self) -> tuple[str, ...]:
        """The kept columns' own names."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class ArchivePlan:
    """One archive, made by one step."""

    step: str
    tables: tuple[TablePlan, ...]


def path_of(step: str) -> str:
    """Give the plan's file that describes the archive of a step."""
    return f"archive/{step}.json"


def archive_files(removal: Removal, macros: Mapping[str, Callable[..., str]]) -> dict[str, str]:
    """Give the file of each archive by its path.

    Args:
        removal: What goes.
        macros: Those of `MACROS`, which give SQL.
    """
    plans = []
    if removal.tables:
        tables = tuple(_whole(removal, table, macros) for table in removal.tables)
        plans.append(ArchivePlan(steps.ARCHIVE_TABLES, tables))
    if removal.columns:
        plans.append(ArchivePlan(steps.ARCHIVE_COLUMNS, (_columns(removal, macros),)))
    return {path: text for plan in plans for path, text in file_of(plan).items()}


def file_of(plan: ArchivePlan) -> dict[str, str]:
    """Give an archive's file by its path."""
    return {path_of(plan.step): json.dumps(asdict(plan), indent=1, ensure_ascii=False) + "\n"}


def parse_archive_plan(text: str) -> ArchivePlan:
    """Read such a file back."""
    data = json.loads(text)
    return ArchivePlan(data["step"], tuple(_parsed(table) for table in data["tables"]))


def _parsed(data: dict[str, Any]) -> TablePlan:
    return TablePlan(
        **{
            **data,
            "place": tuple(data["place"]),
            "columns": tuple(ArchivedColumn(**column) for column in data["columns"]),
            "sources": tuple(data["sources"]),
            "key": tuple(data["key"]),
            "excluded": tuple(Excluded(**column) for column in data["excluded"]),
            "sequences": tuple(tuple(sequence) for sequence in data["sequences"]),
            "rebuild": rebuild_of(data["rebuild"]),
            "blanks": tuple(tuple(pair) for pair in data["blanks"]),
        }
    )


def _whole(removal: Removal, table: Table, macros: Mapping[str, Callable[..., str]]) -> TablePlan:
    kept = [c for c in table.columns if c.name in removal.kept(table)]
    together: set[tuple[str, ...]] = {(t.schema, t.name) for t in removal.tables}
    return TablePlan(
        schema=table.schema,
        name=table.name,
        place=(naming.QUARANTINE, table.name),
        columns=tuple(ArchivedColumn(c.name, c.type, c.collation) for c in kept),
        sources=tuple(column.name for column in kept),
        key=table.key,
        excluded=excluded(removal, table),
        sequences=tuple((table.schema, s.name, naming.QUARANTINE) for s in table.sequences),
        rebuild=_rebuild(removal, table, together, macros),
        only_columns=False,
        blanks=(),
    )


def _columns(removal: Removal, macros: Mapping[str, Callable[..., str]]) -> TablePlan:
    users, gone = removal.users, {*removal.users.key, *removal.names}
    part = replace(
        users,
        columns=tuple(c for c in users.columns if c.name in gone),
        constraints=tuple(k for k in users.constraints if gone.issuperset(k.columns)),
        indexes=tuple(i for i in users.indexes if gone.issuperset(i.columns)),
        sequences=tuple(s for s in users.sequences if s.column in gone),
    )
    by_name = {column.name: column for column in users.columns}
    names = (*users.key, *removal.kept(users))
    return TablePlan(
        schema=users.schema,
        name=users.name,
        place=(users.schema, users.name),
        columns=tuple(ArchivedColumn(n, by_name[n].type, by_name[n].collation) for n in names),
        sources=(*users.key, *map(naming.quarantined, removal.kept(users))),
        key=users.key,
        excluded=excluded(removal, users),
        sequences=tuple((users.schema, s.name, users.schema) for s in part.sequences),
        rebuild=_rebuild(removal, part, {(users.schema, users.name)}, macros),
        only_columns=True,
        blanks=tuple((naming.quarantined(c.name), blank(c)) for c in removal.columns),
    )


def excluded(removal: Removal, table: Table) -> tuple[Excluded, ...]:
    """Give the columns of a table whose values are not kept."""
    return tuple(Excluded(o.column, _WHY, o.instead) for o in removal.omitted(table))


def _rebuild(
    removal: Removal,
    table: Table,
    together: set[tuple[str, ...]],
    macros: Mapping[str, Callable[..., str]],
) -> Rebuild:
    names = {column.name for column in table.columns}
    is_part = _place(table) == _place(removal.users)
    whole = removal.users if is_part else table
    omitted = [omission for omission in removal.omitted(whole) if omission.column in names]
    keys = [k for k in table.constraints if k.kind == "f" and k.target in together]
    types = [kind for kind in table.types if names.intersection(kind.columns)]
    bare = replace(
        table,
        grants=(),
        columns=tuple(replace(column, grants=()) for column in table.columns),
    )
    return Rebuild(
        create=macros["create"](bare, omitted),
        complete=macros["complete"](bare, omitted),
        keys=macros["keys"](bare, keys),
        left_out=(
            *_left_out(table, keys),
            *(f"{table.label}: trigger {t.name}" for t in table.triggers if is_part),
            *(f"{table.label}: type {kind.name}: owner, grants and comment" for kind in types),
        ),
        types=tuple(Part(kind.name, kind.definition) for kind in types),
        # A trigger of the whole would run into columns that a part does not have.
        extras=_extras(replace(table, triggers=()) if is_part else table, macros),
    )


def _extras(table: Table, macros: Mapping[str, Callable[..., str]]) -> tuple[Part, ...]:
    """Give what a table has and only some databases can have: functions, roles."""
    parts = [(f"trigger {t.name}", macros["trigger"](table, t)) for t in table.triggers]
    parts += [(f"policy {p.name}", macros["policy"](table, p)) for p in table.policies]
    parts += [
        ("row level security", macros["row_security"](table)),
        ("replica identity", macros["replica_identity"](table)),
        (f"owner {table.owner}", macros["owner"](table)),
    ]
    parts += [
        (f"grants to {grantee or 'PUBLIC'}", macros["rights"](table, grantee))
        for grantee in _grantees(table)
    ]
    return tuple(Part(f"{table.label}: {what}", sql.strip()) for what, sql in parts if sql.strip())


def _grantees(table: Table) -> list[str]:
    lists = [
        table.grants,
        *(column.grants for column in table.columns),
        *(sequence.grants for sequence in table.sequences),
    ]
    return list(dict.fromkeys(grant.grantee for grants in lists for grant in grants))


def _place(table: Table) -> tuple[str, str]:
    return table.schema, table.name


def _left_out(table: Table, keys: list[Constraint]) -> list[str]:
    label = table.label
    found = [
        f"{label}: foreign key {k.name} to {'.'.join(k.target)}"
        for k in table.constraints
        if k.kind == "f" and k not in keys
    ]
    found += [f"{label}: foreign key {k.name} of {k.schema}.{k.table}" for k in table.inbound]
    found += [f"{label}: publications: {part.name}" for part in table.publications]
    if table.schema != "public":
        found.append(f"{label}: schema {table.schema}: owner, grants and comment")
    return found
