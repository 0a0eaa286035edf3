"""One journey with a real better-auth: an imported user signs in with the old password."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from migrator.conformance.issuer import Issuer
from migrator.core.envelope import Envelope
from tests.auther.plugin.users import Users
from tests.parts import require
from tests.parts.better_auth import BetterAuth, Client
from tests.parts.postgres import free_port
from tests.parts.rails import CALLBACK_PATH, RailsApp, prepare
from tests.parts.stage_file import create_side_tables
from tests.shims.rails.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, Club, oracle
from tests.shims.rails.town import settings_of

FORM = re.compile(r'<form method="post" action="([^"]+)"')
SECRET = "s3cret-of-the-club"


@pytest.fixture(params=["public", "web"])
def app(
    request: pytest.FixtureRequest,
    better_auth: Callable[..., BetterAuth],
    devise_db: str,
    tmp_path: Path,
) -> Iterator[RailsApp]:
    """The application as a client of a real better-auth that Alice was imported into."""
    require("rails")
    port, secret = free_port(), SECRET if request.param == "web" else None
    redirect_uri = f"http://127.0.0.1:{port}{CALLBACK_PATH}"
    client = Client("club", (redirect_uri,), type=request.param, secret=secret)
    pepper = oracle()[ALICE]["pepper"]
    auther = better_auth(tmp_path / "auther.db", clients=[client], peppers={"current": pepper})
    create_side_tables(devise_db)
    app = prepare(
        devise_db,
        lambda _port, key: settings_of(auther, client, key),
        port=port,
        pepper=pepper,
        extra={"AUTHER_CLIENT_SECRET": secret} if secret else {},
    )
    app.start()
    yield app
    app.remove()


def import_alice(club: Club, auther_db: Path) -> None:
    stored = club.sql("SELECT encrypted_password FROM users WHERE id = %s", ALICE)[0][0]
    users = Users(auther_db)
    user = users.add(Envelope("bcrypt", stored, ("current",)).encode())
    users.run("UPDATE user SET email = ? WHERE id = ?", club.people[ALICE]["email"], user.id)
    club.sql(
        "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', %s, %s)",
        str(ALICE),
        user.id,
    )


def through_auther(browser: httpx.Client, person: dict[str, str]) -> httpx.Response:
    """Follow redirects to Auther's form, fill it in, and follow back to the application."""
    page = browser.get(
        "/auth/auther/start", params={"return_to": "/members"}, follow_redirects=True
    )
    form = FORM.search(page.text)
    assert form, page.text
    origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
    answer = browser.post(
        urljoin(str(page.url), form[1]),
        data={"email": person["email"], "password": person["plaintext_password"]},
        headers={"Origin": origin},
    )
    return browser.get(answer.headers["location"])


def test_an_imported_user_signs_in_with_the_old_password(app: RailsApp, tmp_path: Path) -> None:
    club = Club(app, Issuer(), app.environment["DATABASE_URL"])
    import_alice(club, tmp_path / "auther.db")
    with httpx.Client(base_url=app.base_url, headers=NAVIGATION, timeout=60) as browser:
        answer = through_auther(browser, club.people[ALICE])
        assert (answer.status_code, urlsplit(answer.headers["location"]).path) == (303, "/members")
        assert f"member {ALICE}" in browser.get("/members").text
        token = browser.cookies[TOKEN_COOKIE]
    bearer = {"Authorization": f"Bearer {token}", **XHR}
    assert httpx.get(f"{app.base_url}/whoami", headers=bearer).json()["user"] == ALICE
    assert club.sql("SELECT home FROM migrator_identity") == [("auther",)]
