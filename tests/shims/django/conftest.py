"""Running Django applications for the tests of the target."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.django import prepare
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.club import ALICE, BOB, oracle
from tests.shims.conformance import ENVIRONMENT
from tests.shims.django.club import DjangoClub


@pytest.fixture(scope="session")
def running(postgres: PostgresServer, devise_template: str) -> Iterator[DjangoClub]:
    """The application, started once, everybody linked."""
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        plain = shim_settings(issuer, stage_public_key="", redirect_uri="")
        settings = replace(plain, plugin_url=f"{issuer.auth_url}/migrator")
        pepper = oracle()[BOB]["pepper"]
        app = prepare(dsn, issuer, settings=settings, pepper=pepper, extra=ENVIRONMENT)
        club = DjangoClub(app, issuer, dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


@pytest.fixture
def club(running: DjangoClub) -> Iterator[DjangoClub]:
    """The application in stage dual 0 %, nobody moved."""
    running.set_stage(Stage.DUAL)
    hashes = {one: running.hash_of(one) for one in (ALICE, BOB)}
    yield running
    running.issuer.plugin.mode = "ok"
    running.issuer.plugin.passwords.clear()
    running.sql(
        "UPDATE migrator_identity SET home = 'legacy', auth_valid_after = NULL WHERE home = 'auther'"
    )
    for one, before in hashes.items():
        running.set_hash(one, before)
