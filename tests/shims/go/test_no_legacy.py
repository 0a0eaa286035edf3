"""The plain integration with Auther, on the users that the migration left."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from migrator.conformance.issuer import Issuer
from tests.parts import require
from tests.parts.go import prepare
from tests.parts.postgres import PostgresServer
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.club import ALICE, NAVIGATION, sub_of
from tests.shims.counting import check_that_failed_answers_are_counted
from tests.shims.express.club import Club
from tests.shims.reporting import ALONE, check_that_it_reports_no_legacy_side

pytestmark = pytest.mark.xdist_group("conformance-go")


@pytest.fixture(scope="module")
def plain(postgres: PostgresServer, devise_template: str) -> Iterator[Club]:
    """The application that only knows Auther."""
    require("go")
    with postgres.temporary_database(template=devise_template) as dsn, Issuer() as issuer:
        create_side_tables(dsn)
        settings = shim_settings(issuer, stage_public_key="", redirect_uri="")
        app = prepare(dsn, issuer, settings=replace(settings, legacy=False), extra=ALONE)
        club = Club(app, issuer, dsn)
        club.link_everybody()
        app.start()
        yield club
        app.remove()


def test_it_says_that_it_has_no_legacy_side(plain: Club) -> None:
    check_that_it_reports_no_legacy_side(plain)
    info = plain.labels("migrator_shim_info")
    assert (info["instance"], info["stage"], info["epoch"]) == ("alone-1", "auther", "0")


def test_answers_of_the_application_that_fail_are_counted(plain: Club) -> None:
    check_that_failed_answers_are_counted(plain.app, fails=["/broken"])


def test_without_a_legacy_side(plain: Club) -> None:
    with plain.browser() as client:
        assert client.get("/whoami").json() == {"user": None}
        bearer = {"Authorization": f"Bearer {plain.token(ALICE)}"}
        said = {"user": str(ALICE), "credential": "header", "auther_id": sub_of(ALICE)}
        assert client.get("/whoami", headers=bearer).json() == said
        refused = {"Authorization": f"Bearer {plain.token(ALICE, exp=1)}"}
        answer = client.get("/whoami", headers=refused | NAVIGATION)
        assert (answer.status_code, answer.json()) == (401, {"error": "invalid_token"})
        stranger = {"Authorization": f"Bearer {plain.issuer.make_token('nobody-known')}"}
        assert client.get("/whoami", headers=stranger).json() == {"error": "identity_unlinked"}
        plain.sign_in_at_auther(client, ALICE)
        assert client.get("/whoami").json()["credential"] == "cookie"
        for origin, status in (("https://evil.example", 403), (plain.app.base_url, 303)):
            out = client.post("/auth/auther/logout", headers={"Origin": origin})
            assert out.status_code == status
        assert client.get("/whoami").json() == {"user": None}
    with plain.browser(token=plain.token(ALICE, exp=1)) as client:
        location = client.get("/whoami", headers=NAVIGATION).headers["location"]
        assert location.startswith("/auth/auther/start?")
        assert location.endswith("renew=1&return_to=%2Fwhoami")
