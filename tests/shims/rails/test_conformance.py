"""The conformance suite against the Rails application."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from migrator.shims.interface import ShimSettings
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.parts.rails import CALLBACK_PATH, prepare
from tests.shims.conformance import ENVIRONMENT, Deployment, check, known_gaps
from tests.shims.rails.club import BOB, oracle

pytestmark = pytest.mark.xdist_group("conformance-rails")
PROFILE = """
whoami = "/whoami"
foreign_whoami = "/api/whoami"
[verify.form]
path = "/users/sign_in"
email = "user[email]"
password = "user[password]"
remember_me = "user[remember_me]"
remember_cookie = "remember_user_token"
session_cookie = "_club_session"
[verify.form.csrf]
[verify.logout]
path = "/users/sign_out"
page = "/members"
method = "DELETE"
[verify.logout.csrf]
[verify.json_login]
path = "/users/sign_in"
body = { user = { email = "{email}", password = "{password}" } }
[verify.json_login.csrf]
page = "/users/sign_in"
[verify.post]
path = "/notes"
page = "/members"
accepted = [201]
fields = { text = "hello" }
[verify.post.csrf]
pattern = 'name="csrf-token" content="([^"]+)"'
[verify.button]
page = "/users/sign_in"
auther = "Sign in with Auther"
cohort = "staff"
cohort_page = "/users/sign_in?cohort=staff"
"""
GAPS = known_gaps(Path(__file__).with_name("gaps.txt"))


def made_settings(deployment: Deployment) -> Callable[[int, str], ShimSettings]:
    """The settings, once port and key are known."""
    return lambda port, key: deployment.settings(
        stage_public_key=key, redirect_uri=f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    )


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    require("rails")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepare(
            dsn, made_settings(deployment), pepper=oracle()[BOB]["pepper"], extra=ENVIRONMENT
        )
        try:
            app.start()
            redirect_uri = f"{app.base_url}{CALLBACK_PATH}"
            yield deployment.verify(app.base_url, stage=app.stage, redirect_uri=redirect_uri)
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
