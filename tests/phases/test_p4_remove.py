"""Phase 4 on real databases: forward, back and forward again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import ConflictError
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import STEPS, TABLES, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.postgres import PostgresServer


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def states(site: Site) -> list[str]:
    return list(p4_remove.status(site.ctx).steps.values())


def test_each_step_taken_back_leaves_the_dump_as_it_was_byte_for_byte(site: Site) -> None:
    whole = site.dump()
    p4_remove.plan(site.ctx)
    before, dumps = None, [site.dump()]
    for last in STEPS[: STEPS.index(steps.PURGE_COLUMNS)]:
        p4_remove.run(site.ctx, last)
        dumps.append(site.dump("-N", "migrator_guard"))
        if before:
            assert p4_remove.rollback(site.ctx, before).steps == (last,)
            assert site.dump("-N", "migrator_guard") == dumps[-2]
            p4_remove.run(site.ctx, last)
        before = last
    p4_remove.rollback(site.ctx)
    assert site.dump() == whole


def test_after_all_is_dropped_a_revert_brings_catalog_and_content_back(site: Site) -> None:
    rows = "SELECT md5(string_agg(u::text, '|' ORDER BY id)) FROM (SELECT {} FROM users) AS u"
    names = site.sql(
        "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY column_name) "
        "FROM information_schema.columns WHERE table_name = 'users'"
    )
    content = site.sql(rows.format(names))
    indexes = (
        "SELECT array_agg(indexdef ORDER BY indexname) FROM pg_indexes WHERE tablename = 'users'"
    )
    index_definitions = site.sql(indexes)
    p4_remove.plan(site.ctx)
    assert p4_remove.run(site.ctx, steps.PURGE_COLUMNS).steps == STEPS[:-1]
    assert p4_remove.verify(site.ctx) == STEPS[:-1]
    assert p4_remove.run(site.ctx).steps == (steps.FINALIZE,)
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None
    assert [a.rows for a in p4_remove.status(site.ctx).archives] == [48, 150, 600]
    assert site.sql("SELECT to_regclass('identities')") is None
    moved = p4_remove.rollback(site.ctx)
    assert (moved.differences, moved.orphans) == ((), ())
    assert any("end of the column order" in line for line in moved.exceptions)
    assert site.sql(rows.format(names)) == content
    assert site.sql(indexes) == index_definitions
    assert site.sql("SELECT nextval('identities_id_seq')") == 49


def test_forward_back_and_forward_again(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    p4_remove.rollback(site.ctx, steps.WRITE_BLOCK_TABLES)
    assert states(site) == ["applied"] * 8 + ["pending"] * 8
    assert p4_remove.verify(site.ctx) == STEPS[:8]
    p4_remove.run(site.ctx)
    assert states(site) == ["applied"] * 16
    assert p4_remove.run(site.ctx).steps == ()


def test_the_same_round_trip_on_postgresql_15(
    tmp_path: Path, pg15_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, pg15_devise_db, monkeypatch)
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    p4_remove.rollback(site.ctx)
    assert site.dump() == before
    # Reverting the drop of tables made new ones: the plan is for objects that are gone.
    with pytest.raises(ConflictError, match="not the one that was planned for"):
        p4_remove.run(site.ctx)
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx).differences == ()


def test_quarantine_keeps_foreign_keys_and_views_working(site: Site) -> None:
    site.sql(
        "CREATE TABLE badge (id bigint PRIMARY KEY, identity_id bigint REFERENCES identities)"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    key = site.sql("SELECT min(id) FROM migrator_quarantine.identities")
    site.sql("INSERT INTO badge VALUES (1, %s)", key)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        site.sql("INSERT INTO badge VALUES (2, -1)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        site.sql("SELECT FROM identities")


def test_rows_that_lost_their_target_are_listed_and_leave_the_key_unvalidated(site: Site) -> None:
    site.sql(
        "CREATE TABLE badge (id bigint PRIMARY KEY, identity_id bigint REFERENCES identities)"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    site.sql("INSERT INTO badge VALUES (1, -1), (2, NULL)")
    moved = p4_remove.rollback(site.ctx)
    assert [(o.table_name, o.rows, o.some_keys) for o in moved.orphans] == [
        ("public.badge", 1, ["-1"])
    ]
    assert moved.differences == ("public.identities: inbound",)
    assert (
        site.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'badge_identity_id_fkey'")
        is False
    )


def test_a_user_that_came_after_the_archive_gets_defaults_and_no_password(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    site.sql(
        "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n@e.org', now(), now())"
    )
    site.sql("DELETE FROM audit_logs WHERE user_id = 1")
    assert p4_remove.rollback(site.ctx).differences == ()
    row = "SELECT array[sign_in_count::text, left(encrypted_password, 7), right(encrypted_password, 31)] FROM users WHERE id = 9001"
    # Never an empty hash: all with one would share a salt, and sessions could be made up for them.
    assert site.sql(row) == ["0", "$2a$12$", "." * 31]


def test_quarantined_columns_take_no_more_writes_but_the_row_does(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    site.sql("UPDATE users SET name = 'renamed', email = 'other@example.org' WHERE id = 1")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        site.sql("UPDATE users SET migrator_q_sign_in_count = 7 WHERE id = 1")


def test_the_standing_follows_the_steps(site: Site) -> None:
    p4_remove.plan(site.ctx)
    assert p4_remove.standing(site.ctx).state == "0 of 16 steps applied"
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    assert p4_remove.standing(site.ctx).state == "8 of 16 steps applied"
    p4_remove.run(site.ctx)
    assert p4_remove.standing(site.ctx).done
    p4_remove.rollback(site.ctx)
    assert p4_remove.standing(site.ctx).state == "0 of 16 steps applied"


def test_each_step_is_in_the_ledger_before_and_after(site: Site) -> None:
    made = p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.TRIPWIRES)
    told = [
        (entry.action, entry.kind)
        for entry in site.ctx.state.ledger.entries(subject="remove")
        if entry.body.get("plan") == made.plan_hash or entry.kind == "outcome"
    ]
    assert told == [
        ("plan", "note"),
        ("apply 01_guard", "intent"),
        ("apply 01_guard", "outcome"),
        ("apply 02_tripwires", "intent"),
        ("apply 02_tripwires", "outcome"),
    ]


def test_plan_of_tables_alone_leaves_the_columns(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=TABLES, columns=())
    assert p4_remove.plan(site.ctx).steps == (*STEPS[:9], steps.FINALIZE)
    p4_remove.run(site.ctx)
    assert site.sql("SELECT count(encrypted_password) FROM users") > 0


def test_erased_values_are_in_no_block_any_more_and_come_back_from_the_archive(
    postgres: PostgresServer, tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=(), rules='erase = "rewrite"')
    secret = site.sql("SELECT encrypted_password FROM users WHERE id = 1").encode()
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    assert secret in _blocks(site, postgres)
    p4_remove.run(site.ctx, steps.ERASE_COLUMNS)
    assert p4_remove.verify(site.ctx)[-1] == steps.ERASE_COLUMNS
    assert secret not in _blocks(site, postgres)
    site.sql(
        "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n', now(), now())"
    )
    p4_remove.run(site.ctx)
    site.sql("DELETE FROM users WHERE id = 9001")
    assert p4_remove.rollback(site.ctx).differences == ()
    assert sorted(_words(site.dump())) == sorted(_words(before))


def _blocks(site: Site, postgres: PostgresServer) -> bytes:
    """What is on disk of the users table."""
    path = site.sql("SELECT pg_relation_filepath('users')")
    site.sql("CHECKPOINT")
    return (postgres.directory / "data" / path).read_bytes()


def _words(dump: str) -> list[str]:
    # Columns come back in another order: rows of users are compared as sets of fields.
    return re.split(r"[\s,()]+", dump)


def test_a_default_that_a_unique_index_would_let_in_only_once_goes_and_comes_back(
    fresh_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=(), columns=("token",))
    site.sql(
        "CREATE TABLE users (id int PRIMARY KEY, email text, token text NOT NULL DEFAULT '' UNIQUE)"
    )
    site.sql("INSERT INTO users VALUES (1, 'a', 'x')")
    before = site.dump()
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.LOOSEN_COLUMNS)
    site.sql("INSERT INTO users (id) VALUES (2), (3)")
    site.sql("DELETE FROM users WHERE id > 1")
    p4_remove.rollback(site.ctx)
    assert site.dump() == before
