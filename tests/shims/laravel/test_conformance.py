"""The conformance suite against the Laravel application: a core of it, and all of it in the long tests."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts import require
from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check

pytestmark = pytest.mark.xdist_group("laravel")
CSRF = """{ pattern = 'name="_token" value="([^"]+)"', field = "_token" }"""
REMEMBER = "remember_web_59ba36addc2b2f9401580f014c7f58ea4e30989d"
PROFILE = f"""
whoami = "/whoami"
stage_every = "0.1s"
foreign_whoami = "/api/v1/whoami"
[verify.form]
path = "/login"
csrf = {CSRF}
remember_me = "remember"
remember_cookie = "{REMEMBER}"
session_cookie = "laravel_session"
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
CORE = (
    "dual/header-expired-never-falls-through",
    "auther/session-ended-on-a-page",
    "tokens/alg-none",
    "tokens/aud-of-another-client",
    "conflicts/the-post-ends-both",
    "login/ends-another-session",
    "login/state-of-another-browser",
    "exchange/a-session-becomes-authers",
    "renewal/identity-swap",
    "key-set/a-flood-of-random-kids",
    "doors/form-closed-in-drain",
    "doors/moved-at-the-form",
)
Verified = dict[str, Result]
Verify = Callable[[Sequence[Case]], Verified]


@pytest.fixture(scope="module")
def verify(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Verify]:
    """Run cases on a running application."""
    require("laravel_shim")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        app = prepare(
            dsn,
            deployment.issuer,
            settings=deployment.settings(stage_public_key="", redirect_uri=""),
            pepper=oracle()[BOB]["pepper"],
            extra=ENVIRONMENT,
        )
        redirect_uri = f"{app.base_url}{CALLBACK_PATH}"
        try:
            app.start()
            yield lambda cases: deployment.verify(
                app.base_url, stage=app.stage, redirect_uri=redirect_uri, cases=cases
            )
        finally:
            app.remove()


@pytest.fixture(scope="module")
def core(verify: Verify) -> Verified:
    """The core's results."""
    return verify([case for case in CASES if case.title in CORE])


@pytest.mark.parametrize("title", CORE)
def test_core(core: Verified, title: str) -> None:
    check(core[title])


@pytest.mark.long
def test_all_cases(verify: Verify) -> None:
    for result in verify(CASES).values():
        check(result)
