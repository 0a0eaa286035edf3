"""Draws the drain on a terminal: 80 columns, 24 lines, readable without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from migrator.core.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from migrator.dashboards.drain_picture import CounterRow, DrainPicture, ForecastRow, GateRow

COLUMNS, LINES = 80, 24
_SHOWN_INSTANCES, _SHOWN_DOUBTS, _SHOWN_GATES = 3, 3, 5
_STYLES = {
    "PASSED": "green",
    "OVERRIDDEN": "magenta",
    "FAILED": "red",
    "HELD": "yellow",
    "ACCUMULATING": "cyan",
}


def draw(picture: DrainPicture, *, columns: int = COLUMNS) -> Text:
    """Give the whole view; each line is cut to the width, so that nothing wraps."""
    made = Text("\n").join(_coloured(line, columns) for line in lines(picture))
    made.no_wrap = True
    return made


def lines(picture: DrainPicture) -> list[str]:
    """Give the view's lines, at most 24."""
    return [
        f"drain of {picture.migration}   {_time(picture.at)}",
        f"stage {picture.stage}, epoch {picture.epoch}; {_deadline(picture)}",
        f"ends by {_time(picture.bound)}: {picture.bound_why}"
        if picture.bound
        else picture.bound_why,
        *_forecast(picture.forecasts[0]),
        *_sessions(picture),
        *_requests(picture),
        f"marker    counted by {picture.controlled} of {picture.scraped} scraped instances",
        _coverage(picture),
        *_first(_SHOWN_DOUBTS, [f"doubt     {doubt}" for doubt in picture.doubts], "doubts"),
        f"gates before {picture.step}" + ("" if picture.gates else ": none, which holds"),
        *_first(_SHOWN_GATES, [_gate(row) for row in picture.gates], "gates"),
        f"next: {picture.next_command}",
    ]


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


def _deadline(picture: DrainPicture) -> str:
    if picture.deadline is None:
        return "no deadline for legacy sessions"
    if picture.deadline <= picture.at:
        return f"legacy refused since {_time(picture.deadline)}"
    left = format_duration(picture.deadline - picture.at)
    return f"legacy accepted until {_time(picture.deadline)} ({left} left)"


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
    counts = f"{found.holding:,} hold a user, {found.others:,} another model's"
    rest = f"{found.anonymous:,} nobody, {found.undecodable:,} undecodable"
    doubts = [f"          at least: {reason}" for reason in found.doubts[:1]]
    return [f"sessions  {counts}, {rest}", *doubts]


def _coverage(picture: DrainPicture) -> str:
    scraped = f"{picture.scraped} of {picture.addresses} addresses scraped"
    return f"coverage  {picture.alive} alive, expected {picture.expected}; {scraped}"


def _requests(picture: DrainPicture) -> list[str]:
    names = sorted({row.instance for row in picture.counters})
    since = f", + since {_time(picture.looked_before)}" if picture.looked_before else ""
    rows = [_instance(name, picture.counters) for name in names]
    heading = "".join(f"{path:>12}" for path in ("legacy", "auther", "other", "refused"))
    return [
        f"requests since start{since}",
        f"  {'instance':<20}{heading}",
        *_first(_SHOWN_INSTANCES, rows, "instances"),
    ]


def _instance(name: str, counters: Sequence[CounterRow]) -> str:
    mine = [row for row in counters if row.instance == name]
    accepted = [row for row in mine if row.outcome == "accepted"]
    others = [row for row in mine if row.outcome in {"accepted", "anonymous"}]
    groups = (
        [row for row in accepted if row.path == "legacy"],
        [row for row in accepted if row.path == "auther"],
        [row for row in others if row.path not in {"legacy", "auther"}],
        [row for row in mine if row.outcome in {"refused", "unavailable"}],
    )
    return f"  {name[:19]:<20}" + "".join(f"{_cell(group):>12}" for group in groups)


def _cell(rows: Sequence[CounterRow]) -> str:
    total = _short(sum(row.since_start for row in rows))
    fresh = [row.since_last for row in rows]
    known = [count for count in fresh if count is not None]
    if len(known) < len(fresh):
        return f"{total} +?"
    return f"{total} +{_short(sum(known))}" if rows else total


def _total(counters: Sequence[CounterRow], path: str, *, since_last: bool) -> str:
    rows = [row for row in counters if (row.path, row.outcome) == (path, "accepted")]
    counts = [row.since_last if since_last else row.since_start for row in rows]
    known = sum(count for count in counts if count is not None)
    return f"+{known:,}" + ("?" if None in counts or not counters else "")


def _short(count: int) -> str:
    for size, letter in ((1_000_000, "M"), (10_000, "k")):
        if count >= size:
            return f"{count / (1000 if letter == 'k' else size):.1f}{letter}"
    return f"{count:,}"


def _gate(row: GateRow) -> str:
    return f"  {row.label:<17} {row.gate}: {row.reason}"


def _first(shown: int, said: list[str], what: str) -> list[str]:
    if len(said) <= shown:
        return said
    return [*said[: shown - 1], f"  … {len(said) - shown + 1} more {what}: --json shows all"]


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def _coloured(line: str, columns: int) -> Text:
    cut = line if len(line) <= columns else line[: columns - 1] + "…"
    state = cut.split(maxsplit=1)[0] if cut.startswith("  ") and cut.strip() else ""
    return Text(cut, style=_STYLES.get(state, ""))
