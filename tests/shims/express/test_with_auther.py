"""The Express application beside a real better-auth with the plugin: login, renewal, exchange, logout."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users, envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.express import CALLBACK_PATH, prepare
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables
from tests.shims.asgi.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, oracle, sub_of
from tests.shims.express.club import Club
from tests.shims.rails.town import PEPPER_ID, settings_of

pytestmark = pytest.mark.xdist_group("express")
CLOCK = Path(__file__).with_name("clock.mjs")
# What Auther's tokens live, and a little more.
ENDED_S = 2 * 24 * 3600 + 60


@dataclass(frozen=True)
class Town:
    """Both sides, with Alice on each."""

    club: Club
    auther: BetterAuth
    users: Users
    ahead: Path

    def browser(self) -> httpx.Client:
        """Give a browser that goes wherever it is sent, to either side."""
        base = self.club.app.base_url
        return httpx.Client(base_url=base, headers=NAVIGATION, follow_redirects=True, timeout=60)

    def sign_in_at_auther(self, browser: httpx.Client) -> httpx.Response:
        """Take the button, fill in Auther's form, and come back."""
        page = browser.get("/auth/auther/start", params={"return_to": "/whoami?page=2"})
        alice = self.club.people[ALICE]
        return browser.post(
            urljoin(str(page.url), "/api/auth/sign-in/email"),
            data={"email": alice["email"], "password": alice["plaintext_password"]},
            headers={"Origin": self.auther.base_url},
        )

    def who(self, browser: httpx.Client) -> str | None:
        """Say whom the application sees, asked by a script."""
        answer = browser.get("/whoami", headers={**XHR, "Sec-Fetch-Mode": "cors"})
        user: str | None = answer.json()["user"]
        return user

    def log_out(self, browser: httpx.Client) -> httpx.Response:
        """End both sides, as a page of the application does."""
        origin = {"Origin": self.club.app.base_url}
        return browser.post("/auth/auther/logout", headers=origin, follow_redirects=False)

    def sessions(self) -> int:
        """Count Alice's sessions at Auther."""
        return len(self.users.rows("SELECT id FROM session WHERE user_id = ?", sub_of(ALICE)))


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


def import_alice(club: Club, door: Door) -> None:
    ((stored,),) = club.sql("SELECT encrypted_password FROM users WHERE id = %s", ALICE)
    row = person(
        id=sub_of(ALICE), password=envelope(stored, PEPPER_ID), email=oracle()[ALICE]["email"]
    )
    assert door.upsert(row) == ["inserted"]
    club.link_everybody()


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
        ended = browser.cookies[TOKEN_COOKIE]

        town.ahead.write_text(str(ENDED_S))
        assert town.who(browser) is None, "no script renews anything"
        browser.cookies.set(TOKEN_COOKIE, ended, domain="127.0.0.1")
        begun = browser.get("/whoami?page=3", follow_redirects=False)
        to_auther = browser.get(begun.headers["location"], follow_redirects=False)
        # The new token is as long as the first one: Auther's clock stood where it was.
        town.ahead.write_text("0")
        page = browser.get(to_auther.headers["location"])

        assert str(page.url) == f"{town.club.app.base_url}/whoami?page=3"
        assert page.json()["credential"] == "cookie"
        assert browser.cookies[TOKEN_COOKIE] != ended
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
