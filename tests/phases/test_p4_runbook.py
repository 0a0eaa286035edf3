"""The runbook of the removal is rehearsed beside an application that serves: forward, back and forward again."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from migrator.config.load import load
from migrator.conformance.issuer import Issuer
from migrator.core.clock import SystemClock
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.context import make_context
from migrator.sqlgen.steps import ARCHIVE_COLUMNS, ARCHIVE_TABLES
from tests.parts.asgi import prepare
from tests.parts.stage_file import CONTROL_SECRET, METRICS_TOKEN, create_side_tables
from tests.phases.operating import Operator, first, new_migration, newest_request, typed
from tests.phases.runbook import between, left_out, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrator.runner.context import Context
    from tests.parts.asgi import AsgiApp
    from tests.parts.postgres import PostgresServer

PAGE = (Path(__file__).parents[2] / "runbooks" / "p4-remove.md").read_text(encoding="utf-8")
DO = between(PAGE, "## Do", "### With the migrations of another tool")
# Long spans of the gates are short here; what they measure is not.
QUIET = """
[[gates]]
name = "auther-quiet"
before = "remove"
measure = "legacy_requests"
at_most = 0
consecutive = 1
interval = "1h"
span = "0s"
"""
MEMBER, SUB, PASSWORD = "7", "auther-7", "word-of-the-role-shop"
ROLES = f"""
CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE migrator_guard_owner NOLOGIN;
GRANT USAGE, CREATE ON SCHEMA public TO migrator_guard_owner;
ALTER TABLE identities OWNER TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON push_tokens, users TO shop;
GRANT SELECT, INSERT, UPDATE, DELETE ON migrator_identity, migrator_instance, migrator_shadow, migrator_tombstone,
  migrator_token TO shop;
INSERT INTO migrator_identity (source, user_pk, auther_id, home) VALUES ('User', '{MEMBER}', '{SUB}', 'auther');
"""
# Commands in sentences that are part of no command that is rehearsed, and where they are tried.
IN_SENTENCES = {
    "migrator dual-path stage show": "phase 2",
    "migrator drain health": "phase 3",
    "migrator drain status": "phase 3",
    "migrator drain watch --before remove": "phase 3",
    "migrator remove plan --app PATH": "tests/phases/test_p4_code.py",
    "migrator remove plan --json": "the rehearsal reads what people read",
    "migrator remove plan --wrap rails": "tests/phases/test_p4_wrappers.py",
    "migrator remove permit STEP": "tests/phases/test_p4_wrappers.py",
    "migrator dual-path generate --no-legacy": "tests/phases/test_p4_code.py",
    "migrator remove apply --to 05": "tests/phases/test_p4_mariadb.py",
    "migrator remove apply --confirm PLAN_ID": "there are approvers; tests/phases/test_p4_approvals.py",
    "migrator remove revert --to 02_tripwires": "it goes back to another step",
    "migrator remove revert --to 05_quarantine_tables": "it goes back to other steps",
    "migrator approve sign FILE --key file:KEY --as NAME": "it is typed with their names",
}


@pytest.fixture
def shop_dsn(devise_db: str) -> Iterator[str]:
    """The database as the application's own role reaches it, which owns one of the tables."""
    create_side_tables(devise_db)
    with psycopg.connect(devise_db, autocommit=True) as connection:
        connection.execute(ROLES.encode())
        yield re.sub(r"//.*?@", f"//shop:{PASSWORD}@", devise_db)
        connection.execute(b"DROP OWNED BY shop, migrator_guard_owner CASCADE")
        connection.execute(b"DROP ROLE shop, migrator_guard_owner")


@pytest.fixture
def app(shop_dsn: str) -> Iterator[AsgiApp]:
    """The application, at stage `auther`, with a member who is signed in."""
    with Issuer() as issuer:
        app = prepare(shop_dsn, issuer)
        app.stage.set(Stage.AUTHER)
        app.environment["TOKEN_OF_THE_MEMBER"] = issuer.make_token(SUB)
        app.start()
        yield app
        app.remove()


@contextmanager
def a_member_clicks_on(app: AsgiApp) -> Iterator[list[int]]:
    """Ask again and again as a member does; every answer's status is kept."""
    over, answers = Event(), []
    bearer = {"Authorization": f"Bearer {app.environment['TOKEN_OF_THE_MEMBER']}"}

    def click() -> None:
        with httpx.Client(
            base_url=app.base_url, headers=bearer, timeout=30, trust_env=False
        ) as member:
            while not over.wait(0.2):
                answer = member.get("/me")
                known = answer.status_code == 200 and answer.json()["user"] == MEMBER
                answers.append(answer.status_code if known else 0)

    clicking = Thread(target=click)
    clicking.start()
    try:
        yield answers
    finally:
        over.set()
        clicking.join()


@pytest.fixture
def operator(
    tmp_path: Path,
    devise_db: str,
    shop_dsn: str,
    app: AsgiApp,
    postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Operator]:
    """Somebody at the place where phase 3 ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEGACY_DATABASE_URL", devise_db)
    monkeypatch.setenv("MIGRATOR_METRICS_TOKEN", METRICS_TOKEN)
    monkeypatch.setenv("MIGRATOR_CONTROL_SECRET", CONTROL_SECRET)
    new_migration(tmp_path, gates=QUIET)
    with postgres.temporary_database() as elsewhere:
        monkeypatch.setenv("NEW_DATABASE_URL", elsewhere)
        there = Removing(tmp_path, devise_db, shop_dsn, postgres.directory / "log")
        there.operator.configure(f'[drain]\nshims = ["{app.base_url}"]')
        stages.remember(there.context(), replace(app.stage.document, namespace="shop"))
        # The first look of a gate about counters knows no earlier one.
        typed(["drain", "watch", "--before", "remove", "--count", "1"])
        yield there.operator


class Removing:
    """What happens around the operator, and the words that the page leaves open."""

    def __init__(self, folder: Path, dsn: str, app_dsn: str, log: Path) -> None:
        self.folder, self.dsn, self.app_dsn = folder, dsn, app_dsn
        self.operator = Operator(
            folder,
            scenes={
                "a nightly job reads a table": self.nightly,
                "the window is over": self.week,
            },
            words={
                "REQUEST.json": lambda: newest_request(folder),
                "TABLES_HASH": lambda: self.manifest_hash(ARCHIVE_TABLES),
                "COLUMNS_HASH": lambda: self.manifest_hash(ARCHIVE_COLUMNS),
                "PLAN": lambda: first(
                    r'"plan_id": "(\w+)"', self.read(".migrator/remove/plan.json")
                ),
                "/var/log/postgresql/*.log": lambda: str(log),
                # The club cannot do without the legacy side of its shim.
                '"second_factors"]': lambda: '"second_factors", "code_first"]',
                "age1…": lambda: first(r"public key: (age1\w+)", self.read("archive.key")),
            },
        )

    def context(self) -> Context:
        """Open the context as a command does."""
        config = load(self.folder / "migrator.toml")
        return make_context(config, root=self.folder, clock=SystemClock(), progress=Progress())

    def read(self, name: str) -> str:
        """Read a file of the operator's."""
        return (self.folder / name).read_text(encoding="utf-8")

    def manifest_hash(self, step: str) -> str:
        """Read in the receipt what an archive's manifest has to be."""
        (receipt,) = self.folder.glob(".migrator/archive/*/receipt.json")
        archives = json.loads(receipt.read_text(encoding="utf-8"))["archives"]
        return next(a["manifest_sha256"] for a in archives if a["step"] == step)

    def nightly(self) -> None:
        """Let a program of the application's be refused."""
        with (
            psycopg.connect(self.app_dsn, application_name="nightly") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("SELECT FROM push_tokens")

    def week(self) -> None:
        """Let the window have been opened a week ago."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "UPDATE migrator_guard.scream SET opened_at = opened_at - interval '7 days'"
            )


def test_the_removal_goes_forward_back_and_forward_again_as_the_page_says(
    operator: Operator, app: AsgiApp
) -> None:
    with a_member_clicks_on(app) as answers:
        for step in steps(PAGE):
            operator.play(step)
        for step in steps(DO):
            operator.play(step)
    assert len(answers) > 10
    assert set(answers) == {200}


def test_every_command_on_the_page_is_rehearsed() -> None:
    assert left_out(PAGE) == set(IN_SENTENCES)
