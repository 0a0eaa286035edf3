"""The conformance suite against the Starlette application."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts.asgi import CALLBACK_PATH, AsgiApp, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check, known_gaps

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PROFILE = """
whoami = "/me"
stage_every = "0.1s"
foreign_whoami = "/api/me"
[verify.form]
path = "/login"
remember_me = "remember"
remember_cookie = "_club_remember"
session_cookie = "_club_session"
[verify.logout]
path = "/logout"
[verify.json_login]
path = "/sessions"
body = { email = "{email}", password = "{password}" }
[verify.post]
path = "/notes"
accepted = [201]
[verify.post.csrf]
pattern = 'name="csrf" value="([^"]+)"'
field = "csrf"
[verify.button]
page = "/login"
auther = "auther"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""
GAPS = known_gaps(Path(__file__).with_name("gaps.txt"))


def prepared(dsn: str, deployment: Deployment) -> AsgiApp:
    """The application with everything switched on; not started."""
    stage_free = deployment.settings(stage_public_key="", redirect_uri="")
    return prepare(
        dsn,
        deployment.issuer,
        settings=stage_free,
        pepper=oracle()[BOB]["pepper"],
        extra=ENVIRONMENT,
    )


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepared(dsn, deployment)
        try:
            app.start()
            redirect_uri = app.base_url + CALLBACK_PATH
            yield deployment.verify(app.base_url, stage=app.stage, redirect_uri=redirect_uri)
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
