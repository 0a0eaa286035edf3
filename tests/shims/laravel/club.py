"""The running Laravel application as the tests see it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.shims.asgi.club import NAVIGATION
from tests.shims.express.club import Club

if TYPE_CHECKING:
    import httpx

CSRF = re.compile(r'name="_token" value="([^"]+)"')


class LaravelClub(Club):
    """The same people and pages as the Express application has; forms carry Laravel's token."""

    def sign_in(self, client: httpx.Client, user_id: int, **fields: str) -> httpx.Response:
        """Fill in the legacy form and send it."""
        found = CSRF.search(client.get("/login", headers=NAVIGATION).text)
        assert found
        form = {
            "_token": found[1],
            "email": self.people[user_id]["email"],
            "password": self.people[user_id]["plaintext_password"],
            **fields,
        }
        return client.post("/login", data=form, headers=NAVIGATION)
