"""Fixtures that every test may ask for: databases on real PostgreSQL servers, one server per process."""

import signal
from collections.abc import Iterator

import pytest

from tests.parts import require
from tests.parts.dump import load_dump
from tests.parts.postgres import DEBIAN_15, PostgresServer, embedded_binaries, start_postgres

# A shell that starts the tests in the background lets all that they start ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests that come with generated code run beside it, as their team would run them.
collect_ignore = ["golden"]
pytest_plugins = ["tests.parts.better_auth.fixtures", "tests.parts.sqld.fixtures"]

DEVISE_TEMPLATE = "devise_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The embedded PostgreSQL 18 of this process."""
    require("postgres")
    server = start_postgres(embedded_binaries())
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pg15() -> Iterator[PostgresServer]:
    """A server of the machine's PostgreSQL 15; an optional part."""
    require("postgres15")
    server = start_postgres(DEBIAN_15)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def devise_template(postgres: PostgresServer) -> str:
    """The name of a database that holds devise_600.sql; only copied, never changed."""
    load_dump(postgres.create_database(DEVISE_TEMPLATE))
    return DEVISE_TEMPLATE


@pytest.fixture(scope="session")
def pg15_devise_template(pg15: PostgresServer) -> str:
    """Like `devise_template`, on PostgreSQL 15."""
    load_dump(pg15.create_database(DEVISE_TEMPLATE))
    return DEVISE_TEMPLATE


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
def pg15_db(pg15: PostgresServer) -> Iterator[str]:
    """The DSN of an empty database on PostgreSQL 15."""
    with pg15.temporary_database() as dsn:
        yield dsn


@pytest.fixture
def pg15_devise_db(pg15: PostgresServer, pg15_devise_template: str) -> Iterator[str]:
    """The DSN of a database with the 600 Devise users on PostgreSQL 15."""
    with pg15.temporary_database(template=pg15_devise_template) as dsn:
        yield dsn
