"""`migrator dual-path verify --auther`: the same cases with a real better-auth in the issuer's place."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from migrator.conformance.interface import Failed, NotRun, Passed
from migrator.conformance.issuer import Issuer
from migrator.conformance.registry import CASES
from migrator.runner.verifying.verification import Asked, verify_deployment
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import bcrypt_envelope
from tests.parts import require
from tests.parts.asgi import CALLBACK_PATH, prepare
from tests.parts.better_auth import Client, start
from tests.parts.postgres import free_port
from tests.shims.asgi.test_conformance import PROFILE
from tests.shims.conformance import Deployment
from tests.shims.conforming import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.conformance.case import Result
    from tests.parts.postgres import PostgresServer

pytestmark = pytest.mark.long
# Groups that a real Auther takes part in.
GROUPS = {
    "dual",
    "auther",
    "login",
    "cookies",
    "people",
    "logout",
    "renewal",
    "exchange",
    "tokens",
}
WITH_A_TOKEN_TO_ORDER = "only the suite's own issuer gives such tokens and key sets"


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Result]]:
    """Each case's result, by its title."""
    require("node")
    root = tmp_path_factory.mktemp("operator")
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(root, dsn, PROFILE, issuer=Issuer(port=free_port()))
        app = prepared(prepare, dsn, deployment)
        app.environment |= {
            f"MIGRATOR_{name}_SECRET": SECRETS[name] for name in ("VERIFY", "EXCHANGE", "LOGOUT")
        }
        redirect_uri = app.base_url + CALLBACK_PATH
        client = Client(deployment.issuer.client_id, (redirect_uri,))
        with start(
            root / "auther.db", clients=[client], port=deployment.issuer.port, env=ENVIRONMENT
        ) as auther:
            ctx = deployment.context(app.stage, redirect_uri=redirect_uri)
            with (root / "verify-people.csv").open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                known = person(
                    id=f"auther-user-{row['user_pk']}",
                    email=row["email"],
                    password=bcrypt_envelope(row["password"]),
                )
                assert Door(auther).upsert(known) == ["inserted"]
            try:
                app.start()
                cases = [case for case in CASES if case.group in GROUPS]
                asked = Asked(app.base_url, cases, real_auther=True)
                found = verify_deployment(ctx, asked, after_each=lambda _: None)
                yield {result.case.title: result for result in found}
            finally:
                app.remove()


def test_nothing_fails_at_a_real_auther(results: dict[str, Result]) -> None:
    wrong = {
        title: (one.outcome.expected, one.outcome.came_back)
        for title, one in results.items()
        if isinstance(one.outcome, Failed)
    }
    assert wrong == {}


def test_what_takes_a_token_to_order_is_not_run_and_the_rest_is(
    results: dict[str, Result],
) -> None:
    reasons = {
        title: one.outcome.reason
        for title, one in results.items()
        if isinstance(one.outcome, NotRun) and WITH_A_TOKEN_TO_ORDER not in one.outcome.reason
    }
    passed = [title for title, one in results.items() if isinstance(one.outcome, Passed)]

    assert {title: why for title, why in reasons.items() if "remember_me" not in why} == {}
    assert {"login/ends-at-the-return-path", "login/moves-the-home", "dual/header"} <= set(passed)
    assert isinstance(results["tokens/alg-none"].outcome, NotRun)
