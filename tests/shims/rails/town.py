"""The running application beside a real Auther with the plugin, and people who are known on both sides."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import bcrypt
import httpx

from migrator.conformance.issuer import Issuer
from migrator.shims.interface import ShimSettings
from tests.auther.plugin.door import ENVIRONMENT, SECRETS, Door, person
from tests.auther.plugin.users import COST, Users, envelope
from tests.parts.better_auth import BetterAuth, Client, start
from tests.parts.postgres import free_port
from tests.parts.rails import CALLBACK_PATH, prepare
from tests.parts.stage_file import NAMESPACE, create_side_tables
from tests.shims.rails.club import ALICE, BOB, CAROL, DAVE, NAVIGATION, Club, oracle, sub_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

PEPPER_ID = "current"
CAPABILITIES = ("VERIFY", "EXCHANGE", "LOGOUT", "RESET", "CAPTURE")
FAR = "2099-01-01T00:00:00Z"
LINK = "INSERT INTO migrator_identity (source, user_pk, auther_id) VALUES ('User', %s, %s)"


@dataclass(frozen=True)
class Town:
    """Both sides."""

    club: Club
    auther: BetterAuth
    door: Door
    users: Users

    def browser(self, **options: Any) -> httpx.Client:
        """Give a browser that goes wherever it is sent, to either side."""
        return httpx.Client(
            base_url=self.club.app.base_url,
            headers=NAVIGATION,
            follow_redirects=True,
            timeout=60,
            **options,
        )

    def sign_in(self, browser: httpx.Client, user_id: int, *, remember: bool = False) -> None:
        """Sign in at Devise's form."""
        answer = self.club.sign_in(browser, user_id, remember=remember)
        assert self.who(browser) == user_id, answer.text

    def sign_in_at_auther(self, browser: httpx.Client, user_id: int) -> httpx.Response:
        """Take the button, fill in Auther's form, and come back."""
        page = browser.get("/auth/auther/start", params={"return_to": "/members"})
        return self.fill_in(browser, page, user_id)

    def fill_in(self, browser: httpx.Client, page: httpx.Response, user_id: int) -> httpx.Response:
        """Fill in Auther's form."""
        assert str(page.url).startswith(f"{self.auther.base_url}/sign-in"), page.url
        someone = self.club.people[user_id]
        credentials = {"email": someone["email"], "password": someone["plaintext_password"]}
        return browser.post(
            urljoin(str(page.url), "/api/auth/sign-in/email"),
            data=credentials,
            headers={"Origin": self.auther.base_url},
        )

    def who(self, browser: httpx.Client) -> int | None:
        """Say whom the application sees, asked by a script."""
        user: int | None = browser.get(
            "/whoami", headers={"Accept": "application/json", "Sec-Fetch-Mode": "cors"}
        ).json()["user"]
        return user

    def sessions(self, user_id: int) -> int:
        """Count a user's sessions at Auther."""
        return len(self.users.rows("SELECT id FROM session WHERE user_id = ?", sub_of(user_id)))

    def home(self, user_id: int) -> str:
        """Say where a user is at home."""
        rows = self.club.sql(
            "SELECT home FROM migrator_identity WHERE auther_id = %s", sub_of(user_id)
        )
        return str(rows[0][0])

    def move(self, user_id: int, password: str) -> None:
        """Let a user be at home at Auther, with another password than in the users table."""
        stored = bcrypt.hashpw(password.encode(), bcrypt.gensalt(COST)).decode()
        self.users.run(
            "UPDATE account SET password = ? WHERE user_id = ? AND provider_id = 'credential'",
            envelope(stored),
            sub_of(user_id),
        )
        self.club.sql(
            "UPDATE migrator_identity SET home = 'auther' WHERE auther_id = %s", sub_of(user_id)
        )

    def grown(self, name: str, before: dict[tuple[str, ...], int]) -> list[str]:
        """Give the labels of a counter's series that grew."""
        after = self.club.counters()
        return [
            " ".join(series[1:])
            for series, count in after.items()
            if series[0] == name and count > before.get(series, 0)
        ]

    def bring_over(self, people: Iterable[int]) -> None:
        """Import people."""
        for user_id in people:
            row = person(
                id=sub_of(user_id),
                password=imported(self.club, user_id),
                email=self.club.people[user_id]["email"],
            )
            assert self.door.upsert(row) == ["inserted"]
            self.club.sql(LINK, str(user_id), sub_of(user_id))

    @contextmanager
    def without_auther(self) -> Iterator[None]:
        """Let Auther answer nothing for a while."""
        os.kill(self.auther.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.auther.pid, signal.SIGCONT)

    def reset(self) -> None:
        """Everybody as imported, nobody signed in at Auther."""
        self.club.reset_people()
        self.users.run("DELETE FROM session")
        self.users.run("UPDATE user SET banned = 0")
        for user_id in (ALICE, BOB, CAROL, DAVE):
            self.users.run(
                "UPDATE account SET password = ? WHERE user_id = ? AND provider_id = 'credential'",
                imported(self.club, user_id),
                sub_of(user_id),
            )


def imported(club: Club, user_id: int) -> str:
    """Give what the import writes for a user's hash."""
    stored = club.sql("SELECT encrypted_password FROM users WHERE id = %s", user_id)[0][0]
    return envelope(stored, PEPPER_ID)


@contextmanager
def town(
    postgres: PostgresServer,
    template: str,
    folder: Path,
    *,
    auther_env: Mapping[str, str] | None = None,
) -> Iterator[Town]:
    """Start both sides and import four people.

    Args:
        postgres: Where the application's database is made.
        template: The database it is a copy of.
        folder: Where Auther's database file is made.
        auther_env: More environment of Auther.
    """
    with (
        postgres.temporary_database(template=template) as dsn,
        town_on(dsn, folder, (ALICE, BOB, CAROL, DAVE), auther_env=auther_env) as made,
    ):
        yield made


@contextmanager
def town_on(
    dsn: str,
    folder: Path,
    people: Iterable[int],
    *,
    auther_env: Mapping[str, str] | None = None,
    app_env: Mapping[str, str] | None = None,
    **settings: Any,
) -> Iterator[Town]:
    """Start both sides and import people.

    Args:
        dsn: The application's database, with the users table.
        folder: Where Auther's database file is made.
        people: Whom to import, by their key.
        auther_env: More environment of Auther.
        app_env: More environment of the application.
        settings: What differs in the shim's settings.
    """
    port = free_port()
    client = Client("club", (f"http://127.0.0.1:{port}{CALLBACK_PATH}",))
    pepper = oracle()[BOB]["pepper"]
    create_side_tables(dsn)
    with start(
        folder / "auther.db",
        clients=[client],
        env={**ENVIRONMENT, **(auther_env or {})},
        peppers={PEPPER_ID: pepper},
    ) as auther:
        app = prepare(
            dsn,
            lambda _port, key: replace(settings_of(auther, client, key), **settings),
            port=port,
            pepper=pepper,
            extra={f"MIGRATOR_{name}_SECRET": SECRETS[name] for name in CAPABILITIES}
            | dict(app_env or {}),
        )
        made = Town(Club(app, Issuer(), dsn), auther, Door(auther), Users(folder / "auther.db"))
        try:
            made.bring_over(people)
            app.start()
            yield made
        finally:
            app.remove()


def settings_of(auther: BetterAuth, client: Client, stage_public_key: str) -> ShimSettings:
    """Give the shim's settings for an Auther."""
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
        stage_public_key=stage_public_key,
        plugin_url=f"{api}/migrator",
        check_permission_url=f"{api}/check-permission",
        create_users=True,
        json_doors_until=FAR,
    )
