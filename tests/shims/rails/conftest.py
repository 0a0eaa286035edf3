"""One running Rails application for all tests of the Rails target."""

from collections.abc import Iterator

import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from migrator.legacy.devise import open_devise
from migrator.legacy.new_user import devise_row, new_user_function
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.parts.rails import prepare, settings_for
from tests.parts.stage_file import create_side_tables
from tests.shims.rails.club import BOB, Club, oracle
from tests.shims.rails.town import Town
from tests.shims.rails.town import town as running_town

LEGACY = LegacySection.model_validate({"dsn": "env:X"})
LINK_EVERYBODY = (
    "INSERT INTO migrator_identity (source, user_pk, auther_id) "
    "SELECT 'User', id::text, 'auther-user-' || id FROM users"
)


@pytest.fixture(scope="session")
def club_dsn(postgres: PostgresServer, devise_template: str) -> Iterator[str]:
    """A copy of the dump with the side tables, everybody linked."""
    with postgres.temporary_database(template=devise_template) as dsn:
        create_side_tables(dsn)
        yield dsn


@pytest.fixture(scope="session")
def running_club(club_dsn: str) -> Iterator[Club]:
    """The application, started once."""
    require("rails")
    with Issuer() as issuer:
        app = prepare(club_dsn, settings_for(issuer), pepper=oracle()[BOB]["pepper"])
        club = Club(app, issuer, club_dsn)
        # Tests that start the application by themselves leave rows of their own.
        club.sql("DELETE FROM migrator_identity")
        club.sql(LINK_EVERYBODY)
        app.start()
        club.wait_for_keys()
        yield club
        app.remove()


@pytest.fixture
def club(running_club: Club) -> Club:
    """The application in stage dual 0 %, people as they were."""
    running_club.reset_people()
    running_club.issuer.id_token_overrides = {}
    running_club.issuer.signed_in_sub = None
    running_club.set_stage(Stage.DUAL)
    return running_club


@pytest.fixture(scope="session")
def both(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, devise_template: str
) -> Iterator[Town]:
    """The application and a real Auther, started once."""
    require("node")
    require("rails")
    with running_town(postgres, devise_template, tmp_path_factory.mktemp("town")) as made:
        with open_devise(made.club.dsn, LEGACY) as source:
            function = new_user_function(devise_row(source.columns), {})
        with psycopg.connect(made.club.dsn, autocommit=True) as connection:
            connection.execute(function, {})
        yield made


@pytest.fixture
def town(both: Town) -> Town:
    """Both as in the beginning, in stage dual 0 %."""
    both.reset()
    both.club.set_stage(Stage.DUAL)
    return both
