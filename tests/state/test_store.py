from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, inspect

from migrator.core.clock import SystemClock
from migrator.core.errors import DependencyError, UsageError
from migrator.state.store import _as_dependency, open_state

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def _open(root: Path, url: str) -> None:
    open_state(url, root=root, clock=SystemClock())


def test_another_kind_of_url_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"state\.url"):
        _open(tmp_path, "postgresql://u:geheim@h/d")
    monkeypatch.setenv("STATE_URL", "mysql://u:geheim@h/d")
    with pytest.raises(UsageError, match="does not hold a postgresql"):
        _open(tmp_path, "env:STATE_URL")


def test_an_unreachable_server_is_a_dependency_and_its_password_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_URL", "postgresql://u:geheim@127.0.0.1:1/d")
    with pytest.raises(DependencyError) as failed:
        _open(tmp_path, "env:STATE_URL")
    assert "geheim" not in failed.value.message + failed.value.hint


def test_a_file_that_is_no_database_is_a_dependency(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database, just text that is long enough" * 50)
    with pytest.raises(DependencyError, match="is not a database"):
        _open(tmp_path, "sqlite:state.db")


def test_a_full_disk_is_a_dependency_and_the_ledger_stays_whole(tmp_path: Path) -> None:
    state = open_state("sqlite:state.db", root=tmp_path, clock=SystemClock())
    state.ledger.note("gate", "quiet", state="HELD")
    with state.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    @event.listens_for(state.engine, "checkout")
    def _no_room(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(DependencyError, match="full"):
        state.ledger.note("gate", "quiet", state="x" * 1_000_000)
    assert state.ledger.verify() == []
    assert state.ledger.head()[1] == 1


def test_an_interrupt_is_no_failure_of_the_state() -> None:
    context = SimpleNamespace(original_exception=KeyboardInterrupt())
    assert _as_dependency(context) is None  # type: ignore[func-returns-value,arg-type]


def test_a_state_that_an_earlier_version_made_gets_the_index_that_it_lacks(tmp_path: Path) -> None:
    def indexes() -> list[object]:
        engine = open_state("sqlite:state.db", root=tmp_path, clock=SystemClock()).engine
        return [index["name"] for index in inspect(engine).get_indexes("migrator_sample")]

    engine = open_state("sqlite:state.db", root=tmp_path, clock=SystemClock()).engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_migrator_sample_gate_at")
    assert indexes() == ["ix_migrator_sample_gate_at"]
