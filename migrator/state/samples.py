"""Measurements taken for gates, kept so that a restarted watch goes on counting."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from migrator.core.clock import iso, parse_iso
from migrator.state.schema import samples as table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine


@dataclass(frozen=True)
class StoredSample:
    """One measurement for one gate.

    Attributes:
        grade: The measurement class: OK, BREACH, NO_DATA, STALE, AMBIGUOUS, ERROR, UNPROVEN.
        value: None when nothing could be measured.
        reason: Why it is not OK, in words.
    """

    gate: str
    at: datetime
    grade: str
    value: float | None
    reason: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


class Samples:
    """Appends and reads measurements."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, sample: StoredSample) -> None:
        """Keep a measurement."""
        row = sample.__dict__ | {"at": iso(sample.at), "evidence": json.dumps(sample.evidence)}
        with self._engine.begin() as connection:
            connection.execute(insert(table).values(**row))

    def of(self, gate: str, *, since: datetime | None = None) -> list[StoredSample]:
        """Give a gate's measurements in the order in which they were taken."""
        query = select(table).where(table.c.gate == gate).order_by(table.c.at, table.c.id)
        if since is not None:
            query = query.where(table.c.at >= iso(since))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            StoredSample(
                r.gate, parse_iso(r.at), r.grade, r.value, r.reason, json.loads(r.evidence)
            )
            for r in rows
        ]

    def forget(self, gate: str) -> None:
        """Begin a gate anew."""
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.gate == gate))
