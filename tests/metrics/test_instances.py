from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.secrets import SecretRef
from migrator.metrics.instances import Instances, alive, coverage_doubts
from migrator.metrics.interface import (
    Doubt,
    FleetLook,
    Grade,
    Heartbeat,
    Process,
    WrittenProcess,
)
from tests.parts.stage_file import SIDE_TABLES

if TYPE_CHECKING:
    import pytest

WITHIN = timedelta(seconds=30)
TABLE = """
CREATE TABLE migrator_instance (
  instance text PRIMARY KEY, build text NOT NULL, baked text NOT NULL, stage text NOT NULL,
  epoch bigint NOT NULL, source text NOT NULL, legacy_capable boolean NOT NULL, seen_at timestamptz NOT NULL)
"""


COUNTS = """
auth_requests_total{{path="legacy",outcome="accepted",stage="drain",reason="",client="app",synthetic="0"}} 3.0
migrator_shim_info{{instance="{}",build="1",baked="dual",stage="drain",epoch="7",source="live"}} 1.0
migrator_process_start_time_seconds 1.7958642041918058e+09
"""


def beat(instance: str, age_s: float = 1) -> Heartbeat:
    return Heartbeat(instance, "1", "drain", 7, legacy_capable=True, age=timedelta(seconds=age_s))


def reasons(fleet: FleetLook, scraped: list[str], expected: int | tuple[str, ...]) -> list[str]:
    doubts = coverage_doubts(fleet, scraped=scraped, expected=expected, within=WITHIN)
    assert {doubt.grade for doubt in doubts} <= {Grade.UNPROVEN}
    return [doubt.reason for doubt in doubts]


def test_all_alive_and_scraped_leaves_no_doubt() -> None:
    fleet = FleetLook((beat("web-1"), beat("web-2")))
    assert reasons(fleet, ["web-1", "web-2"], ("web-1", "web-2")) == []
    assert reasons(fleet, ["web-1", "web-2"], 2) == []


def test_who_is_missing_is_named_with_the_silence() -> None:
    fleet = FleetLook((beat("web-1"), beat("web-2", 95), beat("web-3", -300)))
    assert reasons(fleet, ["web-1"], ("web-1", "web-2", "web-3", "web-4")) == [
        "web-2 was last heard of 1m 35s ago",
        "web-3 reports from the future: its clock is 5m ahead",
        "web-4 never reported",
    ]
    assert reasons(fleet, ["web-1"], 2) == ["1 of 2 expected instances are alive"]


def test_a_living_instance_that_nobody_scrapes_is_a_hole_even_if_unexpected() -> None:
    fleet = FleetLook((beat("web-1"), beat("web-9")))
    found = reasons(fleet, ["web-1"], ("web-1",))
    assert found == ["web-9 is alive but its counters were not read: is it in [drain]?"]


def test_a_clock_slightly_ahead_is_no_fault() -> None:
    fleet = FleetLook((beat("web-1", -3),))
    assert [b.instance for b in alive(fleet, within=WITHIN)] == ["web-1"]


def test_an_unreadable_fleet_proves_nothing() -> None:
    fleet = FleetLook(doubts=(Doubt(Grade.ERROR, "down"),))
    found = coverage_doubts(fleet, scraped=["web-1"], expected=1, within=WITHIN)
    assert found == (Doubt(Grade.ERROR, "down"),)


def test_heartbeats_are_read_with_their_age_by_the_databases_clock(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_DSN", fresh_db)
    source = Instances(SecretRef("env", "FLEET_DSN"), Path(), timedelta(seconds=5))
    (doubt,) = source.look().doubts
    assert (doubt.grade, "migrator import run" in doubt.reason) == (Grade.UNPROVEN, True)
    with psycopg.connect(fresh_db) as connection:
        connection.execute(TABLE)
        connection.execute(
            "INSERT INTO migrator_instance VALUES"
            " ('web-1', '4', 'dual', 'drain', 7, 'live', true, now() - interval '20 seconds')"
        )
    (found,) = source.look().heartbeats
    assert (found.instance, found.build, found.epoch, found.legacy_capable) == (
        "web-1",
        "4",
        7,
        True,
    )
    assert timedelta(seconds=20) <= found.age < timedelta(seconds=50)


def test_an_instance_that_said_that_it_ends_is_not_alive_until_the_next_one_begins() -> None:
    at = datetime(2026, 11, 23, 3, tzinfo=UTC)
    last = replace(beat("web-1"), seen_at=at)
    final = Process("web-1", "1", "drain", 7, "live", 1.0, {})
    running = WrittenProcess("web-1", 1.0, at - WITHIN, at)
    ended = replace(running, ended_at=at, final=final)
    after = WrittenProcess("web-1", 2.0, at, at)

    def living(*rows: WrittenProcess, seen_at: datetime = at) -> int:
        fleet = FleetLook((replace(last, seen_at=seen_at),), processes=rows, at=at)
        return len(alive(fleet, within=WITHIN))

    assert living(running) == living() == 1
    assert living(ended) == 0
    assert living(replace(ended, final=None)) == 1
    assert living(ended, after) == living(after, ended) == 1
    assert living(ended, seen_at=at + timedelta(seconds=1)) == 1


def test_rows_of_processes_are_read_where_they_can_be_believed(
    fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_DSN", fresh_db)
    source = Instances(SecretRef("env", "FLEET_DSN"), Path(), timedelta(seconds=5))
    with psycopg.connect(fresh_db) as connection:
        connection.execute(TABLE)
    assert source.look().processes is None
    with psycopg.connect(fresh_db) as connection:
        connection.execute("DROP TABLE migrator_instance")
        connection.execute(SIDE_TABLES)
        for instance, pid, counts in (
            ("whole", 1, COUNTS.format("whole")),
            ("of another", 1, COUNTS.format("whole")),
            ("idle", 1, "".join(COUNTS.format("idle").splitlines(keepends=True)[2:])),
            ("cut off", 1, "auth_requests_total{"),
            ("twice", 1, COUNTS.format("twice")),
            ("twice", 2, COUNTS.format("twice")),
        ):
            connection.execute(
                "INSERT INTO migrator_process (instance, started_at, pid, ended_at, counts)"
                " VALUES (%s, 1795864204.1918058, %s, now(), %s)",
                (instance, pid, counts),
            )
    fleet = source.look()
    assert fleet.at is not None
    rows = {row.instance: row for row in fleet.processes or ()}
    assert {name for name, row in rows.items() if row.is_whole} == {"whole", "idle"}
    whole = rows["whole"]
    assert whole.final is not None
    assert sum(whole.final.requests.values()) == 3
    assert whole.started_at_s == 1795864204.1918058
    assert rows["twice"].ended_at is None


def test_a_dead_database_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_DSN", "postgresql://app:hunter2@127.0.0.1:9/none")
    (doubt,) = Instances(SecretRef("env", "FLEET_DSN"), Path(), timedelta(seconds=2)).look().doubts
    assert doubt.grade is Grade.ERROR
    assert "hunter2" not in doubt.reason
