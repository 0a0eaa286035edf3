from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from migrator.core.errors import ConflictError
from migrator.state.locks import LEASE
from migrator.state.schema import locks as table

if TYPE_CHECKING:
    from migrator.core.clock import ManualClock
    from migrator.state.store import State


def _held_by(state: State, holder: str) -> None:
    with state.engine.begin() as connection:
        connection.execute(update(table).values(holder=holder))


def test_a_second_runner_is_refused_and_told_who_holds_it(state: State) -> None:
    with state.locks.held("import"):
        holder = state.locks.holder("import")
        with (
            pytest.raises(ConflictError, match="is working on the import"),
            state.locks.held("import"),
        ):
            pytest.fail("two runners at once")
        with state.locks.held("stage"):
            assert state.locks.holder("import") == holder
    assert state.locks.holder("import") is None


def test_each_holder_has_a_higher_fence(state: State) -> None:
    with state.locks.held("import") as first:
        pass
    with state.locks.held("import") as second:
        assert second.fence == first.fence + 1


def test_a_killed_runner_on_this_machine_is_not_waited_for(state: State) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with state.locks.held("import") as mine:
        host = mine.holder.rpartition(":")[0]
        _held_by(state, f"{host}:{ended.pid}")
        with state.locks.held("import"), pytest.raises(ConflictError, match="took over"):
            state.locks.check(mine)


def test_a_killed_runner_that_nobody_reaped_is_not_waited_for(state: State) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        with state.locks.held("import") as mine:
            host = mine.holder.rpartition(":")[0]
            _held_by(state, f"{host}:{ended.pid}")
            assert state.locks.holder("import") is None
            with state.locks.held("import"):
                pass


def test_a_runner_whose_number_another_process_has_now_is_not_waited_for(state: State) -> None:
    with state.locks.held("import") as mine:
        shown, _, began = mine.holder.partition("/")
        assert state.locks.holder("import") == shown
        _held_by(state, f"{shown}/{int(began) - 1}")
        assert state.locks.holder("import") is None
        # As a version had it that knew no beginning.
        _held_by(state, shown)
        assert state.locks.holder("import") == shown


def test_a_runner_elsewhere_is_waited_for_until_its_lease_ends(
    state: State, clock: ManualClock
) -> None:
    with state.locks.held("import"):
        _held_by(state, "elsewhere:1")
        clock.at += LEASE - timedelta(seconds=1)
        with pytest.raises(ConflictError), state.locks.held("import"):
            pytest.fail("the lease had not ended")
        clock.at += timedelta(seconds=2)
        with state.locks.held("import"):
            assert state.locks.holder("import") != "elsewhere:1"


def test_what_was_given_back_is_free_though_the_clock_was_set_back(
    state: State, clock: ManualClock
) -> None:
    with state.locks.held("import"):
        pass
    clock.at -= timedelta(hours=30)
    with state.locks.held("import"):
        assert state.locks.holder("import") is not None


def test_a_rollback_may_break_the_lock(state: State) -> None:
    with (
        state.locks.held("stage") as before,
        state.locks.held("stage", break_it=True),
        pytest.raises(ConflictError),
    ):
        state.locks.check(before)


def _expiry(state: State) -> str:
    with state.engine.connect() as connection:
        return str(connection.execute(select(table.c.expires_at)).scalar())


def test_a_lease_is_renewed_but_not_while_the_locks_are_at_rest(
    state: State, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrator.state.locks.RENEW_EVERY_S", 0.01)
    with state.locks.held("import"):
        before = _expiry(state)
        with state.locks.at_rest():
            clock.at += LEASE / 2
            time.sleep(0.1)
            assert _expiry(state) == before
        ends = time.monotonic() + 30
        while _expiry(state) == before:
            assert time.monotonic() < ends
            time.sleep(0.01)
