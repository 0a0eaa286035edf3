"""One running Starlette application for all tests of the ASGI target."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.asgi import prepare, settings_for
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import StageFile, create_side_tables
from tests.shims.asgi.club import BOB, Club, oracle
from tests.shims.asgi.package import Package, imported
from tests.shims.conformance import ENVIRONMENT


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
        settings = replace(
            settings_for(issuer, stage_public_key=""),
            plugin_url=f"{issuer.auth_url}/migrator",
        )
        app = prepare(
            starlette_dsn,
            issuer,
            settings=settings,
            pepper=oracle()[BOB]["pepper"],
            extra=ENVIRONMENT,
        )
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


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of this test's own."""
    with Issuer(slow_s=2) as issuer:
        yield issuer


@pytest.fixture
def package(tmp_path: Path, issuer: Issuer) -> Iterator[Package]:
    """The generated code in this process, for the issuer, with its stage file's key."""
    stage = StageFile(tmp_path / "stage.json")
    settings = settings_for(issuer, stage_public_key=stage.public_key)
    baked = replace(settings, redirect_uri="http://127.0.0.1:8000/auth/callback")
    yield from imported(tmp_path / "shim", baked, stage=stage)
