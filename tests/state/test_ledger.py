from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, text, update

from migrator.core.errors import RefusedError
from migrator.state.schema import ledger as table

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.state.store import State


def _three_entries(state: State) -> None:
    intent = state.ledger.intent("import", "run", pages=2)
    state.ledger.outcome(intent, imported=5)
    state.ledger.note("gate", "quiet", state="PASSED")


def test_entries_are_chained_and_the_chain_holds(state: State) -> None:
    _three_entries(state)
    entries = state.ledger.entries()
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.prev_hash for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert state.ledger.verify(known_head=state.ledger.head()) == []


def test_an_edit_a_gap_and_a_cut_tail_are_found(state: State) -> None:
    _three_entries(state)
    head = state.ledger.head()
    with state.engine.begin() as connection:
        connection.execute(delete(table).where(table.c.seq == 3))
    assert state.ledger.verify() == []
    assert state.ledger.verify(known_head=head) == [
        "the published head at entry 3 is not in this ledger"
    ]
    with state.engine.begin() as connection:
        connection.execute(update(table).where(table.c.seq == 2).values(body='{"imported": 6}'))
    assert state.ledger.verify() == ["entry 2 was changed or moved"]
    with state.engine.begin() as connection:
        connection.execute(delete(table).where(table.c.seq == 1))
    assert state.ledger.verify()[0] == "entry 1 is missing (found 2)"


def test_an_intent_without_outcome_stays_visible(state: State) -> None:
    state.ledger.intent("stage", "set", stage="dual")
    assert [(entry.subject, entry.action) for entry in state.ledger.pending()] == [
        ("stage", "set")
    ]


def test_a_recorded_effect_has_an_outcome_whether_it_works_or_not(state: State) -> None:
    with state.ledger.recorded("import", "run") as facts:
        facts["imported"] = 3
    with (
        pytest.raises(RefusedError),
        state.ledger.recorded("import", "verify"),
    ):
        raise RefusedError("2 differences")
    assert state.ledger.pending() == []
    done, failed = (e.body for e in state.ledger.entries() if e.kind == "outcome")
    assert done == {"result": "done", "imported": 3}
    assert failed == {"result": "failed", "error": "2 differences"}


def test_the_latest_entry_can_be_asked_for(state: State) -> None:
    _three_entries(state)
    latest = state.ledger.latest("gate", "quiet")
    assert latest is not None
    assert latest.body == {"state": "PASSED"}
    assert state.ledger.latest("gate", "other") is None


def test_two_processes_appending_at_once_keep_one_chain(state: State, tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from migrator.state.store import open_state;"
        "from migrator.core.clock import SystemClock;"
        "s = open_state(sys.argv[1], root=pathlib.Path(sys.argv[2]), clock=SystemClock());"
        "[s.ledger.note('gate', 'g', n=n) for n in range(20)]"
    )
    url = (
        "env:STATE_URL"
        if state.engine.dialect.name == "postgresql"
        else "sqlite:.migrator/state.db"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program, url, str(tmp_path)], env=os.environ)
        for _ in range(3)
    ]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    assert state.ledger.verify() == []
    assert state.ledger.head()[1] == 60


def test_the_file_is_closed_to_others(state: State, tmp_path: Path) -> None:
    if state.engine.dialect.name == "sqlite":
        assert (tmp_path / ".migrator/state.db").stat().st_mode & 0o077 == 0
    else:
        with state.engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM migrator_ledger")).scalar() == 0
