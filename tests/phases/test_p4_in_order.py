"""With --preserve-order what comes back after a purge of columns is the same table, byte for byte in a dump."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import ConflictError, DependencyError, RefusedError, UsageError
from migrator.legacy import execute
from migrator.sqlgen import steps
from migrator.sqlgen.in_order import REBUILD
from phases import p4_remove
from tests.phases.removal import Site, make_site
from tests.sqlgen.test_round_trip import rich, role

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

    from migrator.core.units import Unit

__all__ = ["rich", "role"]

# What an application has around its users: each of it is on the table, or points to it.
AROUND = """
ALTER TABLE users ALTER confirmed_at TYPE timestamptz;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE public."who follows" (id int PRIMARY KEY, user_id bigint CONSTRAINT "odd; name" REFERENCES users ON DELETE CASCADE);
INSERT INTO "who follows" SELECT id, id FROM users LIMIT 5;
COMMENT ON CONSTRAINT "odd; name" ON "who follows" IS 'points here';
ALTER TABLE users ADD invited_by bigint REFERENCES users DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE users ADD shouted text GENERATED ALWAYS AS (upper(email)) STORED;
CREATE TRIGGER touching BEFORE UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users DISABLE TRIGGER touching;
CREATE POLICY mine ON users USING (id > 0);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users REPLICA IDENTITY FULL;
ALTER TABLE users CLUSTER ON users_pkey;
ALTER TABLE users SET (fillfactor = 90);
ALTER TABLE users ALTER email SET STATISTICS 11;
COMMENT ON TABLE users IS 'everybody';
UPDATE users SET invited_by = 1 WHERE id % 7 = 0
"""


@pytest.fixture
def devise(devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The 600 users with more around them; no tables go."""
    site = make_site(tmp_path / "site", devise_db, monkeypatch, tables=())
    site.sql(AROUND)
    # The text form of another place: what is hashed is not hashed in that.
    name = devise_db.rpartition("/")[2]
    site.sql(f"ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'")
    return site


def test_forward_back_and_forward_again_every_byte_of_a_dump_is_as_before(devise: Site) -> None:
    before = devise.dump()
    p4_remove.plan(devise.ctx, preserve_order=True)
    p4_remove.run(devise.ctx)
    moved = p4_remove.rollback(devise.ctx, steps.QUARANTINE_COLUMNS, preserve_order=True)
    assert not any("end of the column order" in line for line in moved.exceptions)
    p4_remove.run(devise.ctx)
    assert p4_remove.verify(devise.ctx) == (steps.FINALIZE,)
    moved = p4_remove.rollback(devise.ctx, preserve_order=True)
    assert (moved.differences, moved.orphans) == ((), ())
    assert devise.dump() == before
    # Not told by a dump.
    assert devise.sql("SELECT count(*) FROM pg_constraint WHERE NOT convalidated") == 0
    assert devise.sql("SELECT to_regnamespace('migrator_quarantine')") is None


def test_a_table_with_all_that_postgresql_offers_comes_back_in_order_too(
    rich: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(rich.root, rich.dsn, monkeypatch, tables=())
    before = site.dump()
    p4_remove.plan(site.ctx, preserve_order=True)
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx, preserve_order=True).differences == ()
    assert site.dump() == before


def gone(site: Site) -> None:
    """Have the columns purged, with a way back in order."""
    p4_remove.plan(site.ctx, preserve_order=True)
    p4_remove.run(site.ctx, steps.PURGE_COLUMNS)


def columns(site: Site) -> str:
    found: str = site.sql(
        "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    return found


SINCE = (
    (
        "ALTER TABLE users ADD nickname text",
        "column nickname text",
        "ALTER TABLE users DROP nickname",
    ),
    ("CREATE INDEX later ON users (name)", "CREATE INDEX later", "DROP INDEX later"),
    ("CREATE VIEW above AS SELECT email FROM users", "view public.above", "DROP VIEW above"),
    (
        "CREATE FUNCTION of_row(users) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function public.of_row",
        "DROP FUNCTION of_row",
    ),
    (
        "CREATE TABLE later (u bigint CONSTRAINT fk REFERENCES users)",
        "foreign key fk of public.later",
        "DROP TABLE later",
    ),
    (
        "CREATE STATISTICS both_names ON email, name FROM users",
        "statistics both_names",
        "DROP STATISTICS both_names",
    ),
    ("CREATE PUBLICATION told FOR ALL TABLES", "publication told", "DROP PUBLICATION told"),
    ("GRANT SELECT ON users TO PUBLIC", "SELECT for ", "REVOKE SELECT ON users FROM PUBLIC"),
    ("CREATE TABLE child () INHERITS (users)", "child public.child", "DROP TABLE child"),
    ("DROP TRIGGER touching ON users", "CREATE TRIGGER touching", ""),
)


def test_what_came_to_the_table_since_the_plan_is_named_and_the_plain_way_back_keeps_it(
    devise: Site,
) -> None:
    gone(devise)
    before = columns(devise)
    for statement, named, undo in SINCE:
        devise.sql(statement)
        with pytest.raises(ConflictError, match="changed since the plan") as caught:
            p4_remove.rollback(devise.ctx, preserve_order=True)
        assert named in caught.value.message
        if undo:
            devise.sql(undo)
    assert columns(devise) == before
    p4_remove.rollback(devise.ctx)
    assert columns(devise).split()[: len(before.split())] == before.split()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE VIEW above AS SELECT email FROM users", "view public.above depends on it"),
        ("CREATE PUBLICATION told FOR ALL TABLES", "publication told publishes it"),
        (
            "CREATE TABLE slices (u bigint REFERENCES users) PARTITION BY LIST (u)",
            "of the partitioned table public.slices points to it",
        ),
        ("CREATE TABLE child () INHERITS (users)", "it takes part in table inheritance"),
        (
            "CREATE STATISTICS both_names ON email, name FROM users",
            "extended statistics both_names",
        ),
        ("CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING", "rule quiet"),
    ],
)
def test_what_a_new_table_would_lose_is_refused_by_name_by_the_plan(
    devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, reason: str
) -> None:
    site = make_site(tmp_path / "site", devise_db, monkeypatch, tables=())
    site.sql(statement)
    with pytest.raises(RefusedError) as caught:
        p4_remove.plan(site.ctx, preserve_order=True)
    assert reason in caught.value.message


def cut_after(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    send = execute._send

    def cut(connection: Connection, unit: Unit) -> None:
        send(connection, unit)
        if unit.name == name:
            raise psycopg.OperationalError

    monkeypatch.setattr(execute, "_send", cut)


def test_cut_off_after_the_table_is_new_either_command_goes_on_in_order(
    devise: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = devise.dump()
    gone(devise)
    with monkeypatch.context() as patch:
        cut_after(patch, REBUILD)
        with pytest.raises(DependencyError):
            p4_remove.rollback(devise.ctx, preserve_order=True)
    moved = p4_remove.rollback(devise.ctx)
    assert any("it is a new table" in line for line in moved.exceptions)
    assert devise.dump() == before


def test_what_was_begun_without_it_comes_to_its_end_without_it(
    devise: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone(devise)
    with monkeypatch.context() as patch:
        cut_after(patch, "add")
        with pytest.raises(DependencyError):
            p4_remove.rollback(devise.ctx)
    with pytest.raises(ConflictError, match="at the table's end already"):
        p4_remove.rollback(devise.ctx, preserve_order=True)
    p4_remove.rollback(devise.ctx, steps.WRITE_BLOCK_COLUMNS)
    p4_remove.run(devise.ctx, steps.PURGE_COLUMNS)
    assert p4_remove.rollback(devise.ctx).differences == ()


def test_a_plan_without_it_has_no_such_way_back(devise: Site) -> None:
    p4_remove.plan(devise.ctx)
    p4_remove.run(devise.ctx, steps.GUARD)
    with pytest.raises(UsageError, match="no way back with the columns in their old places"):
        p4_remove.rollback(devise.ctx, preserve_order=True)


def test_erased_values_come_back_into_the_old_places_too(
    devise: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(devise.root, devise.dsn, monkeypatch, tables=(), rules='erase = "null"')
    before, rows = columns(site), sorted(site.dump("--data-only").splitlines())
    p4_remove.plan(site.ctx, preserve_order=True)
    p4_remove.run(site.ctx)
    p4_remove.rollback(site.ctx, steps.WRITE_BLOCK_COLUMNS, preserve_order=True)
    p4_remove.run(site.ctx)
    moved = p4_remove.rollback(site.ctx, preserve_order=True)
    assert moved.differences == ()
    assert columns(site) == before
    assert sorted(site.dump("--data-only").splitlines()) == rows
    assert any("went with the erasure" in line for line in moved.exceptions)


def test_later_users_get_what_they_get_in_the_plain_way_back_and_secrets_stay_out(
    devise: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = ("encrypted_password", "sign_in_count", "device_secret")
    site = make_site(
        devise.root, devise.dsn, monkeypatch, tables=(), columns=going, include_secrets=False
    )
    site.sql("ALTER TABLE users ADD device_secret inet DEFAULT '::1'")
    p4_remove.plan(site.ctx, preserve_order=True)
    p4_remove.run(site.ctx)
    site.sql(
        "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n', now(), now())"
    )
    p4_remove.rollback(site.ctx, preserve_order=True)
    found = "SELECT encrypted_password FROM users WHERE id = %s"
    for person in (1, 9001):
        assert site.sql(found, person).endswith("." * 31)
    assert site.sql("SELECT sign_in_count FROM users WHERE id = 9001") == 0
    assert site.sql("SELECT count(device_secret) FROM users WHERE id <> 9001") == 0
    assert site.sql("SELECT count(device_secret) FROM users WHERE id = 9001") == 1
    assert site.sql("SELECT nextval('users_id_seq')") == 601


def test_a_key_from_a_column_that_goes_to_a_table_that_goes_comes_back_with_the_table(
    devise: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(devise.root, devise.dsn, monkeypatch, columns=("locked_at", "main_identity"))
    site.sql("ALTER TABLE users ADD main_identity bigint REFERENCES identities")
    site.sql("UPDATE users SET main_identity = (SELECT min(id) FROM identities) WHERE id = 1")
    definition = "SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = 'users'::regclass"
    before = site.sql(definition)
    p4_remove.plan(site.ctx, preserve_order=True)
    p4_remove.run(site.ctx)
    moved = p4_remove.rollback(site.ctx, steps.REVOKE, preserve_order=True)
    assert moved.orphans == ()
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx).differences == ()
    assert site.sql(definition) == before
