from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from migrator.dashboards.drain_picture import GateRow
from migrator.dashboards.gate_view import draw

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
HELD = GateRow(
    gate="drain-quiet",
    before="auther",
    state="HELD",
    label="HELD",
    reason="UNPROVEN: web-2 never reported",
    value=None,
    measured_at=AT,
    good_until=None,
    next_look=AT + timedelta(minutes=3),
    since=AT - timedelta(hours=2),
)
PASSED = replace(
    HELD,
    gate="drain-sessions",
    state="PASSED",
    label="PASSED",
    reason="0, at most 0",
    good_until=AT + timedelta(hours=23),
    next_look=None,
)


def drawn(*rows: GateRow) -> list[str]:
    return draw(rows, step="auther", decision="HELD", now=AT)


def test_each_gate_has_its_state_since_when_and_what_comes_next() -> None:
    assert drawn(PASSED, HELD) == [
        "gates before auther   2026-11-23 03:00:00Z",
        "",
        "HELD               drain-quiet              for 2h, next look in 3m",
        "  UNPROVEN: web-2 never reported",
        "PASSED             drain-sessions           for 2h, good for 23h",
        "  0, at most 0",
        "",
        "together: HELD; Ctrl-C ends this, samples are kept",
    ]


def test_it_fits_a_small_terminal_however_many_gates_there_are() -> None:
    lines = drawn(*[replace(HELD, reason="because " * 30)] * 40, PASSED)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert any("32 more" in line for line in lines)


def test_what_is_due_says_now_rather_than_a_negative_time() -> None:
    late = replace(HELD, next_look=AT - timedelta(minutes=1), since=None)
    assert drawn(late)[2].endswith("next look in 0s")
