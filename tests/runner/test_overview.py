"""What the page reads, out of a real state, while its clock runs and its database goes away."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from migrator.cli.standings import standings_of
from migrator.core.clock import ManualClock, iso
from migrator.core.errors import ConflictError
from migrator.core.stage import Stage
from migrator.dashboards.page import parts
from migrator.dashboards.web.board import Board
from migrator.metrics.interface import Doubt, FleetLook, Grade, Heartbeat, SessionsLook
from migrator.metrics.look import Look
from migrator.runner.gating.picture import picture_of
from migrator.runner.overview import Reader
from migrator.state.errors import StateUnreachableError
from migrator.state.store import open_to_read
from phases import p3_drain
from tests.parts.drain import NO_SESSIONS, QUIET, Drain

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.context import Context

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
TICKS = 30
BEATS = FleetLook(
    (
        Heartbeat("web-1", "1", "drain", 7, legacy_capable=True, age=timedelta(seconds=4)),
        Heartbeat("web-2", "1", "drain", 6, legacy_capable=True, age=timedelta(seconds=5)),
        Heartbeat("web-3", "1", "dual", 6, legacy_capable=True, age=timedelta(hours=2)),
    )
)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    """A drain of which nobody has measured anything yet; its databases are asked by nobody here."""
    drain = Drain(tmp_path, "postgresql://nobody@127.0.0.1:9/none", ())
    drain.configure(QUIET + NO_SESSIONS)
    made = drain.context(clock=ManualClock(AT))
    drain.begin(Stage.DRAIN, legacy_accept_until=iso(AT + timedelta(days=20)))
    before, after = {"stage": "dual", "percent": 100.0}, {"stage": "drain", "percent": 100.0}
    intent = made.state.ledger.intent("stage", "set", before=before, after=after)
    made.state.ledger.outcome(intent, result="published", epoch=7)
    return made


def reader_of(ctx: Context) -> Reader:
    reading = replace(
        ctx, state=open_to_read(ctx.config.state.url, root=ctx.root, clock=ctx.clock)
    )
    return Reader(
        reading,
        recall=lambda: p3_drain.recall(reading, p3_drain.plan(reading)),
        standings=lambda: standings_of(reading),
    )


def look(ctx: Context, holding: int, *doubts: Doubt) -> None:
    """Look as `drain watch` does, with these answers of the sources."""
    found = Look(
        at=ctx.clock.now(), fleet=BEATS, sessions=SessionsLook(holding=holding, doubts=doubts)
    )
    picture_of(ctx, found, step="auther", verdicts=())


def test_before_the_first_look_nothing_is_known(ctx: Context) -> None:
    over = reader_of(ctx).read()
    assert (over.looked_at, over.unknown) == (None, "Nobody has looked yet.")
    assert over.picture.sessions.unknown
    assert over.picture.doubts == ("nobody has looked yet: migrator drain watch",)
    assert (over.stage, over.picture.epoch, over.decision) == ("drain", 7, "PENDING")
    assert over.picture.deadline == AT + timedelta(days=20)


def test_a_look_is_shown_to_those_who_only_read(ctx: Context) -> None:
    look(ctx, 12)
    over = reader_of(ctx).read()
    assert (over.looked_at, over.unknown, over.picture.sessions.holding) == (AT, "", 12)
    assert [(row.instance, row.state) for row in over.picture.instances] == [
        ("web-1", "follows"),
        ("web-2", "behind"),
        ("web-3", "silent"),
    ]
    assert over.picture.curve == ((AT, 12),)
    assert [(m.action, m.before, m.after, m.result) for m in over.moves] == [
        ("set", "dual 100 %", "drain", "published")
    ]
    assert over.ledger.faults == ()
    assert [row.what for row in over.ledger.entries] == ["stage set", "stage set"]


def test_an_old_look_says_nothing_of_now(ctx: Context) -> None:
    look(ctx, 0)
    reader = reader_of(ctx)
    ctx.clock.sleep(119)
    assert not reader.read().late
    ctx.clock.sleep(2)
    assert reader.read().unknown == "Nobody has looked for a while."


def test_a_forecast_ends_with_its_stage(ctx: Context) -> None:
    look(ctx, 12)
    ctx.state.checkpoints.put(
        "stage", "document", ctx.state.checkpoints.get("stage", "document") | {"epoch": 8}
    )
    picture = reader_of(ctx).read().picture
    assert {row.why for row in picture.forecasts} == {"the stage was moved after the last look"}
    assert [row.state for row in picture.instances] == ["behind", "behind", "silent"]


def test_a_picture_that_another_version_kept_is_none(ctx: Context) -> None:
    ctx.state.checkpoints.put("drain", "picture", {"words": "from elsewhere"})
    assert reader_of(ctx).read().looked_at is None


def test_reading_writes_nothing_and_cannot(ctx: Context) -> None:
    look(ctx, 12)
    before = ctx.state.ledger.head()
    reader = reader_of(ctx)
    reader.read()
    assert ctx.state.ledger.head() == before
    with pytest.raises(StateUnreachableError, match="readonly"):
        reader.ctx.state.ledger.note("gate", "forged")


def test_a_state_that_goes_away_is_said_at_once_and_comes_back_by_itself(ctx: Context) -> None:
    look(ctx, 12)
    reader = reader_of(ctx)
    reader.read()
    file = ctx.root / ".migrator" / "state.db"
    away = file.rename(ctx.root / "away.db")
    ctx.clock.sleep(3)
    lost = reader.read()
    assert (lost.decision, lost.lost_since) == ("UNKNOWN", AT + timedelta(seconds=3))
    assert "unable to open database file" in lost.unknown
    ctx.clock.sleep(3)
    assert reader.read().lost_since == AT + timedelta(seconds=3)
    assert not file.exists()
    away.rename(file)
    found = reader.read()
    assert (found.lost, found.picture.sessions.holding) == ("", 12)


def test_a_state_that_was_never_there_is_unknown_from_the_first_reading(ctx: Context) -> None:
    (ctx.root / ".migrator" / "state.db").unlink()
    over = reader_of(ctx).read()
    assert (over.decision, over.picture.gates) == ("UNKNOWN", ())
    assert "Everything below is from before." in parts(over)["next"]


def test_an_edit_of_the_ledger_is_found_within_a_minute(ctx: Context) -> None:
    reader = reader_of(ctx)
    assert reader.read().ledger.faults == ()
    with ctx.state.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE migrator_ledger SET action = 'rollback' WHERE seq = 1")
    ctx.state.ledger.note("gate", "quiet", state="HELD")
    ctx.clock.sleep(61)
    assert reader.read().ledger.faults == ("entry 1 was changed or moved",)


def test_a_pass_that_stands_still_is_not_known_to_hold_any_more(ctx: Context) -> None:
    passed = {"at": iso(AT), "rows": 0, "seconds": 4.0, "quarantined": 3}
    ctx.state.checkpoints.put("sync", "last_pass", passed)
    reader = reader_of(ctx)
    words = "0 rows and 4s behind, 3 users in quarantine"
    assert (reader.read().sides[1].words, reader.read().sides[1].known) == (words, True)
    ctx.clock.sleep(601)
    assert reader.read().sides[1].words == f"No pass since; then: {words}."
    assert not reader.read().sides[1].known


def test_a_page_that_is_open_for_a_day_does_not_grow(ctx: Context) -> None:
    """Readings that all differ, 48 minutes apart, for a reader who never comes back for what is new."""
    look(ctx, 500)
    reader = reader_of(ctx)
    board = Board(reader.read())
    mark, blocks = board.mark, []
    for tick in range(TICKS):
        ctx.clock.sleep(2880)
        doubt = Doubt(Grade.ERROR, f"doubt {tick % 10}")
        look(ctx, 500, doubt)
        board.show(reader.read())
        page = board.page()
        if tick >= TICKS // 2:
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert max(blocks[-5:]) - min(blocks[:5]) < 1000
    assert len(page) < 200_000
    assert sum(map(len, board.since(mark).values())) < len(page)


def test_only_one_watches_at_a_time(ctx: Context) -> None:
    with p3_drain.only_watch(ctx):
        other = Drain(ctx.root, "", ()).context(clock=ctx.clock)
        with (
            pytest.raises(ConflictError, match="is working on the watch"),
            p3_drain.only_watch(other),
        ):
            pass
    with p3_drain.only_watch(ctx):
        pass
