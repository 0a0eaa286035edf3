"""Writes devise_mariadb.sql and devise_sqlite.sql: the tables that Rails makes from devise_schema.rb.

Run from the project's folder, with MariaDB and Rails installed: python tests/data/make_devise_tables.py
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

DATA = Path(__file__).parent
sys.path.insert(0, str(DATA.parents[1]))

from tests.parts.devise import run_rails  # noqa: E402
from tests.parts.devise_elsewhere import MARIADB_TABLES, SQLITE_TABLES  # noqa: E402
from tests.parts.mariadb import start_mariadb  # noqa: E402

SCHEMA = (DATA / "devise_schema.rb").read_text()
# Each after those that it refers to.
TABLES = ("users", "identities", "sessions", "posts", "notifications")


def mariadb() -> list[str]:
    server = start_mariadb()
    try:
        with server.temporary_database() as dsn:
            run_rails(dsn, SCHEMA)
            with (
                server.connect(dsn.rpartition("/")[2]) as connection,
                connection.cursor() as cursor,
            ):
                made = []
                for table in TABLES:
                    cursor.execute(f"SHOW CREATE TABLE `{table}`")
                    made += [row[1] for row in cursor.fetchall()]
                return made
    finally:
        server.stop()


def sqlite() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "app.sqlite3"
        run_rails(f"sqlite3:{file}", SCHEMA)
        rows = sqlite3.connect(file).execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        return [sql for (sql,) in rows]


for path, made in ((MARIADB_TABLES, mariadb()), (SQLITE_TABLES, sqlite())):
    path.write_text("".join(f"{statement};\n" for statement in made))
