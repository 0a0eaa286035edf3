"""Over generated schemas: quarantine and archive leave no trace, what is dropped comes back."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from migrator.core.errors import RefusedError
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import make_site
from tests.sqlgen.surroundings import RandomSchema, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer
    from tests.phases.removal import Site

_numbers = itertools.count()
QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def check(
    postgres: PostgresServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: RandomSchema,
) -> None:
    folder /= f"s{next(_numbers)}"
    tables = tuple(f"public.{table.name}" for table in schema.tables)
    columns = tuple(column.name for column in schema.columns)
    with postgres.temporary_database() as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(schema.sql.encode())
        if schema.in_the_way:
            listed = (*tables, *schema.listed)
            site = make_site(folder, dsn, monkeypatch, tables=listed, columns=columns)
            is_refused_by_name(site, schema)
        site = make_site(folder, dsn, monkeypatch, tables=tables, columns=columns)
        before = site.dump()
        in_order = schema.in_order and comes_in_order(site, schema)
        p4_remove.plan(site.ctx, preserve_order=in_order)
        p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
        p4_remove.rollback(site.ctx)
        assert site.dump() == before
        p4_remove.run(site.ctx)
        assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
        moved = p4_remove.rollback(site.ctx, preserve_order=in_order)
        assert (moved.differences, moved.orphans) == ((), ())
        if in_order:  # but for the rows of the tables, which come in their archive's order
            assert sorted(site.dump().splitlines()) == sorted(before.splitlines())


def comes_in_order(site: Site, schema: RandomSchema) -> bool:
    if not schema.ties:
        return True
    with pytest.raises(RefusedError) as caught:
        p4_remove.plan(site.ctx, preserve_order=True)
    assert all(reason in caught.value.message for reason in schema.ties)
    return False


def is_refused_by_name(site: Site, schema: RandomSchema) -> None:
    with pytest.raises(RefusedError) as caught:
        p4_remove.plan(site.ctx)
    for around in schema.in_the_way:
        assert around.named in caught.value.message
        if around.away:
            site.sql(around.away)


@settings(max_examples=10, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate])
@given(schema=schemas)
def test_ten(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    schema: RandomSchema,
) -> None:
    check(postgres, tmp_path, monkeypatch, schema)


@pytest.fixture
def count(capsys: pytest.CaptureFixture[str]) -> Iterator[Counter[str]]:
    """How many schemas there were, and how many had what; printed at the end."""
    counted: Counter[str] = Counter()
    yield counted
    with capsys.disabled():
        print(f"\n{counted.pop('schemas', 0)} schemas")
        for feature, times in counted.most_common():
            print(f"  {times} with {feature}")


@pytest.mark.long
@pytest.mark.timeout(7200)
@settings(max_examples=500, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate])
@given(schema=schemas)
def test_five_hundred(
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: Counter[str],
    schema: RandomSchema,
) -> None:
    count.update(["schemas", *set(schema.features)])
    check(postgres, tmp_path, monkeypatch, schema)
