"""Reads the catalog of rich.sql from a server: `python -m tests.sqlgen.reading` keeps it anew."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psycopg
from pydantic import TypeAdapter

from migrator.core.catalog import Catalog
from migrator.core.sql import ident
from migrator.legacy.catalog import Wanted, read_catalog
from tests.parts.postgres import embedded_binaries, start_postgres
from tests.sqlgen.catalog import COLUMNS, KEPT, ROLE, TABLES, USERS, rich_sql

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_rich(dsn: str, role: str) -> Catalog:
    """Read the catalog of a database that rich.sql was run in, with names and OIDs that stay the same."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        wanted = [*(Wanted(*name) for name in TABLES), Wanted(*USERS, COLUMNS)]
        catalog = read_catalog(connection, wanted)
    data = json.loads(json.dumps({**asdict(catalog), "database": "shop"}).replace(role, ROLE))
    found = list(_with_oids(data))
    by_oid = {oid: 1000 + place for place, oid in enumerate(sorted({p["oid"] for p in found}))}
    for part in found:
        part["oid"] = by_oid[part["oid"]]
    return TypeAdapter(Catalog).validate_python(data)


def _with_oids(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for table in data["tables"]:
        yield from (table, *table["inbound"])


def main() -> None:
    """Start a server, run rich.sql, write the catalog."""
    server = start_postgres(embedded_binaries())
    try:
        with server.temporary_database() as dsn:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {ident(ROLE)}".encode())
                connection.execute(rich_sql(ROLE).encode())
            found = asdict(read_rich(dsn, ROLE))
    finally:
        server.stop()
    KEPT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
