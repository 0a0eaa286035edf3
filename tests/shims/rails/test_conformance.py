"""The conformance suite against the Rails application."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.interface import Case, Need, Result
from migrator.conformance.registry import CASES
from migrator.shims.interface import ShimSettings
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.parts.rails import CALLBACK_PATH, prepare, settings_for
from tests.shims.conformance import Deployment, check
from tests.shims.rails.club import BOB, oracle

pytestmark = pytest.mark.xdist_group("conformance-rails")
SHIM = """
foreign_bearer = ["/api/"]
create_users = true
"""
PROFILE = """
[verify]
whoami = "/whoami"
foreign_whoami = "/api/whoami"
login_paths = ["/users/sign_in"]
jwks_cooldown = "2s"
exchange = true
moved_logins = true
ends_auther_session = true
[verify.form]
path = "/users/sign_in"
email = "user[email]"
password = "user[password]"
remember_me = "user[remember_me]"
remember_cookie = "remember_user_token"
session_cookie = "_club_session"
csrf = {}
[verify.logout]
path = "/auth/auther/logout"
page = "/members"
csrf = { pattern = 'name="csrf-token" content="([^"]+)"' }
[verify.post]
path = "/notes"
accepted = [201]
csrf = { page = "/members", pattern = 'name="csrf-token" content="([^"]+)"' }
[verify.json_login]
path = "/users/sign_in"
body = { user = { email = "{email}", password = "{password}" } }
csrf = { page = "/", pattern = 'name="csrf-token" content="([^"]+)"' }
[verify.button]
page = "/users/sign_in"
auther = "Sign in with Auther"
"""
SECRETS = {f"MIGRATOR_{name}_SECRET": "s" * 40 for name in ("VERIFY", "EXCHANGE", "LOGOUT", "RESET")}
# This deployment makes rows for new people, so that nobody is a stranger for want of one; the
# decision table beside this file runs without.
GAPS = frozenset(case.title for case in CASES if Need.NO_JIT in case.needs)


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result."""
    require("rails")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE, shim=SHIM)
        made = settings_for(deployment.issuer)

        def settings(port: int, stage_public_key: str) -> ShimSettings:
            return replace(
                made(port, stage_public_key),
                plugin_url=f"{deployment.issuer.auth_url}/migrator",
                foreign_paths=("/api/",),
                create_users=True,
            )

        app = prepare(
            dsn,
            settings,
            pepper=oracle()[BOB]["pepper"],
            extra={"MIGRATOR_JWKS_COOLDOWN_S": "2", **SECRETS},
        )
        try:
            app.start()
            yield deployment.verify(
                app.base_url, stage=app.stage, redirect_uri=app.base_url + CALLBACK_PATH
            )
        finally:
            app.remove()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
