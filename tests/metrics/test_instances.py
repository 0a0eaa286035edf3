from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from migrator.config.secrets import SecretRef
from migrator.metrics.instances import Instances, alive, coverage_doubts
from migrator.metrics.interface import Doubt, FleetLook, Grade, Heartbeat

if TYPE_CHECKING:
    import pytest

WITHIN = timedelta(seconds=30)
TABLE = """
CREATE TABLE migrator_instance (
  instance text PRIMARY KEY, build text NOT NULL, baked text NOT NULL, stage text NOT NULL,
  epoch bigint NOT NULL, source text NOT NULL, legacy_capable boolean NOT NULL, seen_at timestamptz NOT NULL)
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


def test_a_dead_database_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_DSN", "postgresql://app:hunter2@127.0.0.1:9/none")
    (doubt,) = Instances(SecretRef("env", "FLEET_DSN"), Path(), timedelta(seconds=2)).look().doubts
    assert doubt.grade is Grade.ERROR
    assert "hunter2" not in doubt.reason
