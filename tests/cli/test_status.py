from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.core.clock import SystemClock
from migrator.state.store import open_state
from tests.cli.command import migrator, migrator_process

if TYPE_CHECKING:
    from pathlib import Path

INIT = ("init", "--name", "shop", "--verified-when", "confirmed")


def test_in_another_folder_nobody_is_told_to_begin_a_second_migration(tmp_path: Path) -> None:
    ran = migrator_process(tmp_path, "status")
    assert ran.code == 2
    assert ran.err == (
        "there is no migrator.toml\n"
        f"next: this is {tmp_path}: go to the migration's folder, or name its file, migrator --config PATH …; "
        "a new migration begins with: migrator init --verified-when confirmed\n"
    )


def test_errors_are_json_for_programs(tmp_path: Path) -> None:
    ran = migrator(tmp_path, "status", "--json")
    assert (ran.code, ran.json["exit_code"]) == (2, 2)
    assert ran.json["hint"].startswith(f"this is {tmp_path}: go to the migration's folder")


def test_a_new_migration_begins_with_preflight_and_fits_one_screen(tmp_path: Path) -> None:
    migrator(tmp_path, *INIT)
    ran = migrator(tmp_path, "status")
    assert ran.code == 0, ran.err
    assert "next: migrator preflight" in ran.out
    assert len(ran.out.splitlines()) <= 24
    found = migrator(tmp_path, "status", "--json").json
    assert list(found["phases"]) == ["preflight", "import", "dual-path", "drain", "remove"]
    assert found["next"] == "migrator preflight"


def test_an_interrupted_step_is_shown(tmp_path: Path) -> None:
    migrator(tmp_path, *INIT)
    state = open_state("sqlite:.migrator/state.db", root=tmp_path, clock=SystemClock())
    state.ledger.intent("stage", "set", stage="dual")
    ran = migrator(tmp_path, "status")
    assert "entry 1: stage set was begun" in ran.out


def test_the_ledger_is_shown_and_an_edit_is_a_state_conflict(tmp_path: Path) -> None:
    migrator(tmp_path, *INIT)
    state = open_state("sqlite:.migrator/state.db", root=tmp_path, clock=SystemClock())
    state.ledger.note("gate", "quiet", state="HELD")
    assert "gate quiet" in migrator(tmp_path, "ledger", "show").out
    assert migrator(tmp_path, "ledger", "verify").code == 0
    with state.engine.begin() as connection:
        connection.exec_driver_sql("""UPDATE migrator_ledger SET body = '{"state": "PASSED"}'""")
    ran = migrator(tmp_path, "ledger", "verify")
    assert ran.code == 5
    assert "entry 1 was changed or moved" in ran.err


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    assert migrator(tmp_path, "improt").code == 2
