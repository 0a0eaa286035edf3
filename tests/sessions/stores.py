"""What the tests of session stores share: a store by its settings, and rows to fill its table with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrator.config.model import LegacySection
from migrator.core.clock import SystemClock
from migrator.sessions.interface import Place
from migrator.sessions.registry import store_of
from tests.parts.any_database import run_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrator.core.clock import Clock
    from migrator.sessions.interface import Store

SESSIONS = Path(__file__).parents[1] / "metrics" / "sessions.json"
ROWS = {row["name"]: row for row in json.loads(SESSIONS.read_text())}
_COLUMNS = (
    "session_id varchar(255) NOT NULL UNIQUE, data text, created_at {time}, updated_at {time})"
)
TABLES = {
    "sqlite3": f"CREATE TABLE sessions (id integer PRIMARY KEY, {_COLUMNS}".format(
        time="datetime(6)"
    ),
    "mysql2": f"CREATE TABLE sessions (id bigint PRIMARY KEY AUTO_INCREMENT, {_COLUMNS}".format(
        time="datetime(6)"
    ),
    "postgresql": f"CREATE TABLE sessions (id bigserial PRIMARY KEY, {_COLUMNS}".format(
        time="timestamp(6)"
    ),
}


def place(*, timeout_s: float = 10, clock: Clock | None = None, **legacy: Any) -> Place:
    """Where sessions are; the database is that of SESSIONS_DSN."""
    settings = LegacySection.model_validate({"dsn": "env:SESSIONS_DSN", **legacy})
    return Place(settings, Path(), timedelta(seconds=timeout_s), clock or SystemClock())


def store(**settings: Any) -> Store:
    """The store that the settings of `place` name."""
    return store_of(place(**settings))


def make_table(dsn: str) -> None:
    """Make Rails' session table."""
    run_sql(dsn, TABLES[dsn.partition(":")[0]])


def fill(
    dsn: str, names: Sequence[str], *, times: int = 1, at: str = "2026-11-23 03:59:59"
) -> None:
    """Insert sessions of the kinds in sessions.json; another name is a session without data."""
    for name in names:
        data = ROWS[name]["data"] if name in ROWS else None
        for number in range(times):
            run_sql(
                dsn,
                "INSERT INTO sessions (session_id, data, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s)",
                f"2::{name}{number}",
                data,
                at,
                at,
            )
