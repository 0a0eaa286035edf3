"""The conformance suite against the Starlette application."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrator.conformance.interface import Case, Result
from migrator.conformance.registry import CASES
from tests.parts.asgi import prepare, settings_for
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import StageFile
from tests.shims.asgi.club import BOB, oracle
from tests.shims.conformance import Deployment, check

pytestmark = pytest.mark.xdist_group("conformance-asgi")
PROFILE = """
[verify]
whoami = "/me"
jwks_cooldown = "2s"
foreign_whoami = "/api/me"
exchange = true
moved_logins = true
ends_auther_session = true
[verify.form]
path = "/login"
remember_me = "remember"
remember_cookie = "_club_remember"
session_cookie = "_club_session"
[verify.logout]
path = "/logout"
[verify.button]
page = "/login"
auther = "auther"
[verify.json_login]
path = "/sessions"
body = { email = "{email}", password = "{password}" }
[verify.post]
path = "/note"
accepted = [200]
[verify.post.csrf]
pattern = 'name="csrf" value="([^"]+)"'
field = "csrf"
"""
FOREIGN = 'foreign_bearer = ["/api/"]'
NEWCOMERS = f"{FOREIGN}\ncreate_users = true\nexchange_in_dual = true"
# What the first deployment cannot show, since there newcomers get no row.
BY_NEWCOMERS = [case for case in CASES if case.group == "newcomers"]
GAPS: frozenset[str] = frozenset()


def deployed(
    dsn: str, folder: Path, shim: str, *, cases: Sequence[Case] = CASES, **settings: Any
) -> dict[str, Result]:
    """Run cases against an application of their own."""
    deployment = Deployment(folder, dsn, PROFILE, shim=shim)
    issuer = deployment.issuer
    # The key is the stage file's, which comes with the application.
    stage = StageFile(folder / "published.json")
    baked = replace(
        settings_for(issuer, stage_public_key=stage.public_key),
        plugin_url=f"{issuer.auth_url}/migrator",
        foreign_paths=("/api/",),
        **settings,
    )
    app = prepare(dsn, issuer, settings=baked, stage=stage, pepper=oracle()[BOB]["pepper"])
    try:
        app.start()
        redirect_uri = f"{app.base_url}/auth/callback"
        return deployment.verify(app.base_url, stage=stage, redirect_uri=redirect_uri, cases=cases)
    finally:
        app.remove()


@pytest.fixture(scope="module")
def results(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result]:
    """Each case's result."""
    with postgres.temporary_database(template=devise_template) as dsn:
        found = deployed(dsn, tmp_path_factory.mktemp("operator"), FOREIGN)
    with postgres.temporary_database(template=devise_template) as dsn:
        folder = tmp_path_factory.mktemp("operator")
        options = {"create_users": True, "exchange_in_dual": True}
        return found | deployed(dsn, folder, NEWCOMERS, cases=BY_NEWCOMERS, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_case(results: dict[str, Result], case: Case) -> None:
    check(results[case.title], gaps=GAPS)
