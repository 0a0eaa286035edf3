"""A real MariaDB server for the tests, from Debian's binaries. Knows nothing of pytest.

It listens on 127.0.0.1 at a free port, keeps its data in a temporary folder, which `stop` removes, and runs in a time
zone with summer time, so that nothing can rely on the server's own time being UTC.
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pymysql

from tests.parts.postgres import end_with_parent, free_port
from tests.setup.paths import PARTS_BIN
from tests.setup.unpack import TREE

START_TIMEOUT_SECONDS = 60
TIME_ZONE = "America/New_York"
SETTINGS = {
    "bind-address": "127.0.0.1",
    "skip-name-resolve": "ON",
    "innodb-buffer-pool-size": "32M",
    "innodb-log-file-size": "16M",
    "character-set-server": "utf8mb4",
}
Connection: TypeAlias = "pymysql.Connection[Any]"


def programs() -> tuple[str, str]:
    """The server and the program that makes its first tables.

    Raises:
        FileNotFoundError: one is not installed.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    found = [shutil.which(name, path=path) for name in ("mariadbd", "mariadb-install-db")]
    if found[0] is None or found[1] is None:
        raise FileNotFoundError("no mariadbd and mariadb-install-db")
    return found[0], found[1]


@dataclass
class MariaDbServer:
    """A running server of one process, which may be killed and take up its data again."""

    command: list[str]
    directory: Path
    port: int
    password: str
    _is_durable: bool = False

    def __post_init__(self) -> None:
        """Start it."""
        self.process = self._started()

    def crash(self) -> None:
        """Kill the server, and wait until a new one has recovered what that left."""
        self.process.kill()
        self.process.wait()
        self.process = self._started()
        self.wait_until_ready()

    @contextmanager
    def durable(self) -> Iterator[None]:
        """Let it keep what it commits, through crashes; otherwise speed comes first, since nothing outlives a test run."""
        self._be_durable(True)
        try:
            yield
        finally:
            self._be_durable(False)

    def _be_durable(self, wanted: bool) -> None:
        self._is_durable = wanted
        self.run(f"SET GLOBAL innodb_flush_log_at_trx_commit = {int(wanted)}")

    def dsn(self, database: str) -> str:
        """The address of a database, as Rails' mysql2 reads it too."""
        return f"mysql2://app:{self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> Connection:
        """A connection of the application, in autocommit."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="app",
            password=self.password,
            database=database,
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
        )

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements one after the other."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def end_connections(self, database: str) -> None:
        """End every connection to a database, as a failover does."""
        with self.connect() as connection, connection.cursor() as cursor:
            query = "SELECT id FROM information_schema.processlist WHERE db = %s"
            cursor.execute(query, (database,))
            for (each,) in cursor.fetchall():
                cursor.execute(f"KILL {each}")

    @contextmanager
    def temporary_database(self, *, template: str = "") -> Iterator[str]:
        """A database with a name of its own, a copy of `template`, dropped at the end; yields its DSN."""
        name = f"t_{secrets.token_hex(6)}"
        self.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        try:
            if template:
                self._copy(template, name)
            yield self.dsn(name)
        finally:
            self.run(f"DROP DATABASE `{name}`")

    def _copy(self, template: str, name: str) -> None:
        with self.connect(template) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            tables = [table for (table,) in cursor.fetchall()]
            cursor.execute("SET foreign_key_checks = 0")
            for table in tables:
                cursor.execute(f"SHOW CREATE TABLE `{table}`")
                made = cursor.fetchone()
                assert made is not None
                cursor.execute(f"USE `{name}`")
                cursor.execute(made[1])
                cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{template}`.`{table}`")
                cursor.execute(f"USE `{template}`")

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it ended instead; the message holds the end of its log.
        """
        deadline_s = time.monotonic() + START_TIMEOUT_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline_s:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self.directory / "log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"MariaDB did not start: {log}")

    def _started(self) -> "subprocess.Popen[bytes]":
        durability = f"--innodb-flush-log-at-trx-commit={int(self._is_durable)}"
        with (self.directory / "log").open("ab") as log:
            return subprocess.Popen(
                [*self.command, durability],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={**os.environ, "TZ": TIME_ZONE},
                # Even a killed test run must not leave a server behind.
                preexec_fn=partial(end_with_parent, signal.SIGKILL),  # noqa: PLW1509
            )

    def stop(self) -> None:
        """Stop the server and remove its data, which nobody needs any more; twice does no harm."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_mariadb(**settings: str) -> MariaDbServer:
    """Start a server with a new, empty data folder and wait until it answers; `settings` with underscores.

    Raises:
        RuntimeError: it did not start; the message holds the end of the server's log.
    """
    directory = Path(tempfile.mkdtemp(prefix="migrator-mariadb-"))
    try:
        named = {name.replace("_", "-"): value for name, value in settings.items()}
        return _launch(directory, secrets.token_hex(12), {**SETTINGS, **named})
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _launch(directory: Path, password: str, chosen: dict[str, str]) -> MariaDbServer:
    server, installer = programs()
    # A server that starts deletes other servers' temporary tables where they share a folder for them.
    common = ["--no-defaults", f"--datadir={directory / 'data'}", f"--tmpdir={directory}"]
    # Unpacked beside the project, where Debian's own paths lead nowhere.
    common += [f"--basedir={TREE / 'usr'}"] if Path(server).is_relative_to(PARTS_BIN) else []
    common += ["--user=root"] if os.geteuid() == 0 else []
    first = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    done = subprocess.run([installer, *common, *first], capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mariadb-install-db failed: {done.stderr.decode(errors='replace')}")
    accounts = directory / "accounts.sql"
    accounts.write_text(
        f"CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY '{password}';\nGRANT ALL ON *.* TO app@'%' WITH GRANT OPTION;\n"
    )
    port = free_port()
    settings = [f"--{name}={value}" for name, value in chosen.items()]
    settings += [f"--port={port}", f"--socket={directory / 's'}", f"--init-file={accounts}"]
    started = MariaDbServer([server, *common, *settings], directory, port, password)
    started.wait_until_ready()
    return started
