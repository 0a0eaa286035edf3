"""Runs the conformance suite against a deployed application, as the operator's command does."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.load import load
from migrator.conformance.interface import Failed, NotRun, Passed
from migrator.conformance.issuer import Issuer
from migrator.conformance.registry import CASES
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.legacy.columns import find_columns
from migrator.legacy.connect import describe_table, open_database
from migrator.legacy.new_user import devise_row, new_user_function
from migrator.runner.context import Context, make_context
from migrator.runner.verifying.people import COLUMNS
from migrator.runner.verifying.verification import Asked, verify_deployment
from tests.parts.postgres import free_port
from tests.parts.stage_file import (
    CONTROL_SECRET,
    METRICS_TOKEN,
    NAMESPACE,
    StageFile,
    create_side_tables,
    shim_settings,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from migrator.conformance.case import Case, Result
    from migrator.shims.interface import ShimSettings

PLAINTEXTS = Path(__file__).parents[1] / "data" / "devise_600_plaintext.csv"

# Users of the dump, all of category "plain", and what becomes of them.
PEOPLE = {
    "alice": 2,
    "bob": 1,
    "carol": 3,
    "locked": 6,
    "attempts": 7,
    "unconfirmed": 8,
    "deleted": 9,
    "pinned": 10,
    "moved": 11,
    "banned": 12,
}
STATES = """
UPDATE users SET locked_at = now() AT TIME ZONE 'utc' WHERE id = {locked};
UPDATE users SET locked_at = now() AT TIME ZONE 'utc', failed_attempts = 20 WHERE id = {attempts};
UPDATE users SET confirmed_at = NULL WHERE id = {unconfirmed};
UPDATE users SET deleted_at = now() WHERE id = {deleted};
INSERT INTO migrator_identity (source, user_pk, auther_id)
SELECT 'User', id::text, 'auther-user-' || id FROM users;
UPDATE migrator_identity SET pinned_reason = 'second_factor' WHERE user_pk = '{pinned}';
UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '{moved}'
"""
CONFIG = """
[migration]
name = "{namespace}"
key = "env:CONFORMANCE_KEY"
[legacy]
dsn = "env:CONFORMANCE_DSN"
[auther]
database = "auther.db"
base_url = "{auther}"
client_id = "{client_id}"
[import]
verified_when = "always"
[stage]
document = "{stage}"
signing_key = "file:stage.key"
expected_instances = 1
wait = "1s"
[shim]
redirect_uri = "{redirect_uri}"
foreign_bearer = ["/api/"]
create_users = true
[drain]
metrics_token = "env:CONFORMANCE_METRICS_TOKEN"
control_secret = "env:CONFORMANCE_CONTROL_SECRET"
[verify]
jwks_cooldown = "{cooldown_s}s"
exchange = true
moved_logins = true
ends_auther_session = true
{profile}
"""
COOLDOWN_S = 1
# A shim reads what it understands of these.
ENVIRONMENT = {
    "MIGRATOR_JWKS_COOLDOWN_S": str(COOLDOWN_S),
    "MIGRATOR_VERIFY_SECRET": "verify-secret-of-the-tests-0123456789",
    "MIGRATOR_EXCHANGE_SECRET": "exchange-secret-of-the-tests-0123456789",
    "MIGRATOR_LOGOUT_SECRET": "logout-secret-of-the-tests-0123456789",
    "MIGRATOR_RESET_SECRET": "reset-secret-of-the-tests-0123456789",
    "MIGRATOR_COOKIE_SECRET": "cookie-secret-of-the-tests-0123456789",
}


@dataclass
class Deployment:
    """What surrounds one application under test.

    Attributes:
        root: The operator's folder.
        dsn: The application's database, a copy of the dump that nobody else uses.
        issuer: Where the suite will stand; not started here.
        profile: The rest of the section `[verify]`, as text.
    """

    root: Path
    dsn: str
    profile: str
    issuer: Issuer = field(default_factory=lambda: Issuer(port=free_port()))

    def __post_init__(self) -> None:
        create_side_tables(self.dsn)
        with open_database(self.dsn, read_only=False) as connection:
            columns = find_columns(describe_table(connection, "users", key=""), {})
            connection.execute(new_user_function(devise_row(columns), {}), {})
        with psycopg.connect(self.dsn, autocommit=True) as database:
            database.execute(STATES.format(**PEOPLE))

    def settings(self, *, stage_public_key: str, redirect_uri: str) -> ShimSettings:
        """Give the shim's settings, with everything that the suite can look at."""
        plain = shim_settings(
            self.issuer, stage_public_key=stage_public_key, redirect_uri=redirect_uri
        )
        return replace(
            plain,
            plugin_url=f"{self.issuer.auth_url}/migrator",
            foreign_paths=("/api/",),
            create_users=True,
        )

    def verify(
        self, url: str, *, stage: StageFile, redirect_uri: str, cases: Sequence[Case] = CASES
    ) -> dict[str, Result]:
        """Run cases as the command does; give the results by title."""
        ctx = self.context(stage, redirect_uri=redirect_uri)
        results = verify_deployment(ctx, Asked(url, cases), after_each=lambda _: None)
        return {result.case.title: result for result in results}

    def context(self, stage: StageFile, *, redirect_uri: str) -> Context:
        """Set the operator's folder up; give what a command there gets."""
        self.write(stage, redirect_uri=redirect_uri)
        os.environ.update(self.environment)
        return make_context(
            load(self.root / "migrator.toml"),
            root=self.root,
            clock=SystemClock(),
            progress=Progress(),
        )

    @property
    def environment(self) -> dict[str, str]:
        """Give the secrets of the operator's folder."""
        return {
            "CONFORMANCE_KEY": "k" * 32,
            "CONFORMANCE_DSN": self.dsn,
            "CONFORMANCE_METRICS_TOKEN": METRICS_TOKEN,
            "CONFORMANCE_CONTROL_SECRET": CONTROL_SECRET,
        }

    def write(self, stage: StageFile, *, redirect_uri: str) -> None:
        """Write configuration, signing key and canaries into the operator's folder."""
        key = self.root / "stage.key"
        key.write_text(stage.private_key)
        key.chmod(0o600)
        text = CONFIG.format(
            namespace=NAMESPACE,
            auther=self.issuer.issuer,
            client_id=self.issuer.client_id,
            stage=stage.path,
            redirect_uri=redirect_uri,
            cooldown_s=COOLDOWN_S,
            profile=self.profile,
        )
        (self.root / "migrator.toml").write_text(text)
        self._write_people()

    def _write_people(self) -> None:
        path = self.root / "verify-people.csv"
        with PLAINTEXTS.open(newline="", encoding="utf-8") as file:
            known = {int(row["id"]): row for row in csv.DictReader(file)}
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for name, pk in PEOPLE.items():
                writer.writerow((name, pk, known[pk]["email"], known[pk]["plaintext_password"]))
        path.chmod(0o600)


def known_gaps(path: Path) -> frozenset[str]:
    """Read a target's list of gaps: a title a line, comments begin with #."""
    lines = path.read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def check(result: Result, *, gaps: Collection[str] = ()) -> None:
    """Let a passed case pass, and a known gap that still is one."""
    title, outcome = result.case.title, result.outcome
    if title in gaps:
        assert not isinstance(outcome, Passed), f"{title} is no gap any more: take it off the list"
        return
    assert not isinstance(outcome, NotRun), f"{title} was not run: {outcome.reason}"
    assert not isinstance(outcome, Failed), (
        f"{title}: {result.case.rule}\nsent: {outcome.sent}\nexpected: {outcome.expected}\n"
        f"came back: {outcome.came_back}\nmend: {result.case.mend}"
    )
