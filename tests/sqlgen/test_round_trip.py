"""What is dropped comes back: any table that the plan accepts, on a real PostgreSQL."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.sql import ident
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import Site, make_site
from tests.sqlgen import catalog
from tests.sqlgen.reading import read_rich

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLES = tuple(".".join(name) for name in catalog.TABLES)


@pytest.fixture
def role(fresh_db: str) -> Iterator[str]:
    name = "a role " + secrets.token_hex(4)
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {ident(name)}".encode())
    yield name
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {ident(name)} CASCADE".encode())
        connection.execute(f"DROP ROLE {ident(name)}".encode())


@pytest.fixture
def rich(fresh_db: str, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(catalog.rich_sql(role).encode())
    return make_site(tmp_path, fresh_db, monkeypatch, tables=TABLES)


def test_the_catalog_that_is_kept_is_what_postgresql_says(rich: Site, role: str) -> None:
    found, kept = read_rich(rich.dsn, role), catalog.kept_catalog()
    if found.server_version // 10_000 != kept.server_version // 10_000:
        pytest.skip("it is kept as PostgreSQL 18 says it")
    assert replace(found, server_version=kept.server_version) == kept


@pytest.mark.parametrize(
    ("tables", "columns", "last"),
    [(TABLES, (), steps.WRITE_BLOCK_TABLES), ((), "devise", steps.WRITE_BLOCK_COLUMNS)],
)
def test_up_to_the_archive_the_dump_is_the_same_byte_for_byte(
    rich: Site,
    monkeypatch: pytest.MonkeyPatch,
    tables: tuple[str, ...],
    columns: str | tuple[str, ...],
    last: str,
) -> None:
    site = make_site(rich.root, rich.dsn, monkeypatch, tables=tables, columns=columns)
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, last)
    assert p4_remove.verify(site.ctx)[-1] == last
    p4_remove.rollback(site.ctx, steps.GUARD)
    p4_remove.rollback(site.ctx)
    assert site.dump() == before


def test_dropped_tables_come_back_with_all_that_was_on_them(rich: Site) -> None:
    # Sorted, since rows of tables come back in the archive's order.
    before = sorted(rich.dump().splitlines())
    p4_remove.plan(rich.ctx)
    p4_remove.run(rich.ctx, steps.PURGE_TABLES)
    assert rich.sql("SELECT count(*) FROM pg_constraint WHERE conname = 'to tokens'") == 0
    moved = p4_remove.rollback(rich.ctx)
    assert (moved.differences, moved.orphans) == ((), ())
    assert sorted(rich.dump().splitlines()) == before


def test_dropped_columns_come_back_with_all_that_was_on_them(rich: Site) -> None:
    p4_remove.plan(rich.ctx)
    p4_remove.run(rich.ctx)
    assert rich.sql("SELECT count(*) FROM pg_index WHERE indrelid = 'public.users'::regclass") == 2
    moved = p4_remove.rollback(rich.ctx)
    assert (moved.differences, moved.orphans) == ((), ())
    assert (
        rich.sql("SELECT confirmed_at::text FROM users WHERE id = 4") == "0044-03-15 00:00:00 BC"
    )


def test_a_name_of_63_bytes_is_cut_and_given_back(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "ü" * 31
    twin = "ü" * 30 + "x"
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(
            f"CREATE TABLE users (id int PRIMARY KEY, {ident(long)} int NOT NULL, "
            f"{ident(twin)} int, email text)".encode()
        )
        connection.execute(b"INSERT INTO users VALUES (1, 2, 3, 'a')")
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=(), columns=(long, twin))
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    p4_remove.rollback(site.ctx)
    assert site.dump() == before


def test_a_value_missing_on_the_way_back_is_told_and_the_revert_goes_on_once_it_is_there(
    rich: Site,
) -> None:
    p4_remove.plan(rich.ctx)
    p4_remove.run(rich.ctx, steps.QUARANTINE_COLUMNS)
    rich.sql("INSERT INTO users (email) VALUES ('new')")
    with pytest.raises(Exception, match="23514"):
        p4_remove.rollback(rich.ctx)
    rich.sql("UPDATE users SET failed_attempts = 0 WHERE email = 'new'")
    p4_remove.rollback(rich.ctx)
    with pytest.raises(psycopg.errors.NotNullViolation):
        rich.sql("INSERT INTO users (email) VALUES ('newer')")


def test_foreign_keys_cascade_into_quarantine_for_an_owner_without_other_rights(
    fresh_db: str, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=("public.gone",), columns=())
    site.sql("CREATE TABLE users (id int PRIMARY KEY)")
    site.sql("CREATE TABLE gone (id int REFERENCES users ON DELETE CASCADE)")
    site.sql("INSERT INTO users VALUES (1), (2)")
    site.sql("INSERT INTO gone VALUES (1), (2)")
    for table in ("users", "gone"):
        site.sql(f"ALTER TABLE {table} OWNER TO {ident(role)}")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    with psycopg.connect(fresh_db, autocommit=True) as application:
        application.execute(f"SET ROLE {ident(role)}".encode())
        application.execute("DELETE FROM users WHERE id = 1")
    assert site.sql("SELECT count(*) FROM migrator_quarantine.gone") == 1
    p4_remove.rollback(site.ctx)
    assert site.sql("SELECT to_regnamespace('migrator_quarantine')") is None
