"""An application beside a real better-auth with the plugin, and one person who is known on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from tests.auther.plugin.door import Door, person
from tests.auther.plugin.users import Users, envelope
from tests.shims.asgi.club import ALICE, NAVIGATION, TOKEN_COOKIE, XHR, oracle, sub_of
from tests.shims.rails.town import PEPPER_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.better_auth import BetterAuth
    from tests.shims.express.club import Club

# What Auther's tokens live, and a little more.
ENDED_S = 2 * 24 * 3600 + 60


@dataclass(frozen=True)
class Town:
    """Both sides, with Alice on each.

    Attributes:
        ahead: The file that says by how many seconds the application's clock is ahead.
    """

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

    def check_renewal(self, browser: httpx.Client) -> None:
        """Let the browser's token end, and go to a page."""
        ended = browser.cookies[TOKEN_COOKIE]
        self.ahead.write_text(str(ENDED_S))
        assert self.who(browser) is None, "no script renews anything"
        browser.cookies.set(TOKEN_COOKIE, ended, domain="127.0.0.1")
        begun = browser.get("/whoami?page=3", follow_redirects=False)
        to_auther = browser.get(begun.headers["location"], follow_redirects=False)
        # The new token is as long as the first one: Auther's clock stood where it was.
        self.ahead.write_text("0")
        page = browser.get(to_auther.headers["location"])
        assert str(page.url) == f"{self.club.app.base_url}/whoami?page=3"
        assert page.json()["credential"] == "cookie"
        assert browser.cookies[TOKEN_COOKIE] != ended


def import_alice(club: Club, door: Door) -> None:
    """Write her to Auther as the import does, and link everybody."""
    ((stored,),) = club.sql("SELECT encrypted_password FROM users WHERE id = %s", ALICE)
    row = person(
        id=sub_of(ALICE), password=envelope(stored, PEPPER_ID), email=oracle()[ALICE]["email"]
    )
    assert door.upsert(row) == ["inserted"]
    club.link_everybody()
