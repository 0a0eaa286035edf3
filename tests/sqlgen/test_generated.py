"""Over generated schemas: quarantine and archive leave no trace, what is dropped comes back."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import make_site
from tests.sqlgen.schemas import RandomColumn, RandomTable, schemas, sql_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

_numbers = itertools.count()
QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def check(
    postgres: PostgresServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: tuple[tuple[RandomColumn, ...], list[RandomTable]],
) -> None:
    users, tables = schema
    with postgres.temporary_database() as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(sql_of(users, tables).encode())
        site = make_site(
            folder / f"s{next(_numbers)}",
            dsn,
            monkeypatch,
            tables=tuple(f"public.{table.name}" for table in tables),
            columns=tuple(column.name for column in users),
        )
        before = site.dump()
        p4_remove.plan(site.ctx)
        p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
        p4_remove.rollback(site.ctx)
        assert site.dump() == before
        p4_remove.run(site.ctx)
        assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
        moved = p4_remove.rollback(site.ctx)
        assert (moved.differences, moved.orphans) == ((), ())


@settings(max_examples=10, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate])
@given(schema=schemas)
def test_ten(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: tuple[tuple[RandomColumn, ...], list[RandomTable]],
) -> None:
    check(postgres, tmp_path, monkeypatch, schema)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(max_examples=200, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate])
@given(schema=schemas)
def test_two_hundred(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: tuple[tuple[RandomColumn, ...], list[RandomTable]],
) -> None:
    check(postgres, tmp_path, monkeypatch, schema)
