from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from migrator.core.stage import Stage, StageDocument
from migrator.metrics.bound import honest_bound, refused_from

ISSUED = datetime(2026, 11, 1, tzinfo=UTC)
DRAIN = StageDocument(
    namespace="shop",
    epoch=3,
    stage=Stage.DRAIN,
    percent=100,
    salt="00",
    issued_at="2026-11-01T00:00:00Z",
    ledger_head="",
    ledger_length=0,
    legacy_accept_until="2026-12-01T00:00:00Z",
)
DAY = timedelta(days=1)


def test_the_earlier_of_deadline_and_natural_end_is_the_bound() -> None:
    natural = honest_bound(DRAIN, session_ttl=DAY, remember_for=14 * DAY)
    assert natural.at == ISSUED + 15 * DAY
    assert natural.why == "end of issuing + remember-me 14d + session 1d"
    late = honest_bound(DRAIN, session_ttl=60 * DAY, remember_for=14 * DAY)
    assert late.at == datetime(2026, 12, 1, tzinfo=UTC)


def test_sessions_or_tokens_without_an_end_are_bound_by_the_deadline_alone() -> None:
    open_ended = replace(DRAIN, legacy_accept_until=None)
    for ttl, remember in ((None, 14 * DAY), (DAY, None)):
        bound = honest_bound(DRAIN, session_ttl=ttl, remember_for=remember)
        assert bound.at == datetime(2026, 12, 1, tzinfo=UTC)
        assert honest_bound(open_ended, session_ttl=ttl, remember_for=remember).at is None


def test_while_legacy_sessions_are_issued_nothing_bounds_them() -> None:
    for document in (None, replace(DRAIN, stage=Stage.DUAL)):
        bound = honest_bound(document, session_ttl=DAY, remember_for=DAY)
        assert (bound.at, bound.why) == (None, "no bound: legacy sessions are still issued")


def test_in_the_last_stage_they_have_ended() -> None:
    bound = honest_bound(replace(DRAIN, stage=Stage.AUTHER), session_ttl=None, remember_for=None)
    assert bound.at == ISSUED
    assert refused_from(replace(DRAIN, stage=Stage.AUTHER)) == ISSUED


def test_a_deadline_counts_in_drain_only() -> None:
    assert refused_from(DRAIN) == datetime(2026, 12, 1, tzinfo=UTC)
    assert refused_from(replace(DRAIN, stage=Stage.DUAL)) is None
    assert refused_from(replace(DRAIN, stage=Stage.LEGACY)) is None
    assert refused_from(None) is None
