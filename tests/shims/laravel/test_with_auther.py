"""Laravel behind nginx and PHP-FPM, beside a real better-auth with the plugin: login, renewal, exchange, logout, capture."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users, bcrypt_envelope
from tests.parts import require
from tests.parts.better_auth import Client, start
from tests.parts.faulty_wire import Fault, FaultyHttp, Planned
from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.parts.laravel_fpm import LaravelFpm
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables
from tests.shims import beside_auther
from tests.shims.asgi.club import ALICE, oracle, sub_of
from tests.shims.beside_auther import import_alice
from tests.shims.laravel.club import LaravelClub
from tests.shims.laravel.test_conformance import REMEMBER
from tests.shims.rails.town import PEPPER_ID, settings_of

pytestmark = pytest.mark.xdist_group("laravel")
CLOCK = Path(__file__).with_name("clock.php")
# Users of the dump whom nobody else here signs in.
EVES, MALLORY, NIAJ, PEGGY, TRENT = (8, 16, 24), 10, 17, 11, 18
# Far more than the shim's second, and than a test waits for anything.
TOO_LATE_S = 600


@dataclass(frozen=True)
class Town(beside_auther.Town):
    """Both sides.

    Attributes:
        wire: Between the shim and the plugin.
    """

    wire: FaultyHttp

    def sign_in(self, user_id: int) -> None:
        """Sign in at the legacy form, and wait until everything behind its answer is done."""
        before = self.form_logins()
        with self.browser() as browser:
            self.club.sign_in(browser, user_id)
            assert self.who(browser) == str(user_id)
        self.wait_for_form_logins(before + 1)

    def sign_in_until(self, user_id: int, *, matched: bool) -> str:
        """Sign in until the shim notes so, and give its reason: on a busy machine Auther may not answer in time."""

        def is_noted() -> bool:
            self.sign_in(user_id)
            return [found for found, _ in self.noted(user_id)] == [matched]

        self.club.wait_for(is_noted)
        return self.noted(user_id)[0][1]

    def form_logins(self) -> int:
        """Count logins at the legacy form: each is counted last of all, behind its answer."""
        return self.club.count("auth_logins_total", door="form", side="legacy")

    def wait_for_form_logins(self, number: int) -> None:
        """Wait until so many are done."""
        self.club.wait_for(lambda: self.form_logins() == number)

    def bring_over(self, user_id: int, password: str | None) -> None:
        """Import a user whose hash was carried to Auther, or was not."""
        row = person(id=sub_of(user_id), email=oracle()[user_id]["email"], password=password)
        assert Door(self.auther).upsert(row) == ["inserted"]

    def captures(self) -> dict[str, int]:
        """Count what became of passwords that were handed over."""
        results = ("captured", "left", "failed")
        return {name: self.club.count("auth_captures_total", result=name) for name in results}

    def noted(self, user_id: int) -> list[tuple[bool, str]]:
        """Give whether a user's password signs in at Auther too, and why not, as the shim found."""
        query = "SELECT matched, reason FROM migrator_shadow WHERE user_pk = %s"
        return self.club.sql(query, str(user_id))

    def files_with(self, text: str) -> list[str]:
        """Give the application's files that hold a text: its log, sessions, counters and all."""
        found: str = self.club.app.run("grep", "-rFls", "--", text, ".").stdout
        return found.splitlines()


@pytest.fixture(scope="module")
def town(
    postgres: PostgresServer, devise_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """Both sides, running, Alice at home on the legacy side."""
    for part in ("laravel_shim", "php_fpm", "node"):
        require(part)
    port, pepper = free_port(), oracle()[ALICE]["pepper"]
    folder = tmp_path_factory.mktemp("auther")
    path, ahead = folder / "auther.db", folder / "ahead"
    ahead.write_text("0")
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    secrets = {f"MIGRATOR_{name}_SECRET": secret for name, secret in SECRETS.items()}
    with (
        start(path, clients=[client], env=ENVIRONMENT, peppers={PEPPER_ID: pepper}) as auther,
        FaultyHttp(auther.base_url) as wire,
        postgres.temporary_database(template=devise_template) as dsn,
    ):
        create_side_tables(dsn)
        settings = settings_of(auther, client, "")
        app = prepare(
            dsn,
            Issuer(),
            settings=replace(settings, plugin_url=f"{wire.base_url}/api/auth/migrator"),
            pepper=pepper,
            port=port,
            extra=secrets | {"AHEAD_FILE": str(ahead)},
        )
        served = LaravelFpm.of(app, waits=False, options=(f"auto_prepend_file={CLOCK}",))
        club = LaravelClub(served, Issuer(), dsn)
        import_alice(club, Door(auther))
        try:
            served.start()
            yield Town(club, auther, Users(path), ahead, wire)
        finally:
            served.remove()


def test_a_session_becomes_authers_is_renewed_and_ends_on_both_sides(town: Town) -> None:
    club = town.club
    club.set_stage(Stage.DUAL)
    logins = town.form_logins()
    with town.browser() as browser:
        club.sign_in(browser, ALICE, remember="1")
        assert browser.get("/whoami").json()["credential"] == "session"
        club.set_stage(Stage.DRAIN)

        page = browser.get("/whoami", params={"page": "2"})

        assert str(page.url) == f"{club.app.base_url}/whoami?page=2"
        assert (page.json()["user"], page.json()["credential"]) == (str(ALICE), "cookie")
        assert town.sessions() == 1
        home = "SELECT home FROM migrator_identity WHERE user_pk = %s"
        assert club.sql(home, str(ALICE)) == [("auther",)]
        assert REMEMBER not in browser.cookies

        town.check_renewal(browser)

        assert town.log_out(browser).status_code == 303
        assert (town.who(browser), town.sessions()) == (None, 0)

        # Without a session on either side Auther asks for the password again.
        page = town.sign_in_at_auther(browser)
        assert str(page.url) == f"{club.app.base_url}/whoami?page=2"
        assert page.json()["credential"] == "cookie"
    counted = {"auth_exchanges_total": "ok", "auth_renewals_total": "ok"}
    for name, result in counted.items():
        club.wait_for(lambda name=name, result=result: club.count(name, result=result) == 1)
    club.wait_for(lambda: club.count("auth_logouts_total", auther="ended") == 1)
    town.wait_for_form_logins(logins + 1)


def _is_handed_over(town: Town, user_id: int) -> bool:
    """Sign in until Auther has the password; tell whether it said so in time."""
    town.bring_over(user_id, None)
    before = town.captures()
    assert town.sign_in_until(user_id, matched=True) == ""
    return town.captures() == before | {"captured": before["captured"] + 1}


def test_a_password_that_could_not_be_carried_is_handed_over_at_the_login(town: Town) -> None:
    town.club.set_stage(Stage.LEGACY)

    eve = next(user_id for user_id in EVES if _is_handed_over(town, user_id))

    someone, before = town.club.people[eve], town.captures()
    signed_in = town.auther.sign_in(someone["email"], someone["plaintext_password"])
    assert (signed_in.status, signed_in.user_id) == (200, sub_of(eve))
    town.sign_in(eve)
    assert town.captures() == before, "handed over once"
    assert town.files_with('"event":"auth"') == ["./application.log"]
    assert town.files_with(someone["plaintext_password"]) == []
    assert someone["plaintext_password"] not in town.auther.log()


def test_an_auther_that_takes_its_time_stops_no_login(town: Town) -> None:
    town.club.set_stage(Stage.LEGACY)
    town.bring_over(PEGGY, None)
    before = town.captures()

    def is_kept_waiting() -> bool:
        capture = town.wire.requests + 1
        town.wire.plan = {capture: Planned(capture, Fault.SLOW, TOO_LATE_S)}
        town.sign_in(PEGGY)
        return town.captures() == before | {"failed": before["failed"] + 1}

    # Once, where the check before it was answered in time.
    town.club.wait_for(is_kept_waiting)
    assert town.noted(PEGGY) == [(False, "no_credential")]
    # Auther took it all the same, as a later login finds.
    town.sign_in_until(PEGGY, matched=True)


@pytest.mark.parametrize(
    ("user_id", "pinned", "compromised"),
    [(MALLORY, "second_factor", False), (NIAJ, None, True)],
    ids=["pinned", "compromised"],
)
def test_a_password_that_auther_must_not_see_stays_here(
    town: Town, user_id: int, pinned: str | None, *, compromised: bool
) -> None:
    town.club.set_stage(Stage.LEGACY, stop_accepting=compromised)
    town.bring_over(user_id, None)
    pin = "UPDATE migrator_identity SET pinned_reason = %s WHERE user_pk = %s"
    town.club.sql(pin, pinned, str(user_id))
    before = town.wire.requests
    town.sign_in(user_id)
    assert town.wire.requests == before


def test_a_password_is_not_given_in_place_of_another(town: Town) -> None:
    town.club.set_stage(Stage.LEGACY)
    town.bring_over(TRENT, bcrypt_envelope("another word"))
    before = town.captures()
    assert town.sign_in_until(TRENT, matched=False) == ""
    assert town.captures() == before
