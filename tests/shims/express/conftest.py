"""Running Express applications for the tests of the target."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts import require
from tests.parts.express import prepare
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT
from tests.shims.express.club import Club


@pytest.fixture(scope="session")
def express_dsn(postgres: PostgresServer, devise_template: str) -> Iterator[str]:
    """A copy of the dump with the side tables."""
    with postgres.temporary_database(template=devise_template) as dsn:
        create_side_tables(dsn)
        yield dsn


@pytest.fixture(scope="session")
def running_club(express_dsn: str) -> Iterator[Club]:
    """The application with everything switched on, started once."""
    require("express")
    with Issuer() as issuer:
        plain = shim_settings(issuer, stage_public_key="", redirect_uri="")
        settings = replace(
            plain,
            plugin_url=f"{issuer.auth_url}/migrator",
            foreign_paths=("/api/v1",),
            delegate_permissions=True,
            check_permission_url=f"{issuer.auth_url}/check-permission",
        )
        pepper = oracle()[BOB]["pepper"]
        app = prepare(express_dsn, issuer, settings=settings, pepper=pepper, extra=ENVIRONMENT)
        club = Club(app, issuer, express_dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


@pytest.fixture
def club(running_club: Club) -> Club:
    """The application in stage dual 0 %, everybody at home in the legacy side."""
    running_club.sql("UPDATE migrator_identity SET home = 'legacy' WHERE home <> 'legacy'")
    running_club.issuer.plugin.mode = "ok"
    running_club.set_stage(Stage.DUAL)
    return running_club
