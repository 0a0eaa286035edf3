"""The running Express application as the tests see it: people, browsers, tokens, counters."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from migrator.conformance.counters import samples_of
from tests.parts.stage_file import METRICS_TOKEN
from tests.shims.asgi.club import NAVIGATION, NO_TLS, TOKEN_COOKIE, XHR, oracle, sub_of

if TYPE_CHECKING:
    from migrator.conformance.issuer import Issuer
    from migrator.core.stage import Stage
    from tests.parts.express import ExpressApp
    from tests.parts.go import GoApp
    from tests.parts.rack import RackApp

SEEN_WITHIN_S = 30
CSRF = re.compile(r'name="csrf"[^>]* value="([^"]+)"')


@dataclass
class Club:
    """One application, its issuer and its database."""

    app: ExpressApp | GoApp | RackApp
    issuer: Issuer
    dsn: str
    people: dict[int, dict[str, str]] = field(default_factory=oracle)

    def browser(self, *, token: str = "", **headers: str) -> httpx.Client:
        """Give a browser that follows no redirects."""
        sent = {**XHR, **headers}
        client = httpx.Client(base_url=self.app.base_url, timeout=30, headers=sent, verify=NO_TLS)
        if token:
            client.cookies.set(TOKEN_COOKIE, token, domain="127.0.0.1")
        return client

    def sign_in(self, client: httpx.Client, user_id: int, **fields: str) -> httpx.Response:
        """Fill in the legacy form and send it."""
        found = CSRF.search(client.get("/login", headers=NAVIGATION).text)
        assert found
        form = {
            "csrf": found[1],
            "email": self.people[user_id]["email"],
            "password": self.people[user_id]["plaintext_password"],
            **fields,
        }
        return client.post("/login", data=form, headers=NAVIGATION)

    def enter(self, user_id: int) -> None:
        """Sign in at the legacy form, in a new browser."""
        with self.browser() as client:
            self.sign_in(client, user_id)
            assert client.get("/whoami").json()["user"] == str(user_id)

    def sign_in_at_auther(self, client: httpx.Client, user_id: int) -> httpx.Response:
        """Go through the code flow; give the callback's answer."""
        self.issuer.signed_in_sub = sub_of(user_id)
        begun = client.get("/auth/auther/start?return_to=/whoami", headers=NAVIGATION)
        back = httpx.get(begun.headers["location"], verify=NO_TLS)
        return client.get(back.headers["location"], headers=NAVIGATION)

    def token(self, user_id: int, **claims: Any) -> str:
        """Give a good token of a user, or one with other claims."""
        return self.issuer.make_token(sub_of(user_id), **claims)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def link_everybody(self) -> None:
        """Give each user of the dump an identity."""
        self.sql(
            "INSERT INTO migrator_identity (source, user_pk, auther_id) "
            "SELECT 'User', id::text, 'auther-user-' || id FROM users"
        )

    def move(self, user_id: int, home: str) -> None:
        """Change a user's home."""
        statement = "UPDATE migrator_identity SET home = %s WHERE user_pk = %s"
        self.sql(statement, home, str(user_id))

    def set_stage(self, stage: Stage, **options: Any) -> None:
        """Publish a stage and wait until the application is there."""
        self.app.stage.set(stage, **options)
        epoch = str(self.app.stage.document.epoch)
        self.wait_for(lambda: self.labels("migrator_shim_info")["epoch"] == epoch)

    def wait_for(self, condition: Any) -> None:
        """Wait until something holds."""
        ends_s = time.monotonic() + SEEN_WITHIN_S
        while not condition():
            assert time.monotonic() < ends_s, self.app.log[-2000:]
            time.sleep(0.05)

    def samples(self) -> list[Any]:
        """Give all samples."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        return samples_of(self.browser().get("/migrator/metrics", headers=headers).text)

    def labels(self, name: str) -> dict[str, str]:
        """Give a sample's labels."""
        found: dict[str, str] = next(s.labels for s in self.samples() if s.name == name)
        return found

    def count(self, name: str, **labels: str) -> int:
        """Add up the samples that have these labels."""
        fitting = (
            s for s in self.samples() if s.name == name and labels.items() <= s.labels.items()
        )
        return int(sum(s.value for s in fitting))
