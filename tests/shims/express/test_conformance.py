"""The conformance suite against the Express application."""

from collections.abc import Iterator

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts import require
from tests.parts.express import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check

pytestmark = pytest.mark.xdist_group("conformance-express")
CSRF = """{ pattern = 'name="csrf" type="hidden" value="([^"]+)"', field = "csrf" }"""
PROFILE = f"""
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/v1/whoami"
[verify.form]
path = "/login"
csrf = {CSRF}
remember_me = "remember_me"
remember_cookie = "remember_me"
session_cookie = "club.sid"
[verify.logout]
path = "/logout"
page = "/login"
csrf = {CSRF}
[verify.json_login]
path = "/api/login"
body = {{ email = "{{email}}", password = "{{password}}" }}
[verify.post]
path = "/notes"
page = "/login"
csrf = {CSRF}
accepted = [201]
[verify.button]
page = "/login"
auther = "Sign in at Auther"
cohort = "staff"
cohort_page = "/login?cohort=staff"
"""


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    require("express")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepare(
            dsn,
            deployment.issuer,
            settings=deployment.settings(stage_public_key="", redirect_uri=""),
            pepper=oracle()[BOB]["pepper"],
            extra=ENVIRONMENT,
        )
        try:
            app.start()
            redirect_uri = f"{app.base_url}{CALLBACK_PATH}"
            yield deployment.verify(app.base_url, stage=app.stage, redirect_uri=redirect_uri)
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title])
