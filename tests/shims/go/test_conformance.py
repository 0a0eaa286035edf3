"""The conformance suite against the Go application."""

from collections.abc import Iterator

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts import require
from tests.parts.go import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.conformance import ENVIRONMENT, Deployment, check
from tests.shims.go.club import PEPPER

pytestmark = pytest.mark.xdist_group("conformance-go")
PROFILE = """
whoami = "/me"
foreign_whoami = "/api/notes"
[verify.form]
path = "/login"
remember_me = "remember"
remember_cookie = "remember_club_token"
session_cookie = "_club_session"
csrf = { pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.logout]
path = "/logout"
csrf = { page = "/notes", pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.post]
path = "/notes"
accepted = [201]
csrf = { pattern = 'name="csrf" value="([^"]+)"', field = "csrf" }
[verify.json_login]
path = "/api/login"
body = { email = "{email}", password = "{password}" }
[verify.button]
page = "/login"
auther = "/auth/auther/start"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""
GAPS: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    require("go")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        settings = deployment.settings(stage_public_key="", redirect_uri="")
        app = prepare(dsn, deployment.issuer, settings=settings, pepper=PEPPER, extra=ENVIRONMENT)
        try:
            app.start()
            redirect_uri = app.base_url + CALLBACK_PATH
            yield deployment.verify(app.base_url, stage=app.stage, redirect_uri=redirect_uri)
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
