"""The conformance suite against the Starlette application."""

from collections.abc import Iterator

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts.asgi import CALLBACK_PATH, AsgiApp, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PROFILE = """
whoami = "/me"
foreign_whoami = "/api/me"
[verify.form]
path = "/login"
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
"""
# What this target does not pass yet, or has nothing of. Take a case off when it passes.
GAPS = frozenset(
    """
    cookies/the-attempt-cookie
    cookies/the-token-cookie
    doors/form-closed-in-auther
    doors/form-closed-in-drain
    doors/json-in-drain
    doors/json-of-a-moved-user
    doors/json-of-a-moved-user-with-the-old-password
    doors/json-with-the-plugin-down
    doors/moved-at-the-form
    doors/moved-with-the-plugin-down
    doors/remember-me-in-auther
    doors/remember-me-in-drain
    doors/remember-me-in-dual
    exchange/a-session-becomes-authers
    exchange/another-sub-at-the-callback
    exchange/banned-at-auther
    exchange/plugin-down
    exchange/remember-me-becomes-authers
    exchange/state-of-another-browser
    exchange/the-ticket-is-bound
    exchange/ticket-in-another-browser
    foreign/handed-over-with-nothing-else
    login/a-failure-is-counted
    login/a-large-token
    login/an-error-from-auther
    login/callback-twice
    login/code-of-another-attempt
    login/deleted-at-the-callback
    login/ends-another-session
    login/ends-at-the-return-path
    login/ends-remember-me
    login/ends-the-own-session
    login/id-token-audience
    login/id-token-expired
    login/id-token-forged
    login/id-token-issuer
    login/id-token-larger-than-8-kib
    login/id-token-nonce-missing
    login/id-token-nonce-of-another-attempt
    login/in-stage-auther
    login/in-stage-legacy
    login/is-counted
    login/locked-at-the-callback
    login/moves-the-home
    login/moves-the-home-in-drain
    login/of-a-stranger
    login/pinned-at-the-callback
    login/return-to-absolute
    login/return-to-at-sign
    login/return-to-backslash
    login/return-to-header-injection
    login/return-to-javascript
    login/return-to-newline
    login/return-to-protocol-relative
    login/return-to-relative
    login/return-to-tab
    login/return-to-two-backslashes
    login/state-changed
    login/state-of-another-browser
    login/two-tabs
    login/unconfirmed-at-the-callback
    login/uses-pkce
    logout/logout-ends-both
    logout/logout-reaches-auther
    logout/logout-without-auther
    newcomers/a-first-request
    newcomers/deleted-at-auther
    newcomers/fifty-first-requests
    newcomers/in-stage-auther
    observation/the-detector-sees-its-fixture
    people/logged-out-everywhere-and-moved
    renewal/a-login-may-change-the-person
    renewal/identity-swap
    renewal/in-drain
    renewal/on-a-page
    renewal/stops-after-three-failures
    """.split()
)


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
