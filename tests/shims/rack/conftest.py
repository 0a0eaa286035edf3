"""Running Sinatra applications for the tests of the target."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.parts.rack import prepare
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.club import BOB, oracle
from tests.shims.express.club import Club


@pytest.fixture(scope="session")
def rack_club(postgres: PostgresServer, devise_template: str) -> Iterator[Club]:
    """The application, started once, everybody linked."""
    require("rack")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        plain = shim_settings(issuer, stage_public_key="", redirect_uri="")
        settings = replace(
            plain,
            foreign_paths=("/api/",),
            delegate_permissions=True,
            check_permission_url=f"{issuer.auth_url}/check-permission",
        )
        app = prepare(dsn, issuer, settings=settings, pepper=oracle()[BOB]["pepper"])
        club = Club(app, issuer, dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()
