"""Running Laravel applications for the tests of the target."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from tests.parts import require
from tests.parts.laravel import prepare
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT
from tests.shims.laravel.club import LaravelClub

SECRETS = ("MIGRATOR_VERIFY_SECRET", "MIGRATOR_RESET_SECRET")


@pytest.fixture(scope="session")
def laravel_club(postgres: PostgresServer, devise_template: str) -> Iterator[LaravelClub]:
    """The application, started once, everybody linked."""
    require("laravel_shim")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        plain = shim_settings(issuer, stage_public_key="", redirect_uri="")
        settings = replace(
            plain,
            plugin_url=f"{issuer.auth_url}/migrator",
            foreign_paths=("/api/v1",),
            delegate_permissions=True,
        )
        secrets = {name: ENVIRONMENT[name] for name in SECRETS}
        pepper = oracle()[BOB]["pepper"]
        app = prepare(dsn, issuer, settings=settings, pepper=pepper, extra=secrets)
        club = LaravelClub(app, issuer, dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()
