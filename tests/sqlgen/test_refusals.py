"""What could not be carried back is refused when the plan is made, with the object's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import RefusedError
from phases import p4_remove
from tests.phases.removal import make_site

if TYPE_CHECKING:
    from pathlib import Path

USERS = "CREATE TABLE users (id int PRIMARY KEY, email text, locked_at timestamp, n int);"
GONE = "CREATE TABLE gone (a int PRIMARY KEY, b int);"

TABLE_CASES = {
    "CREATE TABLE gone (a int) PARTITION BY RANGE (a)": "it is partitioned",
    "CREATE TABLE whole (a int) PARTITION BY LIST (a); "
    "CREATE TABLE gone PARTITION OF whole DEFAULT": "it is a partition",
    GONE + "CREATE TABLE child () INHERITS (gone)": "it takes part in table inheritance",
    "CREATE VIEW gone AS SELECT 1 AS a": "it is a view",
    "CREATE MATERIALIZED VIEW gone AS SELECT 1 AS a": "it is a materialized view",
    "CREATE TYPE row_type AS (a int); CREATE TABLE gone OF row_type": "composite type",
    GONE + "CREATE VIEW sees AS SELECT * FROM gone": "view public.sees depends on it",
    GONE + "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql "
    "RETURN (SELECT count(*) FROM gone)": r"function public.f\(\) depends on it",
    GONE + "CREATE FUNCTION f(gone) RETURNS int LANGUAGE sql AS 'SELECT 1'": "depends on it",
    GONE + "CREATE TABLE other (g gone)": "column g of table public.other depends on it",
    GONE + "CREATE RULE quiet AS ON DELETE TO gone DO INSTEAD NOTHING": "rule quiet",
    GONE + "CREATE STATISTICS both_of ON a, b FROM gone": "extended statistics both_of",
    GONE
    + "CREATE POLICY p ON users USING (EXISTS (SELECT FROM gone))": "policy p .* depends on it",
    GONE + "CREATE SEQUENCE s OWNED BY gone.a; "
    "ALTER TABLE users ALTER n SET DEFAULT nextval('s')": "default value for column n .* depends on it",
    GONE
    + "CREATE TABLE parts (a int REFERENCES gone) PARTITION BY LIST (a)": "of the partitioned table",
    GONE
    + "COMMENT ON TABLE gone IS E'old\\n-- always: x\\nDROP TABLE users;\\n--'": "a line of its own",
    GONE + "ALTER TABLE gone ADD c text DEFAULT E'\\nBEGIN;\\n'": "a line of its own",
    "CREATE SCHEMA two; CREATE TABLE gone (a int); CREATE SEQUENCE x; "
    "CREATE TABLE two.gone (a int)": "the name occurs in two schemas",
}

COLUMN_CASES = {
    "CREATE VIEW sees AS SELECT locked_at FROM users": "view public.sees depends on it",
    "CREATE TRIGGER t BEFORE UPDATE OF locked_at ON users FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()": "trigger t .* depends on it",
    "CREATE POLICY p ON users USING (locked_at IS NULL)": "policy p .* depends on it",
    "ALTER TABLE users ADD y int GENERATED ALWAYS AS (extract(year FROM locked_at)) STORED": "column y",
    "ALTER TABLE users DROP locked_at, ADD locked_at int GENERATED ALWAYS AS (n) STORED": "generated",
    "ALTER TABLE users DROP locked_at, ADD locked_at int GENERATED ALWAYS AS IDENTITY": "identity",
    "ALTER TABLE users DROP locked_at, ADD locked_at serial": "sequence .* depends on it",
    "ALTER TABLE users DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (id, locked_at)": "primary key",
    "ALTER TABLE users DROP CONSTRAINT users_pkey": "without a primary key",
    "ALTER TABLE users ADD UNIQUE (locked_at); "
    "CREATE TABLE r (t timestamp REFERENCES users (locked_at))": "foreign key r_t_fkey of .* points",
    "CREATE STATISTICS s ON locked_at, n FROM users": "statistics object public.s depends on it",
    "CREATE UNIQUE INDEX i ON users (locked_at); ALTER TABLE users ALTER locked_at SET NOT NULL; "
    "ALTER TABLE users REPLICA IDENTITY USING INDEX i": "the replica identity",
    "CREATE PUBLICATION p FOR TABLE users (id, locked_at)": "publication .* depends on it",
    "ALTER TABLE users ADD migrator_q_locked_at int": "there is a column migrator_q_locked_at already",
    "ALTER TABLE users ADD migrator_row int": "a column migrator_row",
    "COMMENT ON COLUMN users.locked_at IS E'\\n-- unit: drop\\nDROP TABLE users;'": "a line of its own",
    "CREATE TABLE more () INHERITS (users)": "it takes part in table inheritance",
}


@pytest.mark.parametrize(("made", "reason"), TABLE_CASES.items())
def test_tables(
    fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, reason: str
) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute((USERS + made).encode())
    tables = ("public.gone", "two.gone") if "two." in made else ("public.gone",)
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=tables)
    with pytest.raises(RefusedError, match=reason):
        p4_remove.plan(site.ctx)


@pytest.mark.parametrize(("made", "reason"), COLUMN_CASES.items())
def test_columns(
    fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, reason: str
) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute((USERS + made).encode())
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=())
    with pytest.raises(RefusedError, match=reason):
        p4_remove.plan(site.ctx)


def test_functions_that_postgresql_cannot_tie_to_a_table_are_noted(
    fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(
            (
                USERS
                + GONE
                + "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT a FROM gone';"
                "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN NEW.locked_at := now(); RETURN NEW; END';"
                "CREATE TRIGGER lock BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION t()"
            ).encode()
        )
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=("public.gone",))
    assert p4_remove.plan(site.ctx).notes[:2] == (
        "function public.f() names what goes from public.gone, and may break",
        "function public.t() (locked_at) names what goes from public.users, and may break",
    )


def test_what_auther_has_no_place_for_goes_only_when_that_is_acknowledged(
    fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute((USERS + "ALTER TABLE users ADD otp_secret text").encode())
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=(), acknowledged=("lockout",))
    with pytest.raises(RefusedError, match=r'otp_secret; .* put "second_factors" into') as caught:
        p4_remove.plan(site.ctx)
    assert "locked_at" not in caught.value.message
