"""The 600 Devise users on databases that are not PostgreSQL: tables as Rails makes them, rows as in the dump."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from migrator.legacy.copytext import parse
from tests.parts.dump import DATA, DEVISE_600, parts
from tests.parts.mariadb import MariaDbServer

MARIADB_TABLES = DATA / "devise_mariadb.sql"
SQLITE_TABLES = DATA / "devise_sqlite.sql"
TABLES = ("users", "identities", "sessions")
Values = tuple[str | int | None, ...]
_FLAGS = frozenset({"otp_required_for_login"})
# A time without an end, which MariaDB does not have.
_LAST_TIME = "9999-12-31 23:59:59.999999"


def load_mariadb(server: MariaDbServer, database: str) -> None:
    """Fill an empty database."""
    with server.connect(database) as connection, connection.cursor() as cursor:
        for statement in ("SET foreign_key_checks = 0", *statements(MARIADB_TABLES)):
            cursor.execute(statement)
        for table, columns, rows in content():
            names = ", ".join(f"`{column}`" for column in columns)
            places = ", ".join(["%s"] * len(columns))
            finite = [tuple(_LAST_TIME if v == "infinity" else v for v in row) for row in rows]
            cursor.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({places})", finite)


def load_sqlite(path: Path) -> None:
    """Make a file."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements(SQLITE_TABLES):
            connection.execute(statement)
        for table, columns, rows in content():
            places = ", ".join("?" * len(columns))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows
            )
        connection.commit()


def content() -> Iterator[tuple[str, tuple[str, ...], list[Values]]]:
    """Give table, columns and rows, flags as Rails writes them outside of PostgreSQL."""
    for statement, rows in parts(DEVISE_600.read_text(encoding="utf-8")):
        name = statement.removeprefix("COPY public.").partition(" ")[0]
        if rows is None or name not in TABLES:
            continue
        columns = tuple(statement.partition("(")[2].partition(")")[0].split(", "))
        lines = rows.split("\n")[:-1]
        yield name, columns, [_values(columns, row) for row in parse(lines)]


def _values(columns: tuple[str, ...], row: list[str | None]) -> Values:
    pairs = zip(columns, row, strict=True)
    return tuple(int(v == "t") if v and c in _FLAGS else v for c, v in pairs)


def statements(path: Path) -> list[str]:
    """Give the statements of a file, each ended by a semicolon at the end of a line."""
    return [text for text in path.read_text(encoding="utf-8").split(";\n") if text.strip()]
