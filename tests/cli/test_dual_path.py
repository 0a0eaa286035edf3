"""`migrator dual-path` as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import SystemClock
from migrator.shims.targets import TARGETS
from migrator.state.store import open_state
from tests.cli.command import Ran, migrator, migrator_process
from tests.parts.stage_file import create_side_tables

if TYPE_CHECKING:
    from pathlib import Path

UNREACHABLE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    migrator(tmp_path, "init", "--name", "club", "--verified-when", "always")
    path = tmp_path / "migrator.toml"
    path.write_text(path.read_text().replace('wait = "60s"', 'wait = "1s"'))
    return tmp_path


def run(folder: Path, *arguments: str, dsn: str = UNREACHABLE) -> Ran:
    return migrator(folder, "dual-path", *arguments, env={"LEGACY_DATABASE_URL": dsn})


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_without_a_configuration_code_is_made_that_refuses_to_start(
    tmp_path: Path, target: str
) -> None:
    ran = migrator(tmp_path, "dual-path", "generate", "--target", target, "--out", "app")

    assert ran.code == 0, ran.err
    assert "settings are CHANGE_ME" in ran.out
    texts = [path.read_text() for path in (tmp_path / "app").rglob("*") if path.is_file()]
    assert any("CHANGE_ME_JWKS_URL" in text for text in texts)
    assert not (tmp_path / ".migrator").exists()


def test_a_configuration_that_is_named_must_exist(tmp_path: Path) -> None:
    command = ("dual-path", "generate", "--target", "asgi", "--out", "app")
    ran = migrator_process(tmp_path, "--config", "other.toml", *command)

    assert (ran.code, (tmp_path / "app").exists()) == (2, False)


def test_a_dry_run_lists_and_writes_nothing(folder: Path) -> None:
    ran = run(folder, "generate", "--target", "asgi", "--out", "app", "--dry-run", "--json")

    assert ran.json["files"]["auther_dual_path/decision.py"] == "new"
    assert not (folder / "app").exists()


def test_the_ledger_gets_the_hash_of_what_was_generated(folder: Path) -> None:
    made = run(folder, "generate", "--target", "asgi", "--out", "app", "--json")

    state = open_state("sqlite:.migrator/state.db", root=folder, clock=SystemClock())
    entry = state.ledger.latest("stage", "generate", kind="intent")
    assert entry is not None
    assert entry.body["content_hash"] == made.json["content_hash"]


def test_what_the_team_edited_is_not_overwritten(folder: Path) -> None:
    command = ("generate", "--target", "asgi", "--out", "app")
    run(folder, *command)
    edited = folder / "app" / "auther_dual_path" / "answers.py"
    edited.write_text("# ours\n")

    ran = run(folder, *command)

    assert (ran.code, edited.read_text()) == (1, "# ours\n")
    assert "edited by hand since it was generated: auther_dual_path/answers.py" in ran.err
    assert run(folder, *command, "--force").code == 0
    assert edited.read_text() != "# ours\n"


def test_the_diff_that_takes_a_shim_out_leaves_the_application_as_it_was(folder: Path) -> None:
    app = folder / "app"
    (app / "auther_dual_path").mkdir(parents=True)
    (app / "main.py").write_text("import flask\nfrom auther_dual_path import DualPathMiddleware\n")
    (app / "auther_dual_path" / "ours.txt").write_text("kept")
    git(app, "init", "-q")
    git(app, "add", "-A")
    before = git(app, "write-tree")
    run(folder, "generate", "--target", "asgi", "--out", "app")
    edited = app / "auther_dual_path" / "answers.py"
    edited.write_text("# ours, without an end of line")
    git(app, "add", "-A")

    ran = run(folder, "take-out", "--out", "app")

    assert ran.code == 0
    assert "goes too: auther_dual_path/answers.py" in ran.err
    assert "by hand: main.py:2: from auther_dual_path import DualPathMiddleware" in ran.err
    git(app, "apply", "--index", "-", text=ran.out)
    assert git(app, "write-tree") == before
    assert run(folder, "take-out", "--out", "app").code == 2


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, input=text
    )
    return done.stdout


def test_what_is_generated_with_a_configuration_names_what_is_left(folder: Path) -> None:
    run(folder, "generate", "--target", "asgi", "--out", "app")
    ran = subprocess.run(
        [sys.executable, "-c", "import auther_dual_path"],
        cwd=folder / "app",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "CHANGE_ME is left in issuers, audiences, jwks_url" in ran.stderr
    assert "namespace" not in ran.stderr


def test_a_stage_is_held_until_its_gates_have_passed(folder: Path, fresh_db: str) -> None:
    create_side_tables(fresh_db)
    ran = run(folder, "stage", "set", "dual", dsn=fresh_db)
    assert (ran.code, "0 of 1 expected instances are alive" in ran.err) == (3, True)

    planned = run(folder, "stage", "set", "dual", "--dry-run", "--json", dsn=fresh_db)

    assert (planned.code, len(planned.json["held"])) == (0, 2)
    assert not (folder / ".migrator" / "stage.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("drain",), "stage drain cannot follow legacy directly"),
        (("legacy", "--percent", "5"), "--percent means nothing in stage legacy"),
        (("dual", "--percent", "101"), "0 to 100 with at most two decimals"),
    ],
)
def test_a_step_that_makes_no_sense_is_a_usage_error(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    ran = run(folder, "stage", "set", *arguments)

    assert ran.code == 2
    assert message in ran.err
    assert "next: " in ran.err


def test_a_rollback_publishes_without_a_database_and_says_what_it_does_not_know(
    folder: Path,
) -> None:
    ran = run(folder, "stage", "rollback")

    assert ran.code == 3
    assert "published epoch 1: legacy" in ran.err + ran.out
    assert "people whose password is at Auther by now: unknown" in ran.out
    assert (folder / ".migrator" / "stage.json").is_file()
    shown = run(folder, "stage", "show", "--json")
    assert (shown.code, shown.json["document"]["stage"]) == (3, "legacy")


def test_the_route_and_the_flag_are_shown(folder: Path, fresh_db: str) -> None:
    shown = run(folder, "stage", "plan", dsn=fresh_db)
    assert shown.code == 0, shown.err
    for said in (
        "dual 25 %",
        "drain-quiet",
        "peak not configured",
        "is held now",
        "next: migrator",
    ):
        assert said in shown.out
    assert len(run(folder, "stage", "plan", "--json", dsn=fresh_db).json) == 9
    none = run(folder, "stage", "export")
    assert (none.code, "no stage was published yet" in none.err) == (5, True)
    run(folder, "stage", "rollback")
    flags = run(folder, "stage", "export").json["flags"]
    assert flags["migrator-stage"]["defaultVariant"] == "legacy"


def test_a_damaged_document_is_shown(folder: Path) -> None:
    run(folder, "stage", "rollback")
    (folder / ".migrator" / "stage.json").write_text("{}")

    assert "is missing, or not signed by this migration's key" in run(folder, "stage", "show").out


def test_help_names_no_password_and_every_command(folder: Path) -> None:
    assert migrator(folder, "dual-path", "--help").code == 0
    ran = migrator(folder, "dual-path", "stage", "--help")
    assert all(word in ran.out for word in ("show", "set", "rollback"))
