"""The running Django application as the tests see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.shims.asgi.club import NAVIGATION
from tests.shims.express.club import Club

if TYPE_CHECKING:
    import httpx

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class DjangoClub(Club):
    """One application, its issuer and its database."""

    def send(self, client: httpx.Client, path: str, **fields: str) -> httpx.Response:
        """Open a page, and send its form."""
        page = client.get(path, headers=NAVIGATION)
        found = CSRF.search(page.text)
        assert found, page.text
        form = {"csrfmiddlewaretoken": found[1], **fields}
        return client.post(path, data=form, headers=NAVIGATION)

    def sign_in(
        self, client: httpx.Client, user_id: int, *, path: str = "/login", **fields: str
    ) -> httpx.Response:
        """Fill in the legacy form and send it."""
        person = self.people[user_id]
        known = {"username": person["email"], "password": person["plaintext_password"]}
        return self.send(client, path, **(known | fields))

    def sign_in_by_json(
        self, client: httpx.Client, user_id: int, password: str = "", *, path: str = "/api/login"
    ) -> httpx.Response:
        """Sign in as the mobile application does."""
        person = self.people[user_id]
        sent = {
            "email": person["email"],
            "password": password or person["plaintext_password"],
        }
        return client.post(path, json=sent)

    def who(self, client: httpx.Client) -> str | None:
        """Give who is signed in."""
        user: str | None = client.get("/whoami").json()["user"]
        return user

    def reset_link(self, user_id: int) -> str:
        """Give the link of a reset mail."""
        with self.browser() as client:
            return client.get("/forgot", params={"user": str(user_id)}).text

    def hash_of(self, user_id: int) -> str:
        """Give the hash of a user's password."""
        ((found,),) = self.sql("SELECT encrypted_password FROM users WHERE id = %s", user_id)
        return str(found)

    def set_hash(self, user_id: int, value: str) -> None:
        """Put it back."""
        self.sql("UPDATE users SET encrypted_password = %s WHERE id = %s", value, user_id)
