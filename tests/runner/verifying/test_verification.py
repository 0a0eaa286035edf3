"""What the suite refuses to touch, and that it leaves everything as it was."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrator.config.load import load
from migrator.conformance.interface import AUTHER, DRAIN
from migrator.conformance.registry import CASES
from migrator.core.clock import SystemClock
from migrator.core.errors import ConflictError, DependencyError, UsageError
from migrator.core.progress import Progress
from migrator.core.stage import Stage
from migrator.runner import stages
from migrator.runner.context import make_context
from migrator.runner.verifying import verification
from migrator.runner.verifying.people import linked, read_people
from migrator.runner.verifying.rows import CanaryRows
from migrator.runner.verifying.verification import Asked, verify_deployment
from migrator.shims.document import verify
from phases import p2_dual_path
from tests.parts.postgres import free_port
from tests.parts.stage_file import StageFile
from tests.shims.conformance import PEOPLE, Deployment

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context

PROFILE = 'whoami = "/whoami"'
REDIRECT_URI = "http://127.0.0.1:1/auth/auther/callback"
CANARIES = (
    "SELECT user_pk, home, pinned_reason FROM migrator_identity WHERE user_pk = ANY(%s) ORDER BY 1"
)
PATIENCE_S = 20


class Site:
    """An operator's folder and an application's database; nothing runs."""

    def __init__(self, root: Path, dsn: str) -> None:
        self.deployment = Deployment(root, dsn, PROFILE)
        self.stage = StageFile(root / "stage.json")
        self.ctx: Context = self.deployment.context(self.stage, redirect_uri=REDIRECT_URI)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.deployment.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def canaries(self) -> list[tuple[Any, ...]]:
        return self.sql(CANARIES, [str(pk) for pk in PEOPLE.values()])

    def run(self, port: int | None = None, *, during_migration: bool = False) -> None:
        url = f"http://127.0.0.1:{port or free_port()}"
        asked = Asked(url, CASES[:3], during_migration=during_migration)
        verify_deployment(self.ctx, asked, after_each=lambda _: None)

    def published(self) -> Stage:
        return verify(self.stage.path.read_text(), self.stage.public_key).stage


@pytest.fixture
def site(tmp_path: Path, devise_db: str) -> Site:
    return Site(tmp_path, devise_db)


def test_an_application_that_does_not_answer_changes_nothing(site: Site) -> None:
    before = site.canaries()

    with pytest.raises(DependencyError, match="no answer"):
        site.run()

    assert site.canaries() == before
    assert site.published() is Stage.LEGACY
    (outcome,) = [e for e in site.ctx.state.ledger.entries() if e.kind == "outcome"]
    assert (outcome.subject, outcome.body["result"]) == ("verify", "interrupted")


def test_each_document_has_a_higher_epoch_and_the_state_knows_the_last_one(site: Site) -> None:
    epochs = []
    for _ in range(2):
        with pytest.raises(DependencyError):
            site.run()
        document = stages.current(site.ctx)
        assert document is not None
        epochs.append(document.epoch)

    assert epochs == [1, 2]
    assert stages.before(site.ctx) == stages.BEGINNING


def test_people_who_have_moved_are_left_alone(site: Site) -> None:
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '100'")

    with pytest.raises(ConflictError, match="1 people have moved"):
        site.run()

    assert not site.stage.path.exists()
    with pytest.raises(DependencyError):
        site.run(during_migration=True)


def test_a_later_stage_is_left_alone(site: Site) -> None:
    site.stage.set(Stage.DRAIN)
    stages.remember(site.ctx, site.stage.document)

    with pytest.raises(ConflictError, match="the stage is drain"):
        site.run()

    with pytest.raises(DependencyError):
        site.run(during_migration=True)
    assert site.published() is Stage.DRAIN


def test_what_a_killed_run_left_is_put_back_by_the_next(site: Site) -> None:
    before = site.canaries()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        command = (sys.executable, "-m", "migrator", "dual-path", "verify", "--url")
        process = subprocess.Popen(
            [*command, f"http://127.0.0.1:{port}"],
            cwd=site.deployment.root,
            env=os.environ | site.deployment.environment,
        )
        until = time.monotonic() + PATIENCE_S
        while not site.ctx.state.ledger.pending() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert [entry.subject for entry in site.ctx.state.ledger.pending()] == ["verify"]
    site.sql("UPDATE migrator_identity SET home = 'auther' WHERE user_pk = '2'")

    with pytest.raises(DependencyError):
        site.run()

    assert site.canaries() == before
    assert site.ctx.state.ledger.pending() == []


def test_a_rollback_meanwhile_wins(site: Site) -> None:
    with psycopg.connect(site.deployment.dsn, autocommit=True) as connection:
        rows = CanaryRows(connection, site.ctx.config.legacy)
        named = read_people(site.deployment.root / "verify-people.csv")
        people = linked(named, rows.find(person.user_pk for person in named))
        with verification._scene(site.ctx, rows, people, Asked("", ())) as scene:
            scene.publish(DRAIN)
            p2_dual_path.rollback(site.ctx, stop_accepting=True)
            with pytest.raises(ConflictError, match="another runner took over the stage"):
                scene.publish(AUTHER)

    assert site.published() is Stage.LEGACY
    assert stages.position(stages.current(site.ctx)).stop_accepting
    assert site.ctx.state.ledger.pending() == []


def test_a_port_that_is_taken_is_said(site: Site) -> None:
    with (
        socket.create_server(("127.0.0.1", site.deployment.issuer.port)),
        pytest.raises(DependencyError, match=f"port {site.deployment.issuer.port} is taken"),
    ):
        site.run()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,user_pk,email,password\nbob,1,b@example.org,x\n", "no line for alice"),
        ("name,email\nbob,b@example.org\n", "other columns"),
        (
            "name,user_pk,email,password\nalice,999999,a@x.org,x\nbob,1,b@x.org,y\n",
            "nothing in migrator_identity links alice",
        ),
    ],
)
def test_a_wrong_list_of_people_is_a_usage_error(site: Site, text: str, message: str) -> None:
    (site.deployment.root / "verify-people.csv").write_text(text)

    with pytest.raises(UsageError, match=message):
        site.run()


def test_a_list_of_people_that_others_may_read_is_refused(site: Site) -> None:
    path = site.deployment.root / "verify-people.csv"
    path.chmod(0o644)

    with pytest.raises(UsageError, match="others may read it") as raised:
        site.run()

    assert raised.value.hint == f"chmod 600 {path}"


def test_an_auther_that_is_elsewhere_is_not_stood_in_for(site: Site) -> None:
    path = site.deployment.root / "migrator.toml"
    path.write_text(path.read_text().replace(site.deployment.issuer.issuer, "https://id.example"))

    elsewhere = make_context(
        load(path), root=path.parent, clock=SystemClock(), progress=Progress()
    )
    with pytest.raises(UsageError, match="base_url is elsewhere"):
        verify_deployment(elsewhere, Asked("http://127.0.0.1:1", ()), after_each=lambda _: None)
