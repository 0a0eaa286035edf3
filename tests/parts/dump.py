"""Loads a plain pg_dump without psql: the COPY blocks go through psycopg's COPY."""

from collections.abc import Iterator
from pathlib import Path

import psycopg

DATA = Path(__file__).parent.parent / "data"
DEVISE_600 = DATA / "devise_600.sql"
LARAVEL = DATA / "laravel.sql"

Part = tuple[str, str | None]


def load_dump(dsn: str, path: Path = DEVISE_600) -> None:
    """Run a plain dump against an empty database, in one transaction."""
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for statement, rows in parts(path.read_text(encoding="utf-8")):
            if rows is None:
                cursor.execute(statement.encode())
                continue
            with cursor.copy(statement.encode()) as copy:
                copy.write(rows)


def parts(dump: str) -> Iterator[Part]:
    """Cut a dump into SQL (with None) and COPY statements (with their rows)."""
    lines = iter(dump.splitlines(keepends=True))
    pending: list[str] = []
    for line in lines:
        if line.startswith("COPY ") and line.rstrip().endswith("FROM stdin;"):
            yield "".join(pending), None
            pending = []
            yield line.rstrip(";\n"), "".join(_rows(lines))
        elif not line.startswith("\\"):
            pending.append(line)
    yield "".join(pending), None


def _rows(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.rstrip("\n") == "\\.":
            return
        yield line
