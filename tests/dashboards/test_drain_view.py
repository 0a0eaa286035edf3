from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from migrator.dashboards.drain_picture import (
    CounterRow,
    DrainPicture,
    ForecastRow,
    GateRow,
    SessionRow,
)
from migrator.dashboards.drain_view import DEFAULT, Screen, draw, lines, summary, verdict_lines
from tests.dashboards.overviews import HELD, NOTHING_YET, PASSED

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
        CounterRow("web-1", "legacy", "accepted", 1234, 0, "app"),
        CounterRow("web-1", "auther", "accepted", 2_500_000, 12_345, "browser"),
        CounterRow("web-1", "none", "anonymous", 8, None, "api"),
        CounterRow("web-1", "both", "refused", 3, 1, "browser"),
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
    began=AT - timedelta(days=5),
    curve=tuple(
        (AT - timedelta(hours=hours), 12 + round(388 * 2 ** (-(120 - hours) / 20) - 6))
        for hours in range(120, -1, -1)
    ),
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


def shown(
    picture: DrainPicture,
    screen: Screen = DEFAULT,
    *,
    colour: bool = False,
    now: datetime | None = None,
) -> str:
    out = Console(
        file=StringIO(),
        width=screen.columns,
        height=screen.rows,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    out.print(draw(picture, screen, now=now))
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_calm_drain_reads_like_this() -> None:
    assert shown(CALM) == (
        "shop: stage drain, epoch 7                           looked 2026-11-23 03:00:00Z\n"
        "ends by   2026-12-08 03:00Z: end of issuing + remember-me 14d + session 1d\n"
        "deadline  legacy accepted until 2026-12-22 03:00Z (29d left)\n"
        "forecast  P50 2026-11-27 03hZ, P90 2026-11-29 03hZ: how the count fell\n"
        "          no forecast has come true yet\n"
        "curve     394 █▇▇▆▅▅▅▄▄▃▃▃▃▃▂▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 12 since 2026-11-18 03hZ\n"
        "gates before auther\n"
        "  ACCUMULATING 2/3  quiet: 2 of 3 OK in a row, 1m of 10m\n"
        "sessions  12 hold a user, 0 another model's, 3 nobody, 0 undecodable\n"
        "clients   of legacy requests: browser 0, app 1,234 +0, api 0\n"
        "requests  since start, + since 2026-11-23 02:59:30Z\n"
        "  instance                  legacy      auther       other     refused\n"
        "  web-1                   1,234 +0 2.5M +12.3k        8 +?        3 +1\n"
        "marker    counted by 1 of 1 scraped instances\n"
        "coverage  1 alive, expected web-1; 1 of 1 addresses scraped\n"
        "next: migrator gate check --before auther --wait\n"
    )


def test_a_drain_with_missing_data_reads_like_this() -> None:
    assert shown(HELD.picture, now=AT) == (
        "shop: stage drain, epoch 7                  looked 2026-11-23 02:59:48Z, 12s ago\n"
        "ends by   2026-12-04 03:00Z: end of issuing + remember-me 14d + session 1d\n"
        "deadline  legacy accepted until 2026-12-19 03:00Z (26d 12s left)\n"
        "forecast  unknown: the last count is 9h old\n"
        "          no forecast has come true yet\n"
        "curve     48,200 █▇▆▅▅▄▄▃▃▃▂▂▂▂▂▂▁▁     ▁▁▁▁▁▁▁▁▁▁▁    649 since 2026-11-19 03hZ\n"
        "gates before auther\n"
        "  HELD              drain-quiet: ERROR: http://10.0.0.6:3000 does not answer: c…\n"
        "  HELD              drain-sessions: AMBIGUOUS: 2 rows cannot be decoded and may…\n"
        "  EXPIRED           drain-traffic: the pass ended at 2026-11-23T01:00:00.000000Z\n"
        "  INVALIDATED       drain-conflicts: the gate was changed after it was measured…\n"
        "sessions  391 hold a user, 12 another model's, 18,020 nobody, 2 undecodable\n"
        "          at least: 2 rows cannot be decoded and may hold a user\n"
        "clients   of legacy requests: browser 120.9k +3, app 2,600 +1, api 0\n"
        "requests  since start, + since 2026-11-23 02:59:18Z\n"
        "  instance                  legacy      auther       other     refused\n"
        "  web-1                  123.5k +4   2.5M +310     902 +12        3 +0\n"
        "marker    counted by 1 of 1 scraped instances\n"
        "coverage  1 alive, expected web-1, web-2; 1 of 2 addresses scraped\n"
        "doubt     http://10.0.0.6:3000 does not answer: connection refused\n"
        "doubt     web-2 was last heard of 9h 4m ago\n"
        "next: migrator gate check --before auther --wait\n"
    )


def test_a_drain_that_nobody_looked_at_reads_like_this() -> None:
    assert shown(NOTHING_YET.picture) == (
        "shop: stage not set, epoch 0                         looked 2026-11-23 02:59:48Z\n"
        "ends by   no bound: legacy sessions are still issued\n"
        "deadline  none for legacy sessions\n"
        "forecast  unknown: nobody has looked yet: migrator drain watch\n"
        "          no forecast has come true yet\n"
        "curve     none: not in the drain yet\n"
        "gates before dual\n"
        "  PENDING           import-parity: nothing was measured yet\n"
        "  PENDING           sync-lag: nothing was measured yet\n"
        "sessions  not known: nobody has looked yet: migrator drain watch\n"
        "requests  since start\n"
        "  instance                  legacy      auther       other     refused\n"
        "marker    counted by 0 of 0 scraped instances\n"
        "coverage  0 alive, expected web-1, web-2; 0 of 2 addresses scraped\n"
        "doubt     nobody has looked yet: migrator drain watch\n"
        "next: migrator gate check --before auther --wait\n"
    )


def test_a_drain_that_is_over_reads_like_this() -> None:
    said = shown(PASSED.picture).splitlines()
    assert said[3:6] == [
        "forecast  over by 2026-11-22 15hZ: no more than 0 are left",
        "          earlier forecasts were 5 h off, median of 12",
        "curve     48,200 █▇▆▅▅▄▄▄▃▃▃▂▂▂▂▂▂▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁_____ 0 since 2026-11-19 03hZ",
    ]
    assert said[-1] == "next: migrator dual-path stage set auther"


def test_the_most_crowded_drain_fits_80_by_24_and_keeps_what_matters() -> None:
    screen = shown(CROWDED).splitlines()
    assert len(screen) == 24
    assert max(map(len, screen)) == 80
    assert screen[0].startswith("mmmmm")
    assert ": stage drain, epoch 7" in screen[0]
    assert screen[-1] == f"next: {CALM.next_command}"
    assert "  … 58 more instances: --json shows all" in screen
    assert "  … 58 more doubts: --json shows all" in screen
    assert "  … 18 more gates: --json shows all" in screen


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (80, 10), (132, 50), (20, 2)])
def test_any_terminal_gets_what_fits_it_and_the_next_command(columns: int, rows: int) -> None:
    for picture in (CALM, CROWDED, HELD.picture):
        said = shown(picture, Screen(columns, rows)).splitlines()
        assert len(said) <= rows
        assert max(map(len, said)) <= columns
        assert said[-1].startswith("next: migrator")


def test_where_blocks_cannot_be_shown_digits_stand_for_them() -> None:
    said = lines(HELD.picture, Screen(plain=True))
    assert said[5].startswith("curve     48,200 8876554433")
    assert "".join(said).isascii()


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
    assert (
        lines(replace(CALM, deadline=AT))[2] == "deadline  legacy refused since 2026-11-23 03:00Z"
    )
    assert lines(replace(CALM, deadline=None))[2] == "deadline  none for legacy sessions"
    unbound = replace(CALM, bound=None, bound_why="no bound: legacy sessions are still issued")
    assert lines(unbound)[1] == "ends by   no bound: legacy sessions are still issued"


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
