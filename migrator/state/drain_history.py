"""What the drain has shown so far: how many sessions there were, and what was forecast from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from migrator.core.clock import iso, parse_iso
from migrator.state.schema import drain_counts, forecasts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine


@dataclass(frozen=True)
class StoredForecast:
    """One forecast as it was made.

    Attributes:
        at: When it was made.
        rest: How many sessions it allows to be left.
        p50: None where it said `unknown`.
        p90: The same.
    """

    at: datetime
    rest: int
    p50: datetime | None
    p90: datetime | None
    why: str


class DrainHistory:
    """Appends and reads counts and forecasts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, at: datetime, holding: int, made: Sequence[StoredForecast]) -> None:
        """Keep a count and the forecasts made with it, all or nothing."""
        rows = [
            {
                "at": iso(f.at),
                "rest": f.rest,
                "p50": _text(f.p50),
                "p90": _text(f.p90),
                "why": f.why,
            }
            for f in made
        ]
        with self._engine.begin() as connection:
            connection.execute(insert(drain_counts).values(at=iso(at), holding=holding))
            connection.execute(insert(forecasts), rows)

    def counts(self, *, since: datetime) -> list[tuple[datetime, int]]:
        """Give the counts in the order in which they were taken."""
        query = select(drain_counts).where(drain_counts.c.at >= iso(since))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(drain_counts.c.at)).all()
        return [(parse_iso(row.at), row.holding) for row in rows]

    def forecasts(self, *, since: datetime) -> list[StoredForecast]:
        """Give the forecasts in the order in which they were made."""
        query = select(forecasts).where(forecasts.c.at >= iso(since)).order_by(forecasts.c.at)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            StoredForecast(parse_iso(r.at), r.rest, _time(r.p50), _time(r.p90), r.why)
            for r in rows
        ]


def _text(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_iso(text)
