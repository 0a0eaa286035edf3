"""The Express application beside a real better-auth with the plugin: login, renewal, exchange, logout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import Client, start
from tests.parts.express import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables
from tests.shims.asgi.club import ALICE, TOKEN_COOKIE, oracle
from tests.shims.beside_auther import Town, import_alice
from tests.shims.express.club import Club
from tests.shims.rails.town import PEPPER_ID, settings_of

pytestmark = pytest.mark.xdist_group("express")
CLOCK = Path(__file__).with_name("clock.mjs")


@pytest.fixture(scope="module")
def running(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """Both sides, started once."""
    require("express")
    port, pepper = free_port(), oracle()[ALICE]["pepper"]
    folder = tmp_path_factory.mktemp("auther")
    path, ahead = folder / "auther.db", folder / "ahead"
    ahead.write_text("0")
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    clock = {"NODE_OPTIONS": f"--import={CLOCK}", "AHEAD_FILE": str(ahead)}
    secrets = {f"MIGRATOR_{name}_SECRET": secret for name, secret in SECRETS.items()}
    with (
        start(path, clients=[client], env=ENVIRONMENT, peppers={PEPPER_ID: pepper}) as auther,
        postgres.temporary_database(template=devise_template) as dsn,
    ):
        create_side_tables(dsn)
        settings = settings_of(auther, client, "")
        app = prepare(
            dsn, Issuer(), settings=settings, pepper=pepper, port=port, extra=secrets | clock
        )
        club = Club(app, Issuer(), dsn)
        import_alice(club, Door(auther))
        try:
            app.start()
            yield Town(club, auther, Users(path), ahead)
        finally:
            app.remove()


@pytest.fixture
def town(running: Town) -> Town:
    """Both sides in stage dual, Alice at home on the legacy side and signed in nowhere."""
    running.ahead.write_text("0")
    running.users.run("DELETE FROM session")
    running.club.move(ALICE, "legacy")
    running.club.set_stage(Stage.DUAL)
    return running


def test_a_login_is_renewed_without_a_password_until_a_logout_ends_it_on_both_sides(
    town: Town,
) -> None:
    with town.browser() as browser:
        page = town.sign_in_at_auther(browser)
        assert str(page.url) == f"{town.club.app.base_url}/whoami?page=2"
        assert (town.who(browser), town.sessions()) == (str(ALICE), 1)
        town.check_renewal(browser)
        assert town.club.count("auth_renewals_total", result="ok") == 1
        assert town.log_out(browser).status_code == 303
        assert (town.who(browser), town.sessions()) == (None, 0)
        page = browser.get("/auth/auther/start")
        assert str(page.url).startswith(f"{town.auther.base_url}/sign-in")
    assert town.club.count("auth_logouts_total", auther="ended") == 1


def test_a_session_becomes_authers_without_a_password(town: Town) -> None:
    with town.browser() as browser:
        town.club.sign_in(browser, ALICE, remember_me="1")
        assert town.who(browser) == str(ALICE)
        town.club.set_stage(Stage.DRAIN)

        page = browser.get("/whoami", params={"page": "2"})

        assert str(page.url) == f"{town.club.app.base_url}/whoami?page=2"
        assert (page.json()["user"], page.json()["credential"]) == (str(ALICE), "cookie")
        assert town.sessions() == 1
        home = "SELECT home FROM migrator_identity WHERE user_pk = %s"
        assert town.club.sql(home, str(ALICE)) == [("auther",)]
        assert "remember_me" not in browser.cookies
        del browser.cookies[TOKEN_COOKIE]
        assert town.who(browser) is None


def test_whoever_is_banned_at_auther_stays_on_the_session(town: Town) -> None:
    with town.browser() as browser:
        town.club.sign_in(browser, ALICE)
        town.club.set_stage(Stage.DRAIN)
        town.users.run("UPDATE user SET banned = 1")
        try:
            page = browser.get("/whoami")
        finally:
            town.users.run("UPDATE user SET banned = 0")
        assert (page.json()["user"], page.json()["credential"]) == (str(ALICE), "session")
    assert town.sessions() == 0
