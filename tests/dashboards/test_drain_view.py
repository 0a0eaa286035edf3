from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console

from migrator.dashboards.drain_picture import (
    CounterRow,
    DrainPicture,
    ForecastRow,
    GateRow,
    SessionRow,
)
from migrator.dashboards.drain_view import draw, lines, summary, verdict_lines

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
GATE = GateRow(
    gate="quiet",
    before="auther",
    state="ACCUMULATING",
    label="ACCUMULATING 2/3",
    reason="2 of 3 OK in a row, 1m of 10m",
    value=0.0,
    measured_at=AT,
    good_until=None,
    next_look=AT + timedelta(minutes=5),
)
CALM = DrainPicture(
    migration="shop",
    at=AT,
    stage="drain",
    epoch=7,
    deadline=AT + timedelta(days=29),
    bound=AT + timedelta(days=15),
    bound_why="end of issuing + remember-me 14d + session 1d",
    forecasts=(
        ForecastRow(
            0, AT + timedelta(days=4), AT + timedelta(days=6), "how the count fell", None, 3
        ),
    ),
    sessions=SessionRow(12, 0, 3, 0, ()),
    counters=(
        CounterRow("web-1", "legacy", "accepted", 1234, 0),
        CounterRow("web-1", "auther", "accepted", 2_500_000, 12_345),
        CounterRow("web-1", "none", "anonymous", 8, None),
        CounterRow("web-1", "both", "refused", 3, 1),
    ),
    looked_before=AT - timedelta(seconds=30),
    addresses=1,
    scraped=1,
    controlled=1,
    alive=1,
    expected="web-1",
    doubts=(),
    step="auther",
    gates=(GATE,),
    next_command="migrator gate check --before auther --wait",
)
CROWDED = replace(
    CALM,
    migration="m" * 63,
    forecasts=(ForecastRow(0, None, None, "because " * 30, None, 0),),
    sessions=SessionRow(10**8, 10**7, 10**9, 10**6, tuple("a long doubt " * 9 for _ in range(9))),
    counters=tuple(
        CounterRow(
            f"web-{i}.a.very.long.host.name.example.org", "legacy", "accepted", 10**9, 10**7
        )
        for i in range(60)
    ),
    expected=", ".join(f"web-{i}" for i in range(60)),
    doubts=tuple("http://10.0.0.5:3000 does not answer " * 4 for _ in range(60)),
    gates=(replace(GATE, gate="g" * 63, reason="because " * 30),) * 20,
)


def shown(picture: DrainPicture, *, colour: bool = False) -> str:
    out = Console(
        file=StringIO(),
        width=80,
        height=24,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    out.print(draw(picture))
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_calm_drain_reads_like_this() -> None:
    assert shown(CALM) == (
        "drain of shop   2026-11-23 03:00:00Z\n"
        "stage drain, epoch 7; legacy accepted until 2026-12-22 03:00:00Z (29d left)\n"
        "ends by 2026-12-08 03:00:00Z: end of issuing + remember-me 14d + session 1d\n"
        "forecast  P50 2026-11-27 03hZ, P90 2026-11-29 03hZ: how the count fell\n"
        "          no forecast has come true yet\n"
        "sessions  12 hold a user, 0 another model's, 3 nobody, 0 undecodable\n"
        "requests since start, + since 2026-11-23 02:59:30Z\n"
        "  instance                  legacy      auther       other     refused\n"
        "  web-1                   1,234 +0 2.5M +12.3k        8 +?        3 +1\n"
        "marker    counted by 1 of 1 scraped instances\n"
        "coverage  1 alive, expected web-1; 1 of 1 addresses scraped\n"
        "gates before auther\n"
        "  ACCUMULATING 2/3  quiet: 2 of 3 OK in a row, 1m of 10m\n"
        "next: migrator gate check --before auther --wait\n"
    )


def test_the_most_crowded_drain_fits_80_by_24_and_keeps_what_matters() -> None:
    screen = shown(CROWDED).splitlines()
    assert len(screen) <= 24
    assert max(map(len, screen)) <= 80
    assert screen[-1] == f"next: {CALM.next_command}"
    assert "  … 58 more instances: --json shows all" in screen
    assert "  … 58 more doubts: --json shows all" in screen
    assert "  … 16 more gates: --json shows all" in screen


def test_colour_adds_nothing_that_the_words_do_not_say() -> None:
    coloured = shown(CALM, colour=True)
    assert "\x1b[36m" in coloured
    assert Console(file=StringIO(), width=80).render_str(shown(CALM)).plain == shown(CALM)


def test_a_forecast_says_what_it_knows_and_no_more() -> None:
    (row,) = CALM.forecasts
    unknown = replace(row, p50=None, p90=None, why="too few sessions have ended: 3")
    said = lines(replace(CALM, forecasts=(unknown,)))
    assert said[3] == "forecast  unknown: too few sessions have ended: 3"
    judged = replace(row, p50=AT, p90=AT, why="no more than 0 are left", median_error_hours=5.4)
    assert lines(replace(CALM, forecasts=(judged,)))[3:5] == [
        "forecast  over by 2026-11-23 03hZ: no more than 0 are left",
        "          earlier forecasts were 5 h off, median of 3",
    ]


def test_no_gate_is_said_to_hold() -> None:
    assert "gates before auther: none, which holds" in lines(replace(CALM, gates=()))


def test_a_deadline_that_passed_and_none_at_all_are_told_apart() -> None:
    assert "legacy refused since" in lines(replace(CALM, deadline=AT))[1]
    assert "no deadline for legacy sessions" in lines(replace(CALM, deadline=None))[1]
    unbound = replace(CALM, bound=None, bound_why="no bound: legacy sessions are still issued")
    assert lines(unbound)[2] == "no bound: legacy sessions are still issued"


def test_a_line_for_logs_marks_what_is_not_certain() -> None:
    line = summary(CALM)
    assert line == "2026-11-23 03:00:00Z  sessions 12  legacy +0  quiet ACCUMULATING 2/3"
    doubted = replace(CALM, sessions=SessionRow(12, 0, 3, 1, ("1 row",)), counters=())
    assert "sessions 12?  legacy +0?" in summary(doubted)


def test_a_verdict_says_value_time_and_the_next_look() -> None:
    assert verdict_lines([GATE]) == [
        "quiet (before auther): ACCUMULATING 2/3",
        "  2 of 3 OK in a row, 1m of 10m",
        "  measured 0 at 2026-11-23 03:00:00Z",
        "  next look at 2026-11-23 03:05:00Z",
    ]
