"""Reads tables out of PostgreSQL's catalog, complete enough to build them again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row, scalar_row

from migrator.core.catalog import (
    Blocker,
    Catalog,
    Column,
    Constraint,
    Grant,
    InboundKey,
    Index,
    Policy,
    Publication,
    Sequence,
    Table,
    Trigger,
)
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

_PLAIN = {
    "constraints": Constraint,
    "indexes": Index,
    "triggers": Trigger,
    "policies": Policy,
    "publications": Publication,
    "inbound_keys": InboundKey,
}


@dataclass(frozen=True)
class Wanted:
    """A table to read; `drop_columns` are those that are to go, checked for what hangs on them."""

    schema: str
    name: str
    drop_columns: tuple[str, ...] = ()


def read_catalog(connection: Connection[Any], wanted: Iterable[Wanted]) -> Catalog:
    """Read tables as they are in one snapshot.

    Args:
        connection: Idle, not in a transaction.
        wanted: Tables; those that do not exist are absent from the result.
    """
    wanted = tuple(wanted)
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # With an empty path the server qualifies every name that it prints.
        connection.execute("SET LOCAL search_path = ''")
        server = _rows(connection, "server")[0]
        oids = _find(connection, wanted)
        return Catalog(tables=_tables(connection, oids, wanted), **server)


def existing_columns(connection: Connection[Any], schema: str, name: str) -> tuple[str, ...]:
    """Give a table's columns in order, none when there is no such table."""
    oids = _find(connection, (Wanted(schema, name),))
    return tuple(str(row["name"]) for row in _rows(connection, "columns", oids=oids))


def table_names(connection: Connection[Any], schemas: Iterable[str]) -> tuple[str, ...]:
    """Give the ordinary tables of some schemas as `schema.name`."""
    rows = _rows(connection, "table_names", schemas=list(schemas))
    return tuple(f"{row['schema']}.{row['name']}" for row in rows)


def _find(connection: Connection[Any], wanted: tuple[Wanted, ...]) -> list[int]:
    names = {"schemas": [w.schema for w in wanted], "names": [w.name for w in wanted]}
    return [row["oid"] for row in _rows(connection, "relations", **names)]


def _tables(
    connection: Connection[Any], oids: list[int], wanted: tuple[Wanted, ...]
) -> tuple[Table, ...]:
    tables = _rows(connection, "tables", oids=oids)
    sequences = _rows(connection, "sequences", oids=oids)
    grants = _grants(connection, [*oids, *(row["oid"] for row in sequences)])
    parts = {name: _by_table(connection, name, oids) for name in (*_PLAIN, "columns", "published")}
    parts["mentions"] = _mentions(connection, tables, wanted)
    blockers = _blockers(connection, tables, wanted)
    return tuple(
        _table(connection, row, parts=parts, grants=grants, sequences=sequences, blockers=blockers)
        for row in tables
    )


def _table(
    connection: Connection[Any],
    row: dict[str, Any],
    *,
    parts: dict[str, dict[int, list[dict[str, Any]]]],
    grants: dict[tuple[int, str], tuple[Grant, ...]],
    sequences: list[dict[str, Any]],
    blockers: dict[int, list[Blocker]],
) -> Table:
    oid = row["oid"]
    plain: dict[str, Any] = {
        "inbound" if name == "inbound_keys" else name: tuple(
            kind(**_frozen(part)) for part in parts[name][oid]
        )
        for name, kind in _PLAIN.items()
    }
    return Table(
        **_frozen(row),
        **plain,
        rows=_count(connection, row),
        columns=tuple(
            Column(**_frozen(part), grants=grants.get((oid, part["name"]), ()))
            for part in parts["columns"][oid]
        ),
        sequences=tuple(_sequence(part, grants) for part in sequences if part["table_oid"] == oid),
        grants=grants.get((oid, ""), ()),
        published=tuple(part["publication"] for part in parts["published"][oid]),
        blockers=tuple(blockers[oid]),
        mentions=tuple(part["function"] for part in parts["mentions"][oid]),
    )


def _sequence(row: dict[str, Any], grants: dict[tuple[int, str], tuple[Grant, ...]]) -> Sequence:
    fields = {key: value for key, value in row.items() if key not in {"oid", "table_oid"}}
    return Sequence(**fields, grants=grants.get((row["oid"], ""), ()))


def _count(connection: Connection[Any], row: dict[str, Any]) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(row["schema"], row["name"]))
    with connection.cursor(row_factory=scalar_row) as cursor:
        return int(cursor.execute(query).fetchone() or 0)


def _blockers(
    connection: Connection[Any], tables: list[dict[str, Any]], wanted: tuple[Wanted, ...]
) -> dict[int, list[Blocker]]:
    oids = [row["oid"] for row in tables]
    drops = {(w.schema, w.name): list(w.drop_columns) for w in wanted}
    found = _rows(connection, "table_blockers", oids=oids)
    found += _rows(connection, "table_dependents", oids=oids)
    for row in tables:
        columns = drops[row["schema"], row["name"]]
        found += _rows(connection, "column_blockers", oid=row["oid"], columns=columns)
    blockers = defaultdict(list)
    for row in found:
        blockers[row["table_oid"]].append(Blocker(row["column_name"], row["reason"]))
    return blockers


def _mentions(
    connection: Connection[Any], tables: list[dict[str, Any]], wanted: tuple[Wanted, ...]
) -> dict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    drops = {(w.schema, w.name): list(w.drop_columns) for w in wanted}
    for row in tables:
        oid, columns = row["oid"], drops[row["schema"], row["name"]]
        found[oid] = (
            _rows(connection, "column_mentions", oid=oid, columns=columns)
            if columns
            else _rows(connection, "mentions", oids=[oid])
        )
    return found


def _grants(
    connection: Connection[Any], oids: list[int]
) -> dict[tuple[int, str], tuple[Grant, ...]]:
    grants: dict[tuple[int, str], tuple[Grant, ...]] = defaultdict(tuple)
    for row in _rows(connection, "grants", oids=oids):
        grant = Grant(row["grantee"], row["privilege"], row["grantable"])
        grants[row["object_oid"], row["column_name"]] += (grant,)
    return grants


def _by_table(
    connection: Connection[Any], name: str, oids: list[int]
) -> dict[int, list[dict[str, Any]]]:
    grouped = defaultdict(list)
    for row in _rows(connection, name, oids=oids):
        grouped[row.pop("table_oid")].append(row)
    return grouped


def _frozen(row: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items() if k != "table_oid"}


def _rows(connection: Connection[Any], name: str, **values: object) -> list[dict[str, Any]]:
    query = load("migrator.legacy", "catalog.sql")[name].encode()
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
