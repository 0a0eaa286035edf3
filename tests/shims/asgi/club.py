"""The running Starlette application as the tests see it: people, browsers, tokens, counters."""

import csv
import hmac
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psycopg

from migrator.conformance.counters import samples_of
from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.demo.sessions import rails_session
from tests.parts.asgi import AsgiApp
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN

PLAINTEXTS = Path(__file__).parents[2] / "data" / "devise_600_plaintext.csv"
# Users of the dump; all of category "plain".
BOB, ALICE, CAROL, DAVE = 1, 2, 3, 6
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
XHR = {"Accept": "application/json"}
TOKEN_COOKIE = "auther_id_token"
SESSION_COOKIE = "_club_session"
PATIENCE_S = 30
# Everything here is http on loopback; reading the certificates takes longer than the request.
NO_TLS = False


def sub_of(user_id: int) -> str:
    """Give the Auther id of a user."""
    return f"auther-user-{user_id}"


def oracle() -> dict[int, dict[str, str]]:
    """Give e-mail, password, pepper and the rest of each user of the dump."""
    with PLAINTEXTS.open(newline="", encoding="utf-8") as file:
        return {int(row["id"]): row for row in csv.DictReader(file)}


@dataclass
class Club:
    """One application, its issuer and its database."""

    app: AsgiApp
    issuer: Issuer
    dsn: str
    sessions: dict[int, str] = field(default_factory=dict)

    def browser(self, *, signed_in: int | None = None, token: str = "") -> httpx.Client:
        """Give a browser that follows no redirects, with a legacy session or a token cookie."""
        client = httpx.Client(base_url=self.app.base_url, timeout=30, headers=XHR, verify=NO_TLS)
        if signed_in is not None:
            client.cookies.set(SESSION_COOKIE, self.session(signed_in), domain="127.0.0.1")
        if token:
            client.cookies.set(TOKEN_COOKIE, token, domain="127.0.0.1")
        return client

    def session(self, user_id: int) -> str:
        """Give the cookie of a session that Rails wrote."""
        if user_id not in self.sessions:
            (found,) = self.sql("SELECT encrypted_password FROM users WHERE id = %s", user_id)
            self.sessions[user_id], row = rails_session(user_id, found[0])
            self.sql(
                "INSERT INTO sessions (session_id, data, created_at, updated_at) "
                "VALUES (%s, %s, now(), now())",
                row["session_id"],
                row["data"],
            )
        return self.sessions[user_id]

    def token(self, user_id: int, **claims: Any) -> str:
        """Give a good token of a user, or one with other claims."""
        return self.issuer.make_token(sub_of(user_id), **claims)

    def get(self, path: str = "/me", *, bearer: str = "", **headers: str) -> httpx.Response:
        """Ask without cookies."""
        sent = {**XHR, **headers} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        return httpx.get(self.app.base_url + path, headers=sent, timeout=30, verify=NO_TLS)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement on the application's database."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def set_stage(self, stage: Stage, **options: Any) -> None:
        """Publish a stage and wait until the application is there."""
        wanted = {"percent": 0.0, "stop_accepting": False, "legacy_accept_until": None, **options}
        document = self.app.stage.document
        same = all(getattr(document, name) == value for name, value in wanted.items())
        if not (same and document.stage is stage and document.epoch > 0):
            self.app.stage.set(stage, **options)
        self.wait_for(lambda: self.shim_info()["epoch"] == str(self.app.stage.document.epoch))

    def wait_for(self, condition: Any) -> None:
        """Wait until something holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, self.app.log[-2000:]
            time.sleep(0.05)

    def metrics_text(self) -> str:
        """Give the exposition."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        return self.get("/migrator/metrics", **headers).text

    def counters(self) -> Counter[tuple[str, ...]]:
        """Give each series as (name, "label=value", …) with its count."""
        return Counter(
            {
                (sample.name, *sorted(f"{k}={v}" for k, v in sample.labels.items() if v)): int(
                    sample.value
                )
                for sample in samples_of(self.metrics_text())
                if sample.name.endswith("_total")
            }
        )

    def requests_counted(self) -> Counter[tuple[str, str, str]]:
        """Give (path, outcome, reason) of real requests, added up over the stages."""
        totals: Counter[tuple[str, str, str]] = Counter()
        for sample in samples_of(self.metrics_text()):
            labels = sample.labels
            if sample.name == "auth_requests_total" and labels["synthetic"] == "0":
                key = (labels["path"], labels["outcome"], labels["reason"])
                totals[key] += int(sample.value)
        return totals

    def shim_info(self) -> dict[str, str]:
        """Give the labels of migrator_shim_info."""
        samples = samples_of(self.metrics_text())
        return next(s.labels for s in samples if s.name == "migrator_shim_info")

    def jwks_fetches(self) -> int:
        """Count the requests that the issuer's key endpoint has seen."""
        return self.issuer.jwks_fetches

    def link_everybody(self) -> None:
        """Give each user of the dump an identity."""
        self.sql(
            "INSERT INTO migrator_identity (source, user_pk, auther_id) "
            "SELECT 'User', id::text, 'auther-user-' || id FROM users"
        )

    def reset_people(self) -> None:
        """Undo what a test did to the users that the tests act with."""
        people = [BOB, ALICE, CAROL, DAVE]
        self.sql(
            "UPDATE users SET locked_at = NULL, failed_attempts = 0, deleted_at = NULL, "
            "confirmed_at = coalesce(confirmed_at, now()) WHERE id = ANY(%s)",
            people,
        )
        self.sql(
            "UPDATE migrator_identity SET pinned_reason = NULL, auth_valid_after = NULL, "
            "home = 'legacy' WHERE user_pk = ANY(%s)",
            [str(pk) for pk in people],
        )
        self.sessions.clear()


def marker(
    *, secret: str = CONTROL_SECRET, at_s: float | None = None, nonce: str | None = None
) -> str:
    """Give a positive control's marker."""
    at = int(time.time() if at_s is None else at_s)
    signed = f"v1.{at}.{nonce or secrets.token_hex(16)}"
    return f"{signed}.{hmac.new(secret.encode(), signed.encode(), sha256).hexdigest()}"
