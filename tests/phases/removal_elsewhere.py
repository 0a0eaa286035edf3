"""A removal on MariaDB, as its tests drive it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from psycopg import errors

from migrator.core.errors import DependencyError
from migrator.core.mariadb import Places, places_of
from migrator.legacy.mariadb.connection import MariaDbConnection
from tests.parts.any_database import run_sql
from tests.phases.removal import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.parts.mariadb import MariaDbServer

ACKNOWLEDGED = ("stages", "scream_window", "code_first")
# What MariaDB's catalog and values have to offer, beside the tables of Devise.
ODD = (
    """CREATE TABLE `odd "logins` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `user_id` bigint(20) NOT NULL,
  `parent` int(10) unsigned DEFAULT NULL,
  `100% of it` double DEFAULT NULL,
  `nearly` float DEFAULT 0.1,
  `price` decimal(20,6) NOT NULL DEFAULT 0.000001,
  `seal` varbinary(40) DEFAULT NULL,
  `blob` blob DEFAULT NULL,
  `name` varchar(40) CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT 'it''s \\\\ one',
  `kind` enum('a','b\\\\','c''d') NOT NULL DEFAULT 'a',
  `flags` set('x','y') DEFAULT NULL,
  `doc` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`doc`)),
  `at` timestamp(3) NOT NULL DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),
  `day` date DEFAULT NULL,
  `twice` bigint(20) GENERATED ALWAYS AS (length(`seal`)) STORED,
  `reset_token` varchar(64) NOT NULL COMMENT 'a secret; next: -- unit',
  PRIMARY KEY (`id`),
  UNIQUE KEY `tokens` (`reset_token`),
  KEY `by_user` (`user_id`),
  KEY `by_parent` (`parent`),
  CONSTRAINT `odd "user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT `odd_parent` FOREIGN KEY (`parent`) REFERENCES `odd "logins` (`id`) ON DELETE SET NULL,
  CONSTRAINT `dear` CHECK (`price` >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='odd; \\\\ ''one'''""",
    """INSERT INTO `odd "logins` (id, user_id, parent, `100%% of it`, nearly, price, seal, `blob`, name, kind, flags, doc, at, day, reset_token)
SELECT 7 * row_number() OVER (ORDER BY id), id, NULL, 1e300 / id, 1 / 3, 1 / 3, x'00ff0a09', IF(id % 2, NULL, x'5c4e'), 'Zürich\t\\\\N',
       IF(id % 2, 'b\\\\', 'c''d'), 'x,y', '{"a": "\\\\n"}', '2024-03-31 02:30:00.123', '0000-00-00', CONCAT('t', id)
FROM users ORDER BY id LIMIT 40""",
    'UPDATE `odd "logins` SET parent = 7 WHERE id = 14',
    'DELETE FROM `odd "logins` WHERE id = 280',
)
ODD_TABLE = 'odd "logins'
TABLES = ("identities", ODD_TABLE)
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Shop:
    """One operator's removal from a MariaDB."""

    site: Site
    server: MariaDbServer
    database: str

    @property
    def places(self) -> Places:
        """Where the removal keeps things."""
        return places_of(self.database)

    def sql(self, query: str, *values: object) -> Rows:
        """Run a statement of the application, which changes rows of other tables too as its keys say."""
        return run_sql(self.site.dsn.split("?")[0], query, *values)[0]

    def state(
        self, *, tables: tuple[str, ...] = TABLES, users: bool = True
    ) -> dict[str, tuple[str, str]]:
        """Each table's CREATE TABLE, and a hash over all its rows in order."""
        with self.server.connect(self.database) as connection, connection.cursor() as cursor:
            found = {}
            for table in (*tables, *(["users"] if users else [])):
                name = "`" + table + "`"
                cursor.execute(f"SHOW CREATE TABLE {name}")
                made = cursor.fetchone()
                cursor.execute(f"SELECT * FROM {name} ORDER BY id")
                found[table] = (made[1], sha256(repr(cursor.fetchall()).encode()).hexdigest())
            return found

    def left(self) -> list[str]:
        """What of the removal's own databases and triggers there is."""
        query = "SELECT schema_name FROM information_schema.schemata WHERE schema_name IN (%s, %s, %s, %s)"
        return [name for (name,) in self.sql(query, *self.places.all)]

    def by_hand(self, file: str, *, lease: bool = True) -> str:
        """Run a file of the plan with the client, and give what that said; '' when nothing was refused."""
        text = (self.site.root / ".migrator" / "remove" / file).read_text(encoding="utf-8")
        take = f"CALL `{self.places.guard}`.lease_by_hand();\n" if lease else ""
        ran = subprocess.run(
            [
                "mariadb",
                "--no-defaults",
                "-h127.0.0.1",
                f"-P{self.server.port}",
                "-uapp",
                self.database,
            ],
            input=take + text,
            env={"MYSQL_PWD": self.server.password, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode == 0) == (not ran.stderr)
        return ran.stderr


def make_shop(
    folder: Path, server: MariaDbServer, dsn: str, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> Shop:
    """Set a removal of Devise's identities and of an odd table up."""
    given = {
        "tables": TABLES,
        "columns": (),
        "acknowledged": ACKNOWLEDGED,
        **options,
    }
    shop = Shop(make_site(folder, dsn, monkeypatch, **given), server, dsn.rpartition("/")[2])
    with server.connect(shop.database) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'STRICT_ALL_TABLES'")
        for statement in ODD:
            cursor.execute(statement.replace("%%", "%"))
    return shop


def until_done(command: Callable[[], object]) -> None:
    """Give a command again for as long as its connection breaks."""
    last = None
    for _ in range(200):
        try:
            command()
        except DependencyError as error:
            last = error
            continue
        return
    raise AssertionError(f"it never ended: {last}")


class Cut:
    """Breaks the connection at each statement: once when all but the record of it is done, once when it is done.

    Args:
        monkeypatch: For as long as this lives.
        breaking: What ends the connection, instead of its own end.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, breaking: Callable[[], object] | None = None
    ) -> None:
        self.cuts = 0
        self._breaking = breaking
        self._seen: dict[str, int] = {}
        self._send = MariaDbConnection.send
        cut = self

        def send(connection: MariaDbConnection, statement: str) -> None:
            cut.send(connection, statement)

        monkeypatch.setattr(MariaDbConnection, "send", send)

    def send(self, connection: MariaDbConnection, statement: str) -> None:
        """Run a statement, or break off."""
        if statement.startswith("CREATE OR REPLACE"):
            # One of many routines: there is no plan before the last statement.
            self._send(connection, statement)
            return
        times = self._seen.get(statement, 0)
        self._seen[statement] = times + 1
        if times == 0:
            head, record, _ = statement.rpartition("    CALL ")
            is_part = (
                record and statement.startswith("BEGIN NOT ATOMIC") and ".leave(" in statement
            )
            # A transaction of its own takes what was done with it.
            atomic = "START TRANSACTION" in statement
            if is_part:
                self._send(connection, head + ("ROLLBACK; " if atomic else "") + "END")
            self._break(connection)
        self._send(connection, statement)
        if times == 1:
            self._break(connection)

    def _break(self, connection: MariaDbConnection) -> None:
        self.cuts += 1
        if self._breaking:
            self._breaking()
        elif not connection.closed:
            connection._raw.close()
        raise errors.OperationalError("cut")
