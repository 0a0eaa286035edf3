"""Notifications that wait for their receiver: written with what happened, sent later, at least once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from migrator.core.clock import iso, parse_iso
from migrator.state.schema import outbox as table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Engine


@dataclass(frozen=True)
class Waiting:
    """One event for one receiver.

    Attributes:
        event: The event's id: the same at each attempt, so that a receiver can drop a repetition.
        receiver: Where its address is, e.g. `env:SLACK_URL`.
        attempts: How often it was tried.
        last_error: Why the last attempt failed, empty before the first.
    """

    seq: int
    event: str
    receiver: str
    body: str
    at: datetime
    attempts: int
    last_error: str


class Outbox:
    """Keeps, hands out and forgets notifications; each call is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, event: str, body: str, receivers: Iterable[str], *, at: datetime) -> None:
        """Keep an event for its receivers, all or nothing."""
        rows = [
            {
                "event": event,
                "receiver": receiver,
                "body": body,
                "at": iso(at),
                "next_at": iso(at),
                "attempts": 0,
                "last_error": "",
            }
            for receiver in receivers
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(insert(table), rows)

    def waiting(self, *, due: datetime | None = None) -> list[Waiting]:
        """Give what waits in the order in which it happened; with `due` what may be tried by then."""
        query = select(table).order_by(table.c.seq)
        if due is not None:
            query = query.where(table.c.next_at <= iso(due))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Waiting(r.seq, r.event, r.receiver, r.body, parse_iso(r.at), r.attempts, r.last_error)
            for r in rows
        ]

    def claim(self, one: Waiting, *, until: datetime) -> bool:
        """Take one for an attempt, so that no other command sends it meanwhile.

        Killed during the attempt, it waits until then and is tried again.
        """
        mine = (table.c.seq == one.seq) & (table.c.attempts == one.attempts)
        values = {"attempts": one.attempts + 1, "next_at": iso(until)}
        with self._engine.begin() as connection:
            return bool(connection.execute(update(table).where(mine).values(values)).rowcount)

    def failed(self, one: Waiting, *, error: str, next_at: datetime) -> None:
        """Keep it for another attempt."""
        values = {"last_error": error, "next_at": iso(next_at)}
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.seq == one.seq).values(values))

    def forget(self, one: Waiting) -> None:
        """Drop what was delivered, or given up."""
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.seq == one.seq))
