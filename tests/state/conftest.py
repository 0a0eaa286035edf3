from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from migrator.core.clock import ManualClock
from migrator.state.store import State, open_state

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 23, 3, 0, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgresql"])
def state(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> State:
    """The state, once on each database that can hold it."""
    url = "sqlite:.migrator/state.db"
    if request.param == "postgresql":
        monkeypatch.setenv("STATE_URL", request.getfixturevalue("fresh_db"))
        url = "env:STATE_URL"
    return open_state(url, root=tmp_path, clock=clock)
