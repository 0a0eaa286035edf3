from __future__ import annotations

from datetime import UTC, datetime, timedelta

from migrator.metrics.interface import Doubt, Grade, SessionsLook
from migrator.runner.gating.forecasting import lifetimes_of

SINCE = datetime(2026, 11, 23, 3, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = SINCE + DAY


def used(*hours_before_now: int) -> SessionsLook:
    rows = tuple((AT - hours * HOUR, 1) for hours in hours_before_now)
    return SessionsLook(holding=len(rows), used=rows)


def test_a_session_lives_on_from_its_last_use() -> None:
    found = lifetimes_of(used(30, 40), at=AT, since=SINCE, ttl=2 * DAY)
    assert found is not None
    assert found.remaining == ((19 * HOUR, 1), (9 * HOUR, 1))
    assert found.last == AT + 19 * HOUR
    assert found.renewed_to is None


def test_sessions_used_since_the_drain_began_are_renewed_unless_they_are_stragglers() -> None:
    renewed = lifetimes_of(used(2, 30), at=AT, since=SINCE, ttl=2 * DAY)
    assert renewed is not None
    assert renewed.renewed_to == 2 * DAY
    straggler = lifetimes_of(used(2, *[30] * 30), at=AT, since=SINCE, ttl=2 * DAY)
    assert straggler is not None
    assert straggler.renewed_to is None


def test_ends_that_the_store_itself_knows_go_before_those_made_of_the_last_use() -> None:
    look = SessionsLook(holding=2, used=((AT, 2),), ends=((AT + 3 * HOUR, 1), (AT + 9 * HOUR, 1)))
    found = lifetimes_of(look, at=AT, since=SINCE, ttl=2 * DAY)
    assert found is not None
    assert (found.remaining, found.renewed_to) == (((3 * HOUR, 1), (9 * HOUR, 1)), None)
    sliding = SessionsLook(holding=1, ends=((AT + 40 * HOUR, 1),))
    renewed = lifetimes_of(sliding, at=AT, since=SINCE, ttl=2 * DAY)
    assert renewed is not None
    assert renewed.renewed_to == 2 * DAY
    endless = SessionsLook(holding=2, endless=1, ends=((AT + 3 * HOUR, 1),))
    assert lifetimes_of(endless, at=AT, since=SINCE, ttl=2 * DAY) is None


def test_lifetimes_are_unknown_where_they_are_not_known_of_each() -> None:
    assert lifetimes_of(used(30), at=AT, since=SINCE, ttl=None) is None
    assert lifetimes_of(None, at=AT, since=SINCE, ttl=DAY) is None
    untold = SessionsLook(holding=3, used=((AT, 2),))
    assert lifetimes_of(untold, at=AT, since=SINCE, ttl=DAY) is None
    doubted = SessionsLook(doubts=(Doubt(Grade.ERROR, "away"),))
    assert lifetimes_of(doubted, at=AT, since=SINCE, ttl=DAY) is None


def test_a_session_long_past_its_end_shows_that_nothing_removes_sessions() -> None:
    assert lifetimes_of(used(30, 74), at=AT, since=SINCE, ttl=2 * DAY) is None
