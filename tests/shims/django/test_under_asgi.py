"""The same middleware under ASGI: it is written for WSGI, and Django adapts it to the event loop."""

from collections.abc import Iterator

import pytest

from migrator.conformance.registry import CASES
from migrator.core.stage import Stage
from tests.parts.django import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer
from tests.shims.asgi.club import ALICE, BOB, oracle
from tests.shims.conformance import ENVIRONMENT, Deployment, check
from tests.shims.django.club import DjangoClub
from tests.shims.django.test_conformance import CORE, GAPS, PROFILE, Verified, Verify

pytestmark = pytest.mark.xdist_group("django")


@pytest.fixture(scope="module")
def verify(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Verify]:
    """Run cases on an application under uvicorn."""
    with postgres.temporary_database(template=devise_template) as dsn:
        deployment = Deployment(tmp_path_factory.mktemp("operator"), dsn, PROFILE)
        baked = deployment.settings(stage_public_key="", redirect_uri="")
        pepper = oracle()[BOB]["pepper"]
        app = prepare(dsn, deployment.issuer, settings=baked, pepper=pepper, extra=ENVIRONMENT)
        app.asgi = True
        at = {"stage": app.stage, "redirect_uri": f"{app.base_url}{CALLBACK_PATH}"}
        try:
            app.start()
            yield lambda cases: deployment.verify(app.base_url, cases=cases, **at)
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
        check(result, gaps=GAPS)


def test_views_in_the_event_loop(running: DjangoClub) -> None:
    app = prepare(running.dsn, running.issuer, pepper=running.app.environment["DEVISE_PEPPER"])
    app.asgi = True
    app.start()
    club = DjangoClub(app, running.issuer, running.dsn)
    try:
        with club.browser() as client:
            club.sign_in_by_json(client, BOB, path="/async/login")
            assert client.get("/async/whoami").json() == {"user": str(BOB)}
            conflict = {"Authorization": f"Bearer {club.token(ALICE)}"}
            refused = client.get("/async/whoami", headers=conflict)
            assert refused.json() == {"error": "auth_conflict"}
        with club.browser(token=club.token(ALICE)) as client:
            assert client.get("/async/whoami").json() == {"user": str(ALICE)}
        club.set_stage(Stage.DRAIN)
        with club.browser() as client:
            moved = club.sign_in_by_json(client, BOB, path="/async/login")
            assert (moved.status_code, moved.json()) == (403, {"error": "login_moved"})
            assert client.get("/async/whoami").json() == {"user": None}
    finally:
        app.remove()
