"""The application and a real Auther: one browser from the legacy form to a logout on both sides."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from migrator.shims.interface import ShimSettings
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import Users, envelope
from tests.parts import require
from tests.parts.asgi import CALLBACK_PATH, prepare
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.postgres import PostgresServer, free_port
from tests.parts.stage_file import NAMESPACE, create_side_tables
from tests.shims.asgi.club import (
    ALICE,
    NAVIGATION,
    SESSION_COOKIE,
    TOKEN_COOKIE,
    Club,
    oracle,
    sub_of,
)

PEPPER_ID = "current"
CAPABILITIES = ("VERIFY", "EXCHANGE", "LOGOUT", "RESET")


@pytest.fixture
def auther_db(tmp_path: Path) -> Path:
    return tmp_path / "auther.db"


@pytest.fixture
def town(postgres: PostgresServer, devise_template: str, auther_db: Path) -> Iterator[Club]:
    """The club as a client of a better-auth that Alice was imported into."""
    require("node")
    port, pepper = free_port(), oracle()[ALICE]["pepper"]
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    with (
        start(auther_db, clients=[client], env=ENVIRONMENT, peppers={PEPPER_ID: pepper}) as auther,
        postgres.temporary_database(template=devise_template) as dsn,
    ):
        create_side_tables(dsn)
        extra = {f"MIGRATOR_{name}_SECRET": SECRETS[name] for name in CAPABILITIES}
        settings = settings_of(auther, client)
        app = prepare(dsn, Issuer(), settings=settings, port=port, pepper=pepper, extra=extra)
        club = Club(app, Issuer(), dsn)
        import_alice(club, Door(auther))
        try:
            app.start()
            yield club
        finally:
            app.remove()


def settings_of(auther: BetterAuth, client: Client) -> ShimSettings:
    api = f"{auther.base_url}/api/auth"
    return ShimSettings(
        issuers=(auther.base_url,),
        audiences=(client.client_id,),
        jwks_url=f"{api}/jwks",
        client_id=client.client_id,
        authorize_url=f"{api}/oauth2/authorize",
        token_url=f"{api}/oauth2/token",
        redirect_uri=client.redirect_uris[0],
        namespace=NAMESPACE,
        stage_public_key="",
        plugin_url=f"{api}/migrator",
    )


def import_alice(club: Club, door: Door) -> None:
    ((stored,),) = club.sql("SELECT encrypted_password FROM users WHERE id = %s", ALICE)
    row = person(
        id=sub_of(ALICE), password=envelope(stored, PEPPER_ID), email=oracle()[ALICE]["email"]
    )
    assert door.upsert(row) == ["inserted"]
    club.link_everybody()


def test_a_session_becomes_authers_without_a_password_and_ends_on_both_sides(
    town: Club, auther_db: Path
) -> None:
    base, users = town.app.base_url, Users(auther_db)
    form = {
        "email": oracle()[ALICE]["email"],
        "password": oracle()[ALICE]["plaintext_password"],
        "remember": "1",
    }
    town.set_stage(Stage.DUAL)
    with httpx.Client(
        base_url=base, headers=NAVIGATION, follow_redirects=True, timeout=60
    ) as browser:
        assert browser.post("/login", data=form).json()["credential"] == "session"
        town.set_stage(Stage.DRAIN)

        page = browser.get("/me", params={"page": "2"})

        assert (page.json()["user"], page.json()["credential"]) == (str(ALICE), "cookie")
        assert str(page.url) == f"{base}/me?page=2"
        assert len(users.rows("SELECT id FROM session WHERE user_id = ?", sub_of(ALICE))) == 1
        home = "SELECT home FROM migrator_identity WHERE user_pk = %s"
        assert town.sql(home, str(ALICE)) == [("auther",)]
        assert "_club_remember" not in browser.cookies

        browser.post("/auth/auther/logout", headers={"Origin": base}, follow_redirects=False)

        assert TOKEN_COOKIE not in browser.cookies
        assert users.rows("SELECT id FROM session WHERE user_id = ?", sub_of(ALICE)) == []
        assert SESSION_COOKIE in browser.cookies, "the cart stays; its user went at the callback"
        assert browser.get("/me", headers={"Sec-Fetch-Mode": "cors"}).json() == {"user": None}
