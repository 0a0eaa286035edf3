"""Draws the drain on a terminal: it fits 80 columns by 24 lines, and is readable without colour. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from migrator.core.durations import format_duration
from migrator.dashboards.curve import sparkline
from migrator.dashboards.requests import GROUPS, client_cells, request_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from migrator.dashboards.drain_picture import CounterRow, DrainPicture, ForecastRow, GateRow
    from migrator.dashboards.requests import Cell

COLUMNS, ROWS = 80, 24
_STYLES = {
    "PASSED": "green",
    "OVERRIDDEN": "magenta",
    "FAILED": "red",
    "HELD": "yellow",
    "ACCUMULATING": "cyan",
}
_NAME = 20


@dataclass(frozen=True)
class Screen:
    """What there is to draw on.

    Attributes:
        plain: It shows no blocks, only letters and digits.
    """

    columns: int = COLUMNS
    rows: int = ROWS
    plain: bool = False


DEFAULT = Screen()


def draw(picture: DrainPicture, screen: Screen = DEFAULT, *, now: datetime | None = None) -> Text:
    """Give the whole view; each line is cut to the width, so that nothing wraps."""
    said = lines(picture, screen, now=now)
    made = Text("\n").join(_coloured(line, screen.columns) for line in said)
    made.no_wrap = True
    return made


def lines(
    picture: DrainPicture, screen: Screen = DEFAULT, *, now: datetime | None = None
) -> list[str]:
    """Give the view's lines, at most as many as there is room for; the next command always.

    What ends the drain stands first. Gates, doubts and instances share the room that is left, in turn.

    Args:
        picture: The drain.
        screen: What it is drawn on.
        now: To say how old the look is; None when it is fresh.
    """
    head = [
        _heading(picture, screen, now),
        f"ends by   {_minute(picture.bound)}: {picture.bound_why}"
        if picture.bound
        else f"ends by   {picture.bound_why}",
        _deadline(picture),
        *_forecast(picture.forecasts[0]),
        _curve(picture, screen),
        f"gates before {picture.step}" + ("" if picture.gates else ": none, which holds"),
    ]
    gates = [_gate(row) for row in picture.gates]
    known = [*_sessions(picture), *_clients(picture.counters), *_requests(picture)]
    instances = [_instance(name, cells) for name, cells in request_cells(picture.counters)]
    coverage = [
        f"marker    counted by {picture.controlled} of {picture.scraped} scraped instances",
        _coverage(picture),
    ]
    doubts = [f"doubt     {doubt}" for doubt in picture.doubts]
    last = f"next: {picture.next_command}"
    room = screen.rows - len(head) - len(known) - len(coverage) - 1
    shares = _shared(room, (len(gates), len(doubts), len(instances)))
    made = [
        *head,
        *_first(shares[0], gates, "gates"),
        *known,
        *_first(shares[2], instances, "instances"),
        *coverage,
        *_first(shares[1], doubts, "doubts"),
    ]
    return [*made[: screen.rows - 1], last]


def summary(picture: DrainPicture) -> str:
    """Give one line for logs and pipes."""
    legacy = _total(picture.counters, "legacy", since_last=True)
    gates = ", ".join(f"{row.gate} {row.label}" for row in picture.gates) or "no gate"
    holding = f"{picture.sessions.holding:,}{'' if picture.sessions.known else '?'}"
    return f"{_time(picture.at)}  sessions {holding}  legacy {legacy}  {gates}"


def verdict_lines(rows: Iterable[GateRow]) -> list[str]:
    """Give each gate's verdict with its reason and what comes next, for `gate list|check`."""
    said = []
    for row in rows:
        said.append(f"{row.gate} (before {row.before}): {row.label}")
        said.append(f"  {row.reason}")
        if row.measured_at is not None:
            value = "nothing" if row.value is None else f"{row.value:g}"
            said.append(f"  measured {value} at {_time(row.measured_at)}")
        if row.since is not None:
            said.append(f"  so since {_time(row.since)}")
        if row.good_until is not None:
            said.append(f"  good until {_time(row.good_until)}")
        if row.next_look is not None:
            said.append(f"  next look at {_time(row.next_look)}")
    return said


def _heading(picture: DrainPicture, screen: Screen, now: datetime | None) -> str:
    age = f", {format_duration(now - picture.at)} ago" if now and now > picture.at else ""
    right = f"looked {_time(picture.at)}{age}"
    stage = f": stage {picture.stage}, epoch {picture.epoch}"
    name = _cut(picture.migration, screen.columns - len(stage) - len(right) - 2)
    return f"{name}{stage}".ljust(screen.columns - len(right) - 2) + f"  {right}"


def _deadline(picture: DrainPicture) -> str:
    if picture.deadline is None:
        return "deadline  none for legacy sessions"
    if picture.deadline <= picture.at:
        return f"deadline  legacy refused since {_minute(picture.deadline)}"
    left = format_duration(picture.deadline - picture.at)
    return f"deadline  legacy accepted until {_minute(picture.deadline)} ({left} left)"


def _curve(picture: DrainPicture, screen: Screen) -> str:
    if not picture.curve:
        return (
            f"curve     none: {'nothing was counted' if picture.began else 'not in the drain yet'}"
        )
    (first_at, first), (_, last) = picture.curve[0], picture.curve[-1]
    left, right = f"curve     {first:,} ", f" {last:,} since {_hour(first_at)}"
    width = max(screen.columns - len(left) - len(right), 1)
    drawn = sparkline(picture.curve, until=picture.at, width=width, plain=screen.plain)
    return f"{left}{drawn}{right}"


def _forecast(row: ForecastRow) -> list[str]:
    if row.p50 is None or row.p90 is None:
        said = f"forecast  unknown: {row.why}"
    elif row.p50 == row.p90:
        said = f"forecast  over by {_hour(row.p90)}: {row.why}"
    else:
        said = f"forecast  P50 {_hour(row.p50)}, P90 {_hour(row.p90)}: {row.why}"
    return [said, f"          {_track_record(row)}"]


def _track_record(row: ForecastRow) -> str:
    if row.median_error_hours is None:
        return "no forecast has come true yet"
    return f"earlier forecasts were {row.median_error_hours:.0f} h off, median of {row.judged}"


def _hour(at: datetime) -> str:
    """Give no more than the hour; a forecast knows less than that."""
    return f"{at:%Y-%m-%d %H}hZ"


def _sessions(picture: DrainPicture) -> list[str]:
    found = picture.sessions
    if found.unknown:
        return [f"sessions  not known: {found.doubts[0]}"]
    counts = f"{found.holding:,} hold a user, {found.others:,} another model's"
    rest = f"{found.anonymous:,} nobody, {found.undecodable:,} undecodable"
    doubts = [f"          at least: {reason}" for reason in found.doubts[:1]]
    return [f"sessions  {counts}, {rest}", *doubts]


def _coverage(picture: DrainPicture) -> str:
    scraped = f"{picture.scraped} of {picture.addresses} addresses scraped"
    return f"coverage  {picture.alive} alive, expected {picture.expected}; {scraped}"


def _requests(picture: DrainPicture) -> list[str]:
    since = f", + since {_time(picture.looked_before)}" if picture.looked_before else ""
    heading = "".join(f"{path:>12}" for path in GROUPS)
    return [f"requests  since start{since}", f"  {'instance':<{_NAME}}{heading}"]


def _clients(counters: Sequence[CounterRow]) -> list[str]:
    kinds = [f"{kind} {' '.join(filter(None, cell))}" for kind, cell in client_cells(counters)]
    return [f"clients   of legacy requests: {', '.join(kinds)}"] if kinds else []


def _instance(name: str, cells: Iterable[Cell]) -> str:
    counts = "".join(f"{' '.join(filter(None, cell)):>12}" for cell in cells)
    return f"  {name[: _NAME - 1]:<{_NAME}}{counts}"


def _total(counters: Sequence[CounterRow], path: str, *, since_last: bool) -> str:
    rows = [row for row in counters if (row.path, row.outcome) == (path, "accepted")]
    counts = [row.since_last if since_last else row.since_start for row in rows]
    known = sum(count for count in counts if count is not None)
    return f"+{known:,}" + ("?" if None in counts or not counters else "")


def _gate(row: GateRow) -> str:
    return f"  {row.label:<17} {row.gate}: {row.reason}"


def _shared(room: int, wanted: Sequence[int]) -> list[int]:
    """Give each block its lines, one to each in turn until the room is used up."""
    given = [0] * len(wanted)
    while sum(given) < room and given != list(wanted):
        for block, most in enumerate(wanted):
            if given[block] < most and sum(given) < room:
                given[block] += 1
    return given


def _first(shown: int, said: list[str], what: str) -> list[str]:
    if len(said) <= shown:
        return said
    more = f"  … {len(said) - shown + 1} more {what}: --json shows all"
    return [*said[: shown - 1], more] if shown else []


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def _coloured(line: str, columns: int) -> Text:
    cut = _cut(line, columns)
    state = cut.split(maxsplit=1)[0] if cut.startswith("  ") and cut.strip() else ""
    return Text(cut, style=_STYLES.get(state, ""))


def _cut(text: str, columns: int) -> str:
    return text if len(text) <= columns else text[: max(columns - 1, 0)] + "…"
