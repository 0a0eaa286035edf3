"""The conformance suite against the Starlette application."""

from collections.abc import Iterator

import pytest

from migrator.conformance.interface import Case, Result
from migrator.conformance.registry import CASES
from tests.parts.asgi import prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import Deployment, check

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PROFILE = """
[verify]
whoami = "/me"
jwks_cooldown = "2s"
[verify.form]
path = "/login"
[verify.logout]
path = "/logout"
[verify.button]
page = "/login"
auther = "auther"
"""
GAPS: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepare(dsn, deployment.issuer, pepper=oracle()[BOB]["pepper"])
        try:
            app.start()
            redirect_uri = f"{app.base_url}/auth/callback"
            yield deployment.verify(app.base_url, stage=app.stage, redirect_uri=redirect_uri)
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
