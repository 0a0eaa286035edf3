"""What PostgreSQL's catalog says about a table, complete enough to build that table again.

Definitions are the server's own words (`pg_get_constraintdef` and its sisters), read with an empty search path, so every
name in them is schema-qualified.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Grant:
    """A privilege; the empty grantee is PUBLIC."""

    grantee: str
    privilege: str
    grantable: bool


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        collation: Quoted name, empty when it is the type's own.
        default: Expression, empty without one; of a generated column, how it is computed.
        not_null_name: Name of the NOT NULL constraint (PostgreSQL 18), else empty.
        identity: `a` always, `d` by default, empty when it is no identity.
        generated: `s` stored, `v` virtual, empty when it is not generated.
        storage: PLAIN, MAIN, …; empty when it is the type's own.
        compression: pglz or lz4; empty when it is the server's default.
        statistics: Statistics target; None when it is the server's default.
    """

    name: str
    type: str
    collation: str
    default: str
    not_null: bool
    not_null_name: str
    identity: str
    generated: str
    storage: str
    compression: str
    statistics: int | None
    options: tuple[str, ...]
    comment: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class Sequence:
    """A sequence that belongs to a column: `serial` or `identity`."""

    name: str
    column: str
    kind: str
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycle: bool
    comment: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class Constraint:
    """A constraint of the table itself: `p`, `u`, `x`, `c` or `f`, as in pg_constraint.

    Attributes:
        columns: The columns it involves.
        target: For a foreign key, schema and table it points to.
        target_columns: For a foreign key, the columns it points to.
    """

    name: str
    kind: str
    definition: str
    columns: tuple[str, ...]
    validated: bool
    comment: str
    target: tuple[str, ...] = ()
    target_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class InboundKey:
    """A foreign key of another table that points here."""

    schema: str
    table: str
    oid: int
    name: str
    definition: str
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    validated: bool
    comment: str


@dataclass(frozen=True)
class Index:
    """An index.

    Attributes:
        columns: The columns it involves, in keys, expressions and predicate.
        constrained: A primary key, unique or exclusion constraint made it and carries it.
    """

    name: str
    definition: str
    constrained: bool
    columns: tuple[str, ...]
    clustered: bool
    comment: str


@dataclass(frozen=True)
class Trigger:
    """A trigger; `enabled` is `O`, `D`, `R` or `A`, as in pg_trigger."""

    name: str
    definition: str
    enabled: str
    comment: str


@dataclass(frozen=True)
class Policy:
    """A row-level security policy; an empty role is PUBLIC."""

    name: str
    permissive: bool
    command: str
    roles: tuple[str, ...]
    using: str
    check: str
    comment: str


@dataclass(frozen=True)
class Publication:
    """Membership in a publication, with its column list and row filter."""

    name: str
    columns: tuple[str, ...]
    filter: str


@dataclass(frozen=True)
class UserType:
    """An enum, a domain or a composite type of the application's own that columns are of.

    Attributes:
        columns: The columns that need it, through arrays and other types too.
    """

    name: str
    definition: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Blocker:
    """Something that could not be carried back; `column` is empty when it concerns the table."""

    column: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        rows: Exact count when the catalog was read.
        persistence: `p` or `u` (unlogged).
        replica_identity: `d`, `n`, `f` or `i` (then by `replica_index`).
        published: Publications that its rows go through, those of whole schemas and of all tables too.
        types: What its columns are of, each after those that it is made of.
        mentions: Functions whose text names the table, or the columns that are to go: they may
            break, PostgreSQL cannot tell.
        definition: The server's own CREATE TABLE without foreign keys and counter, where it gives one.
    """

    schema: str
    name: str
    oid: int
    rows: int
    owner: str
    persistence: str
    options: tuple[str, ...]
    toast_options: tuple[str, ...]
    row_security: bool
    force_row_security: bool
    replica_identity: str
    replica_index: str
    comment: str
    columns: tuple[Column, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    inbound: tuple[InboundKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    policies: tuple[Policy, ...] = ()
    publications: tuple[Publication, ...] = ()
    grants: tuple[Grant, ...] = ()
    types: tuple[UserType, ...] = ()
    published: tuple[str, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    mentions: tuple[str, ...] = ()
    definition: str = ""

    @property
    def label(self) -> str:
        """The name as written in migrator.toml."""
        return f"{self.schema}.{self.name}"

    @property
    def key(self) -> tuple[str, ...]:
        """The primary key's columns, none without one."""
        return next((c.columns for c in self.constraints if c.kind == "p"), ())


@dataclass(frozen=True)
class Catalog:
    """The tables of interest in one database.

    Attributes:
        server_version: `server_version_num`, e.g. 180001.
    """

    database: str
    server_version: int
    tables: tuple[Table, ...]

    def find(self, schema: str, name: str) -> Table | None:
        """Give a table by name."""
        here = (t for t in self.tables if (t.schema, t.name) == (schema, name))
        return next(here, None)


def as_data(value: Table) -> dict[str, Any]:
    """Give a table as plain data for a plan file."""
    data = asdict(value)
    return data if value.definition else {k: v for k, v in data.items() if k != "definition"}


def shape(table: Table, *, columns: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Give what must be the same after a table, or some columns of it, were built again.

    OIDs, counts, the order of columns and what types are made of are left out.

    Args:
        table: As it was or is.
        columns: Only these and what involves them; the whole table when empty.
    """
    data = as_data(replace(table, oid=0, rows=0, types=(), published=(), blockers=(), mentions=()))
    data["inbound"] = [{**key, "oid": 0} for key in data["inbound"]]
    data["columns"] = sorted(data["columns"], key=lambda column: str(column["name"]))
    if columns:
        return {
            "columns": [part for part in data["columns"] if part["name"] in columns],
            "constraints": _involving(data["constraints"], columns),
            "indexes": _involving(data["indexes"], columns),
        }
    return data


def _involving(parts: list[dict[str, Any]], columns: frozenset[str]) -> list[dict[str, Any]]:
    return [part for part in parts if not columns.isdisjoint(part["columns"])]
