"""The drain's curve as geometry: what was counted, what is forecast, what ends it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING

from migrator.dashboards.curve import longest_step, unbroken

if TYPE_CHECKING:
    from migrator.dashboards.drain_picture import DrainPicture

Point = tuple[float, float]
TOP, BOTTOM, LEFT, RIGHT = 62.0, 34.0, 56.0, 16.0
FAR_RATIO = 2
PAD_RATIO = 0.04
LETTER = 7.2
DAY_H = 24
PLAIN_TO = 50


@dataclass(frozen=True)
class Mark:
    """A time on the chart: `now`, `bound` or `deadline`.

    Attributes:
        x: The right edge where it lies `beyond` that.
        end: The label stands to the left of the line.
        row: Which line of labels it is on, 0 at the top.
    """

    kind: str
    label: str
    x: float
    end: bool
    row: int
    beyond: bool


@dataclass(frozen=True)
class Tick:
    """A label on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """What is drawn, in the units of the view box.

    Attributes:
        segments: The counted curve; it is broken where nobody counted.
        gaps: Left and right edge of each stretch in which nobody counted.
        p50: Where the band begins on the axis; None without a forecast.
        p90: Where it ends.
        logarithmic: How counts become heights; zero is on the axis either way.
        last: The newest count.
    """

    width: int
    height: int
    left: float
    right: float
    top: float
    base: float
    segments: tuple[tuple[Point, ...], ...]
    gaps: tuple[tuple[float, float], ...]
    last: Point
    p50: float | None
    p90: float | None
    marks: tuple[Mark, ...]
    days: tuple[Tick, ...]
    counts: tuple[Tick, ...]
    logarithmic: bool


def chart(picture: DrainPicture, *, now: datetime, width: int, height: int) -> Chart | None:
    """Lay the curve out; None while nothing was counted.

    Args:
        picture: The drain.
        now: The present.
        width: Of the view box.
        height: Of the view box.
    """
    if not picture.curve or picture.began is None:
        return None
    begin = min(picture.began, picture.curve[0][0])
    frame = _Frame(begin, _end(picture, begin, now), _ceiling(picture), width, height)
    parts = unbroken(picture.curve)
    holes = [(a[-1][0], b[0][0]) for a, b in pairwise(parts)]
    if now - picture.curve[-1][0] > longest_step(picture.curve):
        holes.append((picture.curve[-1][0], now))
    p50, p90 = picture.forecasts[0].p50, picture.forecasts[0].p90
    return Chart(
        width=width,
        height=height,
        left=LEFT,
        right=width - RIGHT,
        top=TOP,
        base=height - BOTTOM,
        segments=tuple(tuple(frame.point(*count) for count in part) for part in parts),
        gaps=tuple((frame.x(a), frame.x(b)) for a, b in holes),
        last=frame.point(*picture.curve[-1]),
        p50=frame.x(p50) if p50 and p50 > now else None,
        p90=frame.x(p90) if p90 and p90 > now else None,
        marks=_marks(picture, now, frame),
        days=frame.days(),
        counts=frame.counts(),
        logarithmic=frame.logarithmic,
    )


@dataclass(frozen=True)
class _Frame:
    begin: datetime
    end: datetime
    ceiling: int
    width: int
    height: int

    def x(self, at: datetime) -> float:
        room = self.width - LEFT - RIGHT
        part = (at - self.begin) / (self.end - self.begin)
        return round(LEFT + room * min(max(part, 0), 1), 1)

    def point(self, at: datetime, count: float) -> Point:
        room = self.height - TOP - BOTTOM
        return self.x(at), round(self.height - BOTTOM - room * self._part(count), 1)

    @property
    def logarithmic(self) -> bool:
        """The last few of many are those that matter: on a plain scale they look like nobody."""
        return self.ceiling > PLAIN_TO

    def _part(self, count: float) -> float:
        if self.logarithmic:
            return log10(1 + count) / log10(1 + self.ceiling)
        return count / self.ceiling

    def days(self) -> tuple[Tick, ...]:
        """Give whole days, or whole hours of a short drain, no more than there is room for."""
        most = max(int((self.width - LEFT - RIGHT) / 90), 2)
        hours = (self.end - self.begin) / timedelta(hours=1) / most
        step = next((n for n in (1, 3, 6, 12, 24, 48, 96, 168, 336, 720) if n >= hours), 2160)
        first = self.begin.replace(minute=0, second=0, microsecond=0)
        first += timedelta(hours=1)
        while first.hour % min(step, DAY_H):
            first += timedelta(hours=1)
        pattern = "%m-%d %Hh" if step < DAY_H else "%m-%d"
        found = []
        while first < self.end:
            found.append(Tick(self.x(first), first.strftime(pattern)))
            first += timedelta(hours=step)
        return tuple(tick for tick in found if tick.at < self.width - RIGHT - 14)

    def counts(self) -> tuple[Tick, ...]:
        if self.logarithmic:
            said = [0, *(10**size for size in range(1, len(str(self.ceiling)) + 1))]
        else:
            said = [0, self.ceiling // 2, self.ceiling] if self.ceiling > 1 else [0, 1]
        return tuple(
            Tick(self.point(self.begin, count)[1], f"{count:,}")
            for count in said
            if count <= self.ceiling
        )


def _end(picture: DrainPicture, begin: datetime, now: datetime) -> datetime:
    """Give the right edge: what ends the drain in a far future would leave the curve no room."""
    near = max(at for at in (now, picture.forecasts[0].p90) if at is not None)
    ends = [at for at in (picture.bound, picture.deadline) if at is not None]
    shown = max([near, *(at for at in ends if at - begin <= FAR_RATIO * (near - begin))])
    return shown + max((shown - begin) * PAD_RATIO, timedelta(minutes=10))


def _ceiling(picture: DrainPicture) -> int:
    """Give a round number above all counts that can be halved."""
    highest = max(count for _, count in picture.curve)
    size = 1
    while size * 10 < highest:
        size *= 10
    return next((n * size for n in (2, 4, 6, 8, 10) if n * size >= highest), 2)


def _marks(picture: DrainPicture, now: datetime, frame: _Frame) -> tuple[Mark, ...]:
    """Label what is further right further up, so that no line crosses another one's label."""
    times = (("bound", picture.bound), ("deadline", picture.deadline), ("now", now))
    known = sorted(((at, kind) for kind, at in times if at is not None), reverse=True)
    found = []
    for row, (at, kind) in enumerate(known):
        x = frame.x(at)
        label = kind if kind == "now" else f"{kind} {at:%m-%d %H:%M}Z"
        room = frame.width - RIGHT - x
        found.append(Mark(kind, label, x, len(label) * LETTER > room, row, at > frame.end))
    return tuple(found)
