from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from migrator.state.health_history import FINE_FOR, KEPT_FOR, HealthHistory, StoredCounts

if TYPE_CHECKING:
    from migrator.state.store import State

AT = datetime(2026, 8, 3, 3, tzinfo=UTC)
STEP = timedelta(minutes=10)


def keep(history: HealthHistory, ended: datetime, *, covered_s: float = 600) -> bool:
    newest = history.newest()
    number = newest.number + 1 if newest else 1
    base = {"at": str(number)}
    return history.add(
        StoredCounts(number, ended - STEP, ended, {"requests": 5.0}, covered_s, base)
    )


def test_only_the_newest_look_is_counted_from(state: State) -> None:
    history = state.health_history
    assert history.newest() is None
    for step in (1, 2):
        assert keep(history, AT + step * STEP)
    first, second = history.between(AT, AT + 2 * STEP)
    assert (first.base, second.base) == (None, {"at": "2"})
    assert history.newest() == second


def test_of_two_watches_that_counted_the_same_stretch_one_is_kept(state: State) -> None:
    history = state.health_history
    look = StoredCounts(1, AT, AT + STEP, {"requests": 5.0}, 600, {})
    assert history.add(look)
    assert not history.add(look)
    assert len(history.between(AT, AT + STEP)) == 1


def test_old_looks_are_put_together_by_the_hour_and_nothing_is_lost(state: State) -> None:
    history = state.health_history
    for step in range(1, 13):
        keep(history, AT + step * STEP, covered_s=600 if step % 2 else 0)
    keep(history, AT + FINE_FOR + timedelta(hours=2))
    found = history.between(AT, AT + timedelta(hours=2))
    assert [(look.began, look.ended) for look in found] == [
        (AT, AT + timedelta(hours=1)),
        (AT + timedelta(hours=1), AT + timedelta(hours=2)),
    ]
    assert [(look.counts, look.covered_s) for look in found] == [({"requests": 30.0}, 1800.0)] * 2


def test_what_is_older_than_ninety_days_is_forgotten(state: State) -> None:
    history = state.health_history
    keep(history, AT)
    keep(history, AT + timedelta(days=1))
    keep(history, AT + KEPT_FOR + timedelta(hours=1))
    ends = [look.ended for look in history.between(AT - STEP, AT + 2 * KEPT_FOR)]
    assert ends == [AT + timedelta(days=1), AT + KEPT_FOR + timedelta(hours=1)]
