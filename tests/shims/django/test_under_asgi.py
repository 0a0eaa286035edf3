"""The same middleware under ASGI: it is written for WSGI, and Django adapts it to the event loop."""

import pytest

from migrator.core.stage import Stage
from tests.parts.django import CALLBACK_PATH, DjangoApp, prepare
from tests.shims.asgi.club import ALICE, BOB
from tests.shims.conformance import Deployment
from tests.shims.conforming import Core, prepared
from tests.shims.django.club import DjangoClub
from tests.shims.django.test_conformance import GAPS, PROFILE

pytestmark = pytest.mark.xdist_group("django")


class TestUnderAsgi(Core):
    profile = PROFILE
    callback_path = CALLBACK_PATH
    gaps = GAPS

    @classmethod
    def app(cls, dsn: str, deployment: Deployment) -> DjangoApp:
        """Put it under uvicorn."""
        app = prepared(prepare, dsn, deployment)
        app.asgi = True
        return app


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
