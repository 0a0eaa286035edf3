"""Reads tables out of MariaDB's catalog, complete enough to build them again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from migrator.core.access import Bystander
from migrator.core.catalog import (
    Blocker,
    Catalog,
    Column,
    Constraint,
    InboundKey,
    Index,
    Table,
    Trigger,
)
from migrator.core.queries import load
from migrator.core.sql import ident
from migrator.legacy.connect import compose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrator.legacy.mariadb.connection import MariaDbConnection as Connection

_NAME = r'"((?:[^"]|"")+)"'
_KEY = re.compile(rf"^  CONSTRAINT {_NAME} (FOREIGN KEY .*?),?$\n", re.MULTILINE)
_PARTS = re.compile(
    rf"FOREIGN KEY \((.*?)\) REFERENCES ((?:{_NAME}\.)?{_NAME}) \((.*?)\)(.*)", re.DOTALL
)
_COUNTER = re.compile(r"(\n\) ENGINE=\w+) AUTO_INCREMENT=\d+")


def read_catalog(connection: Connection, wanted: Iterable[tuple[str, str]]) -> Catalog:
    """Read tables, one after the other: MariaDB gives no snapshot of its catalog.

    Args:
        connection: Idle, not in a transaction.
        wanted: Database and name of each; those that do not exist are absent from the result.
    """
    server = rows(connection, "server")[0]
    tables = (_table(connection, schema, name) for schema, name in wanted)
    return Catalog(
        server["database"],
        _number_of(server["version"]),
        tuple(table for table in tables if table is not None),
    )


def table_names(connection: Connection, schema: str) -> tuple[str, ...]:
    """Give the tables of a database."""
    return tuple(row["name"] for row in rows(connection, "names", schema=schema))


def read_bystanders(connection: Connection) -> tuple[Bystander, ...]:
    """Read what else touches the server."""
    return tuple(Bystander(**row) for row in rows(connection, "bystanders"))


def rows(connection: Connection, query: str, /, **values: object) -> list[dict[str, Any]]:
    """Run a query of the catalog."""
    return connection.rows(load("migrator.legacy.mariadb_removal", "catalog.sql")[query], values)


def _number_of(version: str) -> int:
    major, minor, patch = re.findall(r"\d+", version)[:3]
    return int(major) * 10_000 + int(minor) * 100 + int(patch)


def _table(connection: Connection, schema: str, name: str) -> Table | None:
    place = {"schema": schema, "name": name}
    facts = rows(connection, "table", **place)
    if not facts:
        return None
    if facts[0]["kind"] != "BASE TABLE":
        return _bare(schema, name, f"it is no ordinary table ({facts[0]['kind']})")
    number = rows(connection, "table_id", **place)
    text = _named(connection, "definition", schema, name)["Create Table"]
    indexes = rows(connection, "indexes", **place)
    return Table(
        **_nothing(schema, name),
        oid=number[0]["table_id"] if number else 0,
        rows=_named(connection, "count", schema, name)["found"],
        comment=facts[0]["comment"],
        columns=tuple(_column(row) for row in rows(connection, "columns", **place)),
        constraints=(*_primary(indexes), *_keys(schema, text)),
        inbound=tuple(_inbound(row) for row in rows(connection, "inbound", **place)),
        indexes=tuple(_index(row) for row in indexes),
        triggers=tuple(
            Trigger(row["name"], row["definition"], "O", "")
            for row in rows(connection, "triggers", **place)
        ),
        blockers=tuple(
            Blocker("", why) for why in _obstacles(connection, facts[0], number, place)
        ),
        mentions=tuple(row["name"] for row in rows(connection, "mentions", **place)),
        definition=without_keys(text),
    )


def without_keys(text: str) -> str:
    """Give a CREATE TABLE without its foreign keys and without where its counter stands."""
    bare = _KEY.sub("", text)
    return _COUNTER.sub(r"\1", re.sub(r",\n\)", "\n)", bare, count=1), count=1)


def _nothing(schema: str, name: str) -> dict[str, Any]:
    """Give what PostgreSQL's tables have and MariaDB's do not."""
    return {
        "schema": schema,
        "name": name,
        "owner": "",
        "persistence": "p",
        "options": (),
        "toast_options": (),
        "row_security": False,
        "force_row_security": False,
        "replica_identity": "",
        "replica_index": "",
    }


def _bare(schema: str, name: str, why: str) -> Table:
    return Table(**_nothing(schema, name), oid=0, rows=0, comment="", blockers=(Blocker("", why),))


def _obstacles(
    connection: Connection,
    facts: dict[str, Any],
    number: list[dict[str, Any]],
    place: dict[str, str],
) -> list[str]:
    found = [
        f"view {row['name']} reads it and would break"
        for row in rows(connection, "views", **place)
    ]
    if facts["engine"] != "InnoDB":
        found.append(f"its engine is {facts['engine']}, not InnoDB")
    elif "partitioned" in (facts["options"] or ""):
        found.append("it is partitioned")
    elif not number:
        found.append("InnoDB does not tell its number: GRANT PROCESS to the account of legacy.dsn")
    if not rows(connection, "may_trigger")[0]["found"]:
        found.append(
            "the server writes a binary log and lets the account of legacy.dsn make no triggers: "
            "GRANT SUPER, or log_bin_trust_function_creators = 1"
        )
    return found


def _column(row: dict[str, Any]) -> Column:
    return Column(
        **{**row, "not_null": bool(row["not_null"])},
        not_null_name="",
        storage="",
        compression="",
        statistics=None,
        options=(),
    )


def _primary(indexes: list[dict[str, Any]]) -> list[Constraint]:
    return [
        Constraint("PRIMARY", "p", "", _columns(row), validated=True, comment="")
        for row in indexes
        if row["name"] == "PRIMARY"
    ]


def _index(row: dict[str, Any]) -> Index:
    columns = _columns(row)
    unique = "UNIQUE " if row["is_unique"] else ""
    definition = f"CREATE {unique}INDEX {ident(row['name'])} ({', '.join(map(ident, columns))})"
    return Index(
        row["name"], definition, row["name"] == "PRIMARY", columns, clustered=False, comment=""
    )


def _columns(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row["columns"]).split("\0"))


def _keys(schema: str, text: str) -> list[Constraint]:
    return [_key(schema, *found) for found in _KEY.findall(text)]


def _key(schema: str, name: str, definition: str) -> Constraint:
    parts = _PARTS.fullmatch(definition)
    assert parts is not None  # noqa: S101  the server's own words
    columns, _, there, target, targets, rules = parts.groups()
    place = (_plain(there) if there else schema, _plain(target))
    return Constraint(
        name=_plain(name),
        kind="f",
        definition=f"FOREIGN KEY ({columns}) REFERENCES {ident(*place)} ({targets}){rules}",
        columns=_listed(columns),
        validated=True,
        comment="",
        target=place,
        target_columns=_listed(targets),
    )


def _listed(names: str) -> tuple[str, ...]:
    return tuple(_plain(name) for name in re.findall(_NAME, names))


def _plain(name: str) -> str:
    return name.replace('""', '"')


def _inbound(row: dict[str, Any]) -> InboundKey:
    return InboundKey(
        **row, oid=0, definition="", columns=(), target_columns=(), validated=True, comment=""
    )


def _named(connection: Connection, query: str, schema: str, name: str) -> dict[str, Any]:
    text = load("migrator.legacy.mariadb_removal", "catalog.sql")[query]
    return connection.rows(compose(text, table=ident(schema, name)), {})[0]
