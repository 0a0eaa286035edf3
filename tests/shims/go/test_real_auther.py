"""The Go application beside a real better-auth with the plugin: exchange, login, a moved user's form, logout."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urljoin

import httpx
import psycopg
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users, envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.better_auth.browser import NAVIGATION
from tests.parts.go import CALLBACK_PATH, GoApp, prepare
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.go.club import CAROL, PEPPER, csrf_of, oracle, wait_until

pytestmark = pytest.mark.xdist_group("conformance-go")
SUB = f"auther-user-{CAROL}"
FAR = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Town:
    """Both sides, with Carol on each."""

    app: GoApp
    auther: BetterAuth
    users: Users
    dsn: str

    def browser(self) -> httpx.Client:
        """Give a browser that goes wherever it is sent, to either side."""
        return httpx.Client(
            base_url=self.app.base_url, headers=NAVIGATION, follow_redirects=True, timeout=60
        )

    def sign_in(self, browser: httpx.Client) -> httpx.Response:
        """Sign in at the application's own form."""
        form = {"email": oracle()[CAROL]["email"], "csrf": csrf_of(browser.get("/login").text)}
        form["password"] = oracle()[CAROL]["plaintext_password"]
        return browser.post("/login", data=form)

    def fill_in(self, browser: httpx.Client, page: httpx.Response) -> httpx.Response:
        """Fill in Auther's form."""
        assert str(page.url).startswith(f"{self.auther.base_url}/sign-in"), page.url
        carol = oracle()[CAROL]
        return browser.post(
            urljoin(str(page.url), "/api/auth/sign-in/email"),
            data={"email": carol["email"], "password": carol["plaintext_password"]},
            headers={"Origin": self.auther.base_url},
        )

    def begin(self, *, home: str) -> None:
        """Begin in dual, with Carol at home on one side and signed in nowhere."""
        self.sql(f"UPDATE migrator_identity SET home = '{home}'")
        self.users.run("DELETE FROM session WHERE user_id = ?", SUB)
        self.set_stage(Stage.DUAL)

    def set_stage(self, stage: Stage) -> None:
        """Publish a stage and wait until the application is there."""
        self.app.stage.set(stage, legacy_accept_until=FAR)
        query = "SELECT stage FROM migrator_instance"
        wait_until(lambda: self.sql(query) == [(stage.value,)])

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement on the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def sessions(self) -> int:
        """Count Carol's sessions at Auther."""
        return len(self.users.rows("SELECT id FROM session WHERE user_id = ?", SUB))


@pytest.fixture(scope="module")
def town(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """Both sides, running."""
    require("go")
    require("node")
    port, path = free_port(), tmp_path_factory.mktemp("auther") / "auther.db"
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    with (
        start(path, clients=[client], env=ENVIRONMENT, peppers={"current": PEPPER}) as auther,
        postgres.temporary_database(template=devise_template) as dsn,
    ):
        create_side_tables(dsn)
        api = f"{auther.base_url}/api/auth"
        settings = replace(
            shim_settings(Issuer(client_id="club"), stage_public_key="", redirect_uri=""),
            issuers=(auther.base_url,),
            jwks_url=f"{api}/jwks",
            authorize_url=f"{api}/oauth2/authorize",
            token_url=f"{api}/oauth2/token",
            plugin_url=f"{api}/migrator",
        )
        secrets = {f"MIGRATOR_{name}_SECRET": secret for name, secret in SECRETS.items()}
        app = prepare(dsn, Issuer(), settings=settings, port=port, pepper=PEPPER, extra=secrets)
        town = Town(app, auther, Users(path), dsn)
        town.sql(
            "INSERT INTO migrator_identity (source, user_pk, auther_id) "
            f"VALUES ('User', '{CAROL}', '{SUB}')"
        )
        ((stored,),) = town.sql(f"SELECT encrypted_password FROM users WHERE id = {CAROL}")
        row = person(
            id=SUB, email=oracle()[CAROL]["email"], password=envelope(str(stored), "current")
        )
        assert Door(auther).upsert(row) == ["inserted"]
        try:
            app.start()
            yield town
        finally:
            app.remove()


def test_a_session_becomes_authers_without_a_password_and_logout_ends_it_there(
    town: Town,
) -> None:
    town.begin(home="legacy")
    with town.browser() as browser:
        assert town.sign_in(browser).status_code == 200
        assert browser.get("/me").json()["credential"] == "session"
        town.set_stage(Stage.DRAIN)

        answer = browser.get("/me")

        assert answer.json() == {"user": str(CAROL), "credential": "cookie", "auther_id": SUB}
        assert town.sessions() == 1
        assert town.sql("SELECT home FROM migrator_identity") == [("auther",)]
        browser.post("/auth/auther/logout")
        assert town.sessions() == 0
        assert browser.get("/me").json() == {"user": None}


def test_a_moved_users_password_at_the_old_form_leads_through_auther(town: Town) -> None:
    town.begin(home="auther")
    with town.browser() as browser:
        page = town.sign_in(browser)
        town.fill_in(browser, page)

        assert browser.get("/me").json()["credential"] == "cookie"
