"""The Go application beside a real better-auth with the plugin: exchange, login, a moved user's form, logout, capture."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event
from typing import Any
from urllib.parse import urljoin

import httpx
import psycopg
import pytest

from migrator.conformance.counters import METRICS_PATH, samples_of
from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from migrator.shims.interface import ShimSettings
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users, envelope
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.better_auth.browser import NAVIGATION
from tests.parts.go import CALLBACK_PATH, GoApp, prepare
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import METRICS_TOKEN, create_side_tables, shim_settings
from tests.shims.asgi.answering import answering
from tests.shims.asgi.club import sub_of
from tests.shims.go.club import CAROL, PEPPER, csrf_of, oracle, wait_until

pytestmark = pytest.mark.xdist_group("conformance-go")
SUB = sub_of(CAROL)
# They come to Auther without a password, each in one test only.
ALICE, EVE, MALLORY = 2, 8, 10
PLUGIN_SECRETS = {f"MIGRATOR_{name}_SECRET": secret for name, secret in SECRETS.items()}
FAR = "2099-01-01T00:00:00Z"


@dataclass(frozen=True)
class Town:
    """Both sides, with Carol on each."""

    app: GoApp
    auther: BetterAuth
    users: Users
    dsn: str
    settings: ShimSettings

    def browser(self) -> httpx.Client:
        """Give a browser that goes wherever it is sent, to either side."""
        return httpx.Client(
            base_url=self.app.base_url, headers=NAVIGATION, follow_redirects=True, timeout=60
        )

    def sign_in(self, browser: httpx.Client, user_id: int = CAROL) -> httpx.Response:
        """Sign in at the application's own form."""
        someone = oracle()[user_id]
        form = {"email": someone["email"], "csrf": csrf_of(browser.get("/login").text)}
        form["password"] = someone["plaintext_password"]
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
        query = "SELECT stage FROM migrator_instance WHERE instance = 'web-1'"
        wait_until(lambda: self.sql(query) == [(stage.value,)])

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement on the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def metrics(self) -> str:
        """Give the application's exposition."""
        bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        url = self.app.base_url + METRICS_PATH
        return httpx.get(url, headers=bearer, trust_env=False).text

    def results(self, counter: str) -> Counter[str]:
        """Give what a counter has counted, by result."""
        found = [sample for sample in samples_of(self.metrics()) if sample.name == counter]
        return Counter({sample.labels["result"]: int(sample.value) for sample in found})

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
        app = prepare(
            dsn, Issuer(), settings=settings, port=port, pepper=PEPPER, extra=PLUGIN_SECRETS
        )
        town = Town(app, auther, Users(path), dsn, settings)
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
        home = f"SELECT home FROM migrator_identity WHERE user_pk = '{CAROL}'"
        assert town.sql(home) == [("auther",)]
        browser.post("/auth/auther/logout")
        assert town.sessions() == 0
        assert browser.get("/me").json() == {"user": None}


def test_a_moved_users_password_at_the_old_form_leads_through_auther(town: Town) -> None:
    town.begin(home="auther")
    with town.browser() as browser:
        page = town.sign_in(browser)
        town.fill_in(browser, page)

        assert browser.get("/me").json()["credential"] == "cookie"


@contextmanager
def beside(
    town: Town, *, captures: bool = True, late: Event | None = None
) -> Iterator[tuple[Town, list[str]]]:
    """Run the application once more; give it, and what it asks the plugin for.

    Args:
        captures: Whether it has the secret.
        late: What `capture` waits for before it answers.
    """
    asked: list[str] = []

    def answer(path: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        asked.append(path)
        if late is not None and path == "/capture":
            late.wait()
            return 503, {}
        bearer = {"Authorization": headers["Authorization"]}
        url = f"/api/auth/migrator{path}"
        said = town.auther.request("POST", url, json=body, headers=bearer)
        return said.status_code, said.json()

    extra = PLUGIN_SECRETS | {"MIGRATOR_INSTANCE": "web-2"}
    if not captures:
        del extra["MIGRATOR_CAPTURE_SECRET"]
    with answering(answer) as url:
        settings = replace(town.settings, plugin_url=url)
        app = prepare(town.dsn, Issuer(), settings=settings, pepper=PEPPER, extra=extra)
        try:
            app.start()
            yield replace(town, app=app), asked
        finally:
            app.remove()


def know_without_password(town: Town, user_id: int) -> None:
    """Import somebody whose hash could not be carried."""
    row = person(id=sub_of(user_id), email=oracle()[user_id]["email"])
    assert Door(town.auther).upsert(row) == ["inserted"]
    town.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) "
        f"VALUES ('User', '{user_id}', '{sub_of(user_id)}')"
    )


def sign_in_until(town: Town, user_id: int, counter: str, result: str) -> None:
    """Sign in until a check beside it ended so: on a busy machine one may be given up too early."""

    def ended_so() -> bool:
        town.users.run("DELETE FROM account WHERE user_id = ?", sub_of(user_id))
        before = town.results("auth_shadow_checks_total").total()
        with town.browser() as browser:
            assert town.sign_in(browser, user_id).status_code == 200
            assert browser.get("/me").json()["user"] == str(user_id)
        wait_until(lambda: town.results("auth_shadow_checks_total").total() > before)
        return town.results(counter)[result] > 0

    wait_until(ended_so)


def test_a_password_that_could_not_be_carried_is_given_to_auther_at_the_login(town: Town) -> None:
    know_without_password(town, EVE)
    with beside(town) as (site, _):
        sign_in_until(site, EVE, "auth_captures_total", "captured")
        said = site.app.log + site.metrics() + town.auther.log()
    email, password = (oracle()[EVE][name] for name in ("email", "plaintext_password"))
    signed_in = town.auther.sign_in(email, password)

    assert (signed_in.status, signed_in.user_id) == (200, sub_of(EVE))
    shadow = f"SELECT matched, reason FROM migrator_shadow WHERE user_pk = '{EVE}'"
    assert town.sql(shadow) == [(True, "")]
    assert password not in said
    assert SECRETS["CAPTURE"] not in said


def test_without_the_secret_auther_is_given_nothing(town: Town) -> None:
    know_without_password(town, MALLORY)
    with beside(town, captures=False) as (site, asked):
        sign_in_until(site, MALLORY, "auth_shadow_checks_total", "mismatch")
        assert not site.results("auth_captures_total")

    assert set(asked) == {"/verify"}
    accounts = town.users.rows("SELECT id FROM account WHERE user_id = ?", sub_of(MALLORY))
    assert accounts == []


def test_a_plugin_that_does_not_answer_in_time_hinders_no_login(town: Town) -> None:
    know_without_password(town, ALICE)
    late = Event()
    with beside(town, late=late) as (site, _):
        try:
            sign_in_until(site, ALICE, "auth_captures_total", "failed")
        finally:
            late.set()
        said = site.app.log + site.metrics()

    assert oracle()[ALICE]["plaintext_password"] not in said
