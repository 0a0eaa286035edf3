"""One running Starlette application for all tests of the ASGI target."""

from collections.abc import Iterator

import pytest

from migrator.core.stage import Stage
from tests.parts.asgi import prepare
from tests.parts.issuer import Issuer
from tests.parts.postgres import PostgresServer
from tests.parts.rails import create_side_tables
from tests.shims.asgi.club import Club


@pytest.fixture(scope="session")
def starlette_dsn(postgres: PostgresServer, devise_template: str) -> Iterator[str]:
    """A copy of the dump with the side tables."""
    with postgres.temporary_database(template=devise_template) as dsn:
        create_side_tables(dsn)
        yield dsn


@pytest.fixture(scope="session")
def running_club(starlette_dsn: str) -> Iterator[Club]:
    """The application, started once."""
    with Issuer() as issuer:
        app = prepare(starlette_dsn, issuer)
        club = Club(app, issuer, starlette_dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


@pytest.fixture
def club(running_club: Club) -> Club:
    """The application in stage dual 0 %, people as they were."""
    running_club.reset_people()
    running_club.set_stage(Stage.DUAL)
    return running_club
