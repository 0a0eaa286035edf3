"""The conformance suite against the Sinatra application: a core of it, and all of it in the long tests."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from migrator.conformance.case import Case, Result
from migrator.conformance.registry import CASES
from tests.parts import require
from tests.parts.postgres import PostgresServer
from tests.parts.rack import CALLBACK_PATH, prepare
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check
from tests.shims.express.test_conformance import PROFILE as EXPRESS

# The same pages, but for two names.
PROFILE = EXPRESS.replace("/api/v1/whoami", "/api/whoami").replace("club.sid", "club.session")
pytestmark = pytest.mark.xdist_group("rack")
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
    require("rack")
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
