"""Reads `migrator_process`: what processes that count in memory wrote down of themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from migrator.core.queries import load
from migrator.metrics.exposition import read_process
from migrator.metrics.interface import Doubt, WrittenProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from psycopg import Connection

    from migrator.metrics.interface import Process


def now_of(connection: Connection) -> datetime:
    """Give the time by the database's clock."""
    ((at,),) = connection.execute(_query("now")).fetchall()
    return at  # type: ignore[no-any-return]


def read_processes(connection: Connection) -> tuple[WrittenProcess, ...] | None:
    """Read all rows; None where there is no such table, or it is not ours to read."""
    ((may_read,),) = connection.execute(_query("may_read_processes")).fetchall()
    if not may_read:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        return tuple(_row(found) for found in cursor.execute(_query("processes")).fetchall())


def _query(name: str) -> bytes:
    return load("migrator.metrics", "instances.sql")[name].encode()


def _row(found: Mapping[str, Any]) -> WrittenProcess:
    facts = {name: value for name, value in found.items() if name != "counts"}
    row = WrittenProcess(**facts)
    return WrittenProcess(**facts, final=_final(found["counts"], row))


def _final(text: str | None, row: WrittenProcess) -> Process | None:
    """Read the last counts, which have the form of the metrics; None where they are not this process's."""
    if text is None:
        return None
    found = read_process(text, at=row.began_at, fresh_for=timedelta.max, may_be_idle=True)
    if isinstance(found, Doubt):
        return None
    is_own = (found.instance, found.started_at_s) == (row.instance, row.started_at_s)
    return found if is_own else None
