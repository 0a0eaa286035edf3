"""The applications on Node.js beside a real better-auth with the plugin: login, renewal, exchange, logout, capture."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.express import CALLBACK_PATH, EXPRESS, HONO, Stack, prepare
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables, shim_settings
from tests.shims.asgi.answering import answering
from tests.shims.asgi.club import ALICE, TOKEN_COOKIE, oracle, sub_of
from tests.shims.beside_auther import Town, import_alice
from tests.shims.express.club import Club
from tests.shims.rails.town import PEPPER_ID, settings_of

pytestmark = pytest.mark.xdist_group("express")
CLOCK = Path(__file__).with_name("clock.mjs")


@pytest.fixture(scope="module")
def running(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """Both sides, started once; the application may not give Auther any password."""
    require("express")
    port, pepper = free_port(), oracle()[ALICE]["pepper"]
    folder = tmp_path_factory.mktemp("auther")
    path, ahead = folder / "auther.db", folder / "ahead"
    ahead.write_text("0")
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    clock = {"NODE_OPTIONS": f"--import={CLOCK}", "AHEAD_FILE": str(ahead)}
    secrets = {f"MIGRATOR_{name}_SECRET": SECRETS[name] for name in SECRETS.keys() - {"CAPTURE"}}
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


ERIN, FRANK, GRACE, MALLORY = 8, 16, 24, 32
ATTEMPTS = 20
HANGS_AT_MOST_S = 120


@dataclass
class Way:
    """Between an application and the plugin.

    Attributes:
        is_free: Unless it is set, captures hang, and do not arrive.
        asked: What was asked for so far, and about whom.
    """

    auther: BetterAuth
    is_free: Event = field(default_factory=Event)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, path: str, headers: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Answer a call of the application."""
        self.asked.add((path, body["id"]))
        if path == "/capture" and not self.is_free.is_set():
            self.is_free.wait(HANGS_AT_MOST_S)
            return 503, {}
        bearer = {"Authorization": headers["authorization"]}
        url = f"/api/auth/migrator{path}"
        answer = self.auther.request("POST", url, headers=bearer, json=body)
        return answer.status_code, answer.json()


@contextmanager
def capturing(town: Town, stack: Stack) -> Iterator[tuple[Club, Way]]:
    """Start an application that may give Auther passwords, on the same users."""
    way, issuer = Way(town.auther), Issuer()
    plain = shim_settings(issuer, stage_public_key="", redirect_uri="")
    extra = {"MIGRATOR_INSTANCE": "capturing"} | {
        f"MIGRATOR_{name}_SECRET": SECRETS[name] for name in ("VERIFY", "CAPTURE")
    }
    with answering(way.answer) as url:
        app = prepare(
            town.club.dsn,
            issuer,
            stack=stack,
            settings=replace(plain, plugin_url=url),
            pepper=oracle()[ALICE]["pepper"],
            extra=extra,
        )
        try:
            app.start()
            yield Club(app, issuer, town.club.dsn), way
        finally:
            way.is_free.set()
            app.remove()


def without_password(town: Town, user_id: int) -> None:
    """Import a user whose hash could not be carried."""
    row = person(id=sub_of(user_id), email=oracle()[user_id]["email"])
    assert Door(town.auther).upsert(row) == ["inserted"]


def sign_in_until(
    town: Town, club: Club, user_id: int, name: str, *, result: str, goes_first: bool = False
) -> None:
    """Sign in, each time without a password at Auther, until a counter grows.

    On a busy machine Auther may not answer within the second that it has.

    Args:
        goes_first: The login has to be answered before the check beside it has ended.
    """
    checks, before = "auth_shadow_checks_total", club.count(name, result=result)
    for _ in range(ATTEMPTS):
        town.users.run("UPDATE account SET password = NULL WHERE user_id = ?", sub_of(user_id))
        ended = club.count(checks)
        with club.browser() as browser:
            assert club.sign_in(browser, user_id).status_code == 303
        went_first = club.count(checks) == ended
        club.wait_for(lambda ended=ended: club.count(checks) > ended)
        if club.count(name, result=result) > before and went_first >= goes_first:
            return
    pytest.fail(f"no {name} with {result}, or no login went first")


def passwords(town: Town, user_id: int) -> list[dict[str, object]]:
    """Give the user's passwords at Auther."""
    query = "SELECT password FROM account WHERE user_id = ? AND password IS NOT NULL"
    return town.users.rows(query, sub_of(user_id))


@pytest.mark.parametrize(
    ("stack", "user_id"), [(EXPRESS, ERIN), (HONO, FRANK)], ids=["express", "hono"]
)
def test_a_password_that_could_not_be_carried_is_handed_over_at_a_login_that_waits_for_nothing(
    town: Town, stack: Stack, user_id: int
) -> None:
    require(stack.target.name)
    without_password(town, user_id)
    someone, captures = oracle()[user_id], "auth_captures_total"
    pin = "UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE user_pk = %s"
    town.club.sql(pin, str(MALLORY))
    with capturing(town, stack) as (club, way):
        with club.browser() as browser:
            assert club.sign_in(browser, MALLORY).status_code == 303
        sign_in_until(town, club, user_id, captures, result="failed", goes_first=True)
        assert passwords(town, user_id) == []

        way.is_free.set()
        sign_in_until(town, club, user_id, captures, result="captured")

        signed_in = town.auther.sign_in(someone["email"], someone["plaintext_password"])
        assert (signed_in.status, signed_in.user_id) == (200, sub_of(user_id))
        said = club.app.log + town.auther.log()
        assert someone["plaintext_password"] not in said
        assert SECRETS["CAPTURE"] not in said
        # Of whom is pinned here it learns nothing.
        assert way.asked == {(path, sub_of(user_id)) for path in ("/verify", "/capture")}


def test_without_the_secret_nothing_is_handed_over(town: Town) -> None:
    without_password(town, GRACE)
    sign_in_until(town, town.club, GRACE, "auth_shadow_checks_total", result="mismatch")
    assert town.club.count("auth_captures_total") == 0
    assert passwords(town, GRACE) == []
    query = "SELECT matched, reason FROM migrator_shadow WHERE user_pk = %s"
    assert town.club.sql(query, str(GRACE)) == [(False, "no_credential")]
