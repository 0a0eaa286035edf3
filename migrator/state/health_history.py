"""What the shims counted from look to look, kept for 90 days: the weeks before are what today is judged by."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, text, update

from migrator.core.clock import iso, parse_iso
from migrator.state.schema import health_counts as table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

KEPT_FOR = timedelta(days=90)
# Looks of an hour are put together once they are older than this.
FINE_FOR = timedelta(days=2)
_ADVISORY_KEY = 5_713_001


@dataclass(frozen=True)
class StoredCounts:
    """What was counted between two looks, or in an hour of them.

    Attributes:
        number: Grows by one with each look.
        covered_s: For how many seconds of it every instance was seen.
        base: Where the next look counts from, JSON values; only the newest look has it.
    """

    number: int
    began: datetime
    ended: datetime
    counts: dict[str, float]
    covered_s: float
    base: dict[str, Any] | None = None


class HealthHistory:
    """Appends looks, thins them out, reads them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self) -> StoredCounts | None:
        """Give the last look, None before the first."""
        query = select(table).order_by(table.c.number.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _read(row)

    def add(self, look: StoredCounts) -> bool:
        """Keep a look, unless another watch was first with that number.

        One transaction: interrupted, nothing is kept and the next look counts what this one did.

        Returns:
            Whether it was kept.
        """
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_KEY}
                )
            newest = connection.execute(select(func.max(table.c.number))).scalar() or 0
            if look.number != newest + 1:
                return False
            connection.execute(update(table).where(table.c.number == newest).values(base=None))
            connection.execute(insert(table).values(**_row(look)))
            _thin_out(connection, look.ended)
        return True

    def between(self, begins: datetime, ends: datetime) -> list[StoredCounts]:
        """Give what touches a span, in order."""
        inside = (table.c.ended > iso(begins)) & (table.c.began < iso(ends))
        query = select(table).where(inside).order_by(table.c.number)
        with self._engine.connect() as connection:
            return [_read(row) for row in connection.execute(query)]


def _thin_out(connection: Connection, now: datetime) -> None:
    """Forget what is too old, and put the looks of each old hour together."""
    connection.execute(delete(table).where(table.c.ended <= iso(now - KEPT_FOR)))
    old = (table.c.ended <= iso(now - FINE_FOR)) & ~table.c.merged
    hours: defaultdict[str, list[StoredCounts]] = defaultdict(list)
    for row in connection.execute(select(table).where(old).order_by(table.c.number)):
        hours[_hour(row.began)].append(_read(row))
    this_hour = _hour(iso(now - FINE_FOR))
    for hour, looks in hours.items():
        if hour < this_hour:
            _put_together(connection, looks)


def _put_together(connection: Connection, looks: Sequence[StoredCounts]) -> None:
    counts: defaultdict[str, float] = defaultdict(float)
    for look in looks:
        for name, count in look.counts.items():
            counts[name] += count
    last, numbers = looks[-1], [look.number for look in looks]
    connection.execute(delete(table).where(table.c.number.in_(numbers[:-1])))
    merged = {
        "began": iso(looks[0].began),
        "counts": json.dumps(counts),
        "covered_s": sum(look.covered_s for look in looks),
        "merged": True,
    }
    connection.execute(update(table).where(table.c.number == last.number).values(**merged))


def _hour(at: str) -> str:
    """Give the hour of an ISO time, `2026-11-23T03`."""
    return at[:13]


def _row(look: StoredCounts) -> dict[str, Any]:
    return {
        "number": look.number,
        "began": iso(look.began),
        "ended": iso(look.ended),
        "counts": json.dumps(look.counts),
        "covered_s": look.covered_s,
        "base": json.dumps(look.base),
        "merged": False,
    }


def _read(row: Row[Any]) -> StoredCounts:
    return StoredCounts(
        row.number,
        parse_iso(row.began),
        parse_iso(row.ended),
        json.loads(row.counts),
        row.covered_s,
        None if row.base is None else json.loads(row.base),
    )
