"""The running application as the tests see it: people, browsers, tokens, counters."""

import csv
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from prometheus_client.samples import Sample

from migrator.conformance.counters import samples_of
from migrator.conformance.issuer import Issuer
from migrator.core.stage import Stage
from tests.parts.rails import RailsApp
from tests.parts.stage_file import METRICS_TOKEN

PLAINTEXTS = Path(__file__).parents[2] / "data" / "devise_600_plaintext.csv"
# Users of the dump; all of category "plain".
BOB, ALICE, CAROL, DAVE = 1, 2, 3, 6
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
XHR = {"Accept": "application/json"}
STAGE_SEEN_WITHIN_S = 15
# Time for a few tries, five seconds apart.
KEYS_FETCHED_WITHIN_S = 60
UNAVAILABLE = 503
TOKEN_COOKIE = "auther_id_token"


def sub_of(user_id: int) -> str:
    """Give the Auther id of a user."""
    return f"auther-user-{user_id}"


def oracle() -> dict[int, dict[str, str]]:
    """Give e-mail, password and the rest of each user of the dump."""
    with PLAINTEXTS.open(newline="") as file:
        return {int(row["id"]): row for row in csv.DictReader(file)}


@dataclass
class Club:
    """One application, its issuer and its database."""

    app: RailsApp
    issuer: Issuer
    dsn: str
    people: dict[int, dict[str, str]] = field(default_factory=oracle)
    sessions: dict[int, dict[str, str]] = field(default_factory=dict)

    def browser(self, *, signed_in: int | None = None) -> httpx.Client:
        """Give a browser that follows no redirects, with a user's legacy session if asked."""
        client = httpx.Client(base_url=self.app.base_url, timeout=30)
        if signed_in is not None:
            # With the domain, or the application's answers would add a second cookie.
            for name, value in self._session(signed_in).items():
                client.cookies.set(name, value, domain="127.0.0.1")
        return client

    def _session(self, user_id: int) -> dict[str, str]:
        if user_id not in self.sessions:
            with self.browser() as client:
                answer = self.sign_in(client, user_id)
                assert answer.status_code == 302, answer.text
                self.sessions[user_id] = dict(client.cookies)
        return self.sessions[user_id]

    def sign_in(
        self, client: httpx.Client, user_id: int, *, remember: bool = False, **headers: str
    ) -> httpx.Response:
        """Fill in Devise's own form and send it."""
        form = {
            "authenticity_token": self.csrf_token(client, "/users/sign_in"),
            "user[email]": self.people[user_id]["email"],
            "user[password]": self.people[user_id]["plaintext_password"],
            "user[remember_me]": "1" if remember else "0",
        }
        return client.post("/users/sign_in", data=form, headers={"Accept": "text/html", **headers})

    def csrf_token(self, client: httpx.Client, path: str, *, form: bool = True) -> str:
        """Give the token of the first form on a page, or the page's own, good for any action."""
        page = client.get(path, headers={"Accept": "text/html"}).text
        in_form, in_page = (
            r'name="authenticity_token" value="([^"]+)"',
            r'name="csrf-token" content="([^"]+)"',
        )
        found = re.search(in_form if form else in_page, page)
        assert found, page
        return found[1]

    def token(self, user_id: int, **claims: Any) -> str:
        """Give a good token of a user, or one with other claims."""
        return self.issuer.make_token(sub_of(user_id), **claims)

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
        self.wait_for_epoch(self.app.stage.document.epoch)

    def wait_for_epoch(self, epoch: int) -> None:
        """Wait until the application reports an epoch."""
        deadline_s = time.monotonic() + STAGE_SEEN_WITHIN_S
        while self.shim_info()["epoch"] != str(epoch):
            assert time.monotonic() < deadline_s, self.shim_info()
            time.sleep(0.1)

    def wait_for_keys(self) -> None:
        """Wait until the application has the issuer's keys: on a busy machine it may give its first fetch up."""
        deadline_s = time.monotonic() + KEYS_FETCHED_WITHIN_S
        bearer = {"Authorization": f"Bearer {self.token(ALICE)}", **XHR}
        with self.browser() as client:
            while client.get("/whoami", headers=bearer).status_code == UNAVAILABLE:
                assert time.monotonic() < deadline_s, self.app.log[-2000:]
                time.sleep(0.1)

    def metrics_text(self) -> str:
        """Give the exposition."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        return httpx.get(f"{self.app.base_url}/migrator/metrics", headers=headers, timeout=30).text

    def counters(self) -> dict[tuple[str, ...], int]:
        """Give each series as (name, "label=value", …), added up over stages and kinds of client."""
        totals: Counter[tuple[str, ...]] = Counter()
        for sample in self.samples():
            told = {k: v for k, v in sample.labels.items() if v and k not in {"stage", "client"}}
            labels = sorted(f"{k}={v}" for k, v in told.items())
            totals[sample.name, *labels] += int(sample.value)
        return {series: count for series, count in totals.items() if series[0].endswith("_total")}

    def samples(self) -> list[Sample]:
        """Give all that the exposition holds."""
        return samples_of(self.metrics_text())

    def shim_info(self) -> dict[str, str]:
        """Give the labels of migrator_shim_info."""
        return next(s.labels for s in self.samples() if s.name == "migrator_shim_info")

    def reset_people(self) -> None:
        """Undo what a test did to the users that the tests act with."""
        self.sql(
            "UPDATE users SET locked_at = NULL, failed_attempts = 0, deleted_at = NULL, "
            "confirmed_at = coalesce(confirmed_at, now()), remember_created_at = NULL "
            "WHERE id = ANY(%s)",
            [BOB, ALICE, CAROL, DAVE],
        )
        self.sql(
            "UPDATE migrator_identity SET home = 'legacy', pinned_reason = NULL, "
            "auth_valid_after = NULL, last_legacy_at = NULL, last_auther_at = NULL "
            "WHERE home <> 'legacy' OR pinned_reason IS NOT NULL OR auth_valid_after IS NOT NULL "
            "OR last_legacy_at IS NOT NULL OR last_auther_at IS NOT NULL"
        )
