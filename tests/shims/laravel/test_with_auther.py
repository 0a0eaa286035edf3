"""Laravel behind nginx and PHP-FPM, beside a real better-auth with the plugin: login, renewal, exchange, logout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import Client, start
from tests.parts.laravel import CALLBACK_PATH, prepare
from tests.parts.laravel_fpm import LaravelFpm
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import create_side_tables
from tests.shims.asgi.club import ALICE, oracle
from tests.shims.beside_auther import Town, import_alice
from tests.shims.laravel.club import LaravelClub
from tests.shims.laravel.test_conformance import REMEMBER
from tests.shims.rails.town import PEPPER_ID, settings_of

pytestmark = pytest.mark.xdist_group("laravel")
CLOCK = Path(__file__).with_name("clock.php")


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
        postgres.temporary_database(template=devise_template) as dsn,
    ):
        create_side_tables(dsn)
        app = prepare(
            dsn,
            Issuer(),
            settings=settings_of(auther, client, ""),
            pepper=pepper,
            port=port,
            extra=secrets | {"AHEAD_FILE": str(ahead)},
        )
        served = LaravelFpm.of(app, waits=False, options=(f"auto_prepend_file={CLOCK}",))
        club = LaravelClub(served, Issuer(), dsn)
        import_alice(club, Door(auther))
        try:
            served.start()
            yield Town(club, auther, Users(path), ahead)
        finally:
            served.remove()


def test_a_session_becomes_authers_is_renewed_and_ends_on_both_sides(town: Town) -> None:
    club = town.club
    club.set_stage(Stage.DUAL)
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
