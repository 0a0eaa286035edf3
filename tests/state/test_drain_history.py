from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.state.drain_history import StoredForecast
from migrator.state.errors import StateUnreachableError

if TYPE_CHECKING:
    from migrator.state.store import State

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_counts_and_forecasts_come_back_in_order_and_from_a_time_on(state: State) -> None:
    history = state.drain_history
    known = StoredForecast(AT + HOUR, 0, AT + 9 * HOUR, AT + 12 * HOUR, "how the count fell")
    unknown = StoredForecast(AT, 0, None, None, "too few counts")
    history.add(AT + HOUR, 7, [known])
    history.add(AT, 9, [unknown])
    assert history.counts(since=AT) == [(AT, 9), (AT + HOUR, 7)]
    assert history.forecasts(since=AT) == [unknown, known]
    assert history.counts(since=AT + HOUR) == [(AT + HOUR, 7)]
    assert history.forecasts(since=AT + HOUR) == [known]


def test_a_count_without_its_forecasts_is_not_kept(state: State) -> None:
    twice = StoredForecast(AT, 0, None, None, "too few counts")
    with pytest.raises(StateUnreachableError):
        state.drain_history.add(AT, 9, [twice, twice])
    assert state.drain_history.counts(since=AT) == []
