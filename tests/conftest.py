"""Fixtures that every test may ask for: databases on real PostgreSQL servers, one server per process."""

import functools
import os
import signal
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import require
from tests.parts.devise_elsewhere import load_mariadb, load_sqlite
from tests.parts.django_site import DjangoSite
from tests.parts.dump import LARAVEL, load_dump
from tests.parts.mariadb import MariaDbServer, start_mariadb
from tests.parts.memory import folder_in_memory, folder_of_run, hold, remove_left_folders
from tests.parts.postgres import PostgresServer, debian_15, embedded_binaries, start_postgres

# A shell that starts the tests in the background lets all that they start ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a disk, writing the files of databases and syncing them is half of the system's work for these tests.
if "PYTEST_XDIST_WORKER" in os.environ:
    hold(Path(tempfile.gettempdir()))
elif "TMPDIR" not in os.environ:
    remove_left_folders()
    if in_memory := folder_in_memory():
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder_of_run(in_memory))

# Reading the authorities' certificates takes 20 ms, and each httpx client would do it anew.
ssl.create_default_context = functools.cache(ssl.create_default_context)

# A busy machine is no failure.
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

# The tests that come with generated code run beside it, as their team would run them.
collect_ignore = ["golden"]
pytest_plugins = [
    "tests.parts.better_auth.fixtures",
    "tests.parts.prometheus_fixtures",
    "tests.parts.shim_fixtures",
    "tests.parts.sqld.fixtures",
]

DEVISE_TEMPLATE = "devise_template"
LARAVEL_TEMPLATE = "laravel_template"
DJANGO_TEMPLATE = "django_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the same tests run on another PostgreSQL."""
    parser.addoption("--postgres", choices=("18", "15"), default="18", help="which PostgreSQL")


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The PostgreSQL of this process: the embedded 18, with `--postgres 15` Debian's 15."""
    if request.config.getoption("--postgres") == "15":
        yield request.getfixturevalue("pg15")
        return
    require("postgres")
    server = start_postgres(embedded_binaries())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pg15() -> Iterator[PostgresServer]:
    """A server of Debian's PostgreSQL 15."""
    require("postgres15")
    server = start_postgres(debian_15())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_made(postgres: PostgresServer) -> tuple[str, list[dict[str, Any]]]:
    """The name of a database that Django filled, only copied, and whom it put there."""
    return DJANGO_TEMPLATE, DjangoSite(postgres.create_database(DJANGO_TEMPLATE)).make()


@pytest.fixture
def django_db(
    postgres: PostgresServer, django_made: tuple[str, list[dict[str, Any]]]
) -> Iterator[str]:
    """A database of one's own with Django's users."""
    with postgres.temporary_database(template=django_made[0]) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDbServer]:
    """The MariaDB server of this process."""
    require("mariadb")
    server = start_mariadb()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb_devise_template(mariadb: MariaDbServer) -> str:
    """The name of a database that holds the users of devise_600.sql; only copied, never changed."""
    mariadb.run(f"CREATE DATABASE {DEVISE_TEMPLATE} CHARACTER SET utf8mb4")
    load_mariadb(mariadb, DEVISE_TEMPLATE)
    return DEVISE_TEMPLATE


@pytest.fixture
def mariadb_devise_db(mariadb: MariaDbServer, mariadb_devise_template: str) -> Iterator[str]:
    """The DSN of a MariaDB database with the 600 Devise users, dropped after the test."""
    with mariadb.temporary_database(template=mariadb_devise_template) as dsn:
        yield dsn


@pytest.fixture
def sqlite_devise_db(tmp_path: Path) -> str:
    """The DSN of a SQLite file with the 600 Devise users."""
    file = tmp_path / "app.sqlite3"
    load_sqlite(file)
    return f"sqlite3:{file}"


@pytest.fixture(params=["mariadb", "sqlite"])
def elsewhere_db(request: pytest.FixtureRequest) -> str:
    """The DSN of a database with the 600 Devise users that is not PostgreSQL, each in turn."""
    dsn: str = request.getfixturevalue(f"{request.param}_devise_db")
    return dsn


@pytest.fixture(scope="session")
def devise_template(postgres: PostgresServer) -> str:
    """The name of a database that holds devise_600.sql; only copied, never changed."""
    load_dump(postgres.create_database(DEVISE_TEMPLATE))
    return DEVISE_TEMPLATE


@pytest.fixture(scope="session")
def laravel_template(postgres: PostgresServer) -> str:
    """The name of a database that holds laravel.sql; only copied, never changed."""
    load_dump(postgres.create_database(LARAVEL_TEMPLATE), LARAVEL)
    return LARAVEL_TEMPLATE


@pytest.fixture(scope="session")
def pg15_devise_template(pg15: PostgresServer) -> str:
    """Like `devise_template`, on PostgreSQL 15."""
    name = f"{DEVISE_TEMPLATE}_15"
    load_dump(pg15.create_database(name))
    return name


@pytest.fixture
def fresh_db(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of an empty database, dropped after the test."""
    with postgres.temporary_database() as dsn:
        yield dsn


@pytest.fixture
def devise_db(postgres: PostgresServer, devise_template: str) -> Iterator[str]:
    """The DSN of a database with the 600 Devise users, dropped after the test."""
    with postgres.temporary_database(template=devise_template) as dsn:
        yield dsn


@pytest.fixture
def laravel_db(postgres: PostgresServer, laravel_template: str) -> Iterator[str]:
    """The DSN of a database with Laravel's users, dropped after the test."""
    with postgres.temporary_database(template=laravel_template) as dsn:
        yield dsn


@pytest.fixture
def pg15_db(pg15: PostgresServer) -> Iterator[str]:
    """The DSN of an empty database on PostgreSQL 15."""
    with pg15.temporary_database() as dsn:
        yield dsn


@pytest.fixture
def pg15_devise_db(pg15: PostgresServer, pg15_devise_template: str) -> Iterator[str]:
    """The DSN of a database with the 600 Devise users on PostgreSQL 15."""
    with pg15.temporary_database(template=pg15_devise_template) as dsn:
        yield dsn
