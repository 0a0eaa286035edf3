"""Phase 4 on MariaDB: tables go by one RENAME, come back the same, and nothing is lost wherever it is cut off."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.errors import (
    ConflictError,
    DependencyError,
    HeldError,
    MigratorError,
    RefusedError,
    UsageError,
)
from migrator.core.mariadb import places_of
from migrator.legacy.removals import open_removal
from migrator.runner.removing.archive_work import drill_all, drill_elsewhere
from migrator.runner.removing.plans import kept_plan
from migrator.runner.removing.receipt import make_receipt
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import flip_a_bit
from tests.phases.removal_elsewhere import ODD_TABLE, Cut, Shop, make_shop, until_done

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.mariadb import MariaDbServer

pytestmark = pytest.mark.xdist_group("mariadb-removal")
STEPS = ("01_guard", "05_quarantine_tables", "06_archive_tables", "07_drill_tables", "08_write_block_tables", "09_purge_tables", "17_finalize")  # fmt: skip
Make = Any


@pytest.fixture
def make(
    tmp_path: Path, mariadb: MariaDbServer, mariadb_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    def made(**options: Any) -> Shop:
        return make_shop(tmp_path / "site", mariadb, mariadb_devise_db, monkeypatch, **options)

    yield made
    for place in places_of(mariadb_devise_db.rpartition("/")[2]).all:
        mariadb.run(f"DROP DATABASE IF EXISTS `{place}`")


@pytest.fixture
def shop(make: Make) -> Shop:
    made = make()
    p4_remove.plan(made.site.ctx)
    return made  # type: ignore[no-any-return]


def test_up_to_the_quarantine_a_revert_leaves_everything_as_it_was(shop: Shop) -> None:
    before = shop.state()
    survey = kept_plan(shop.site.ctx).survey
    assert len(survey) >= 3
    assert any("innodb_flush_log_at_trx_commit" in line for line in survey)
    p4_remove.run(shop.site.ctx, steps.WRITE_BLOCK_TABLES)
    assert p4_remove.verify(shop.site.ctx) == STEPS[:5]
    with pytest.raises(Exception, match="doesn't exist"):
        shop.sql("SELECT 1 FROM identities")
    moved = p4_remove.rollback(shop.site.ctx)
    assert (moved.differences, moved.orphans, moved.exceptions) == ((), (), ())
    assert shop.state() == before
    assert shop.left() == []


def test_after_the_purge_definitions_and_rows_come_back_from_the_archive_and_go_again(
    shop: Shop,
) -> None:
    ctx, before = shop.site.ctx, shop.state()
    assert p4_remove.run(ctx).steps == STEPS
    assert shop.left() == []
    assert p4_remove.verify(ctx) == (steps.FINALIZE,)
    assert set(p4_remove.status(ctx).steps.values()) == {"applied"}
    receipt = make_receipt(ctx, kept_plan(ctx))
    assert receipt.whole
    assert receipt.tables == kept_plan(ctx).tables
    assert "binary logs and replicas" in {held.where for held in receipt.held}
    moved = p4_remove.rollback(ctx)
    assert moved.steps == STEPS[::-1]
    assert (moved.differences, moved.orphans) == ((), ())
    assert shop.state() == before
    # New tables have other numbers in InnoDB.
    p4_remove.plan(ctx)
    assert p4_remove.run(ctx).steps == STEPS


def test_cut_off_at_every_statement_the_same_command_goes_on_and_nothing_is_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.state()
    cut = Cut(monkeypatch)
    until_done(lambda: p4_remove.run(shop.site.ctx))
    assert shop.left() == []
    forward = cut.cuts
    until_done(lambda: p4_remove.rollback(shop.site.ctx))
    assert shop.state() == before
    assert shop.left() == []
    assert forward >= 30
    assert cut.cuts >= forward + 30


def test_half_done_anywhere_it_can_be_taken_back_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.state()
    for step in STEPS[1:6]:
        with monkeypatch.context() as broken:
            Cut(broken)
            for _ in range(3):
                with pytest.raises(DependencyError):
                    p4_remove.run(shop.site.ctx, step)
        p4_remove.rollback(shop.site.ctx)
        assert shop.state() == before, step
        p4_remove.plan(shop.site.ctx)
        p4_remove.run(shop.site.ctx, step)


def test_secrets_stay_out_of_the_archive_and_something_stands_in(make: Make) -> None:
    shop = make(include_secrets=False)
    plan = p4_remove.plan(shop.site.ctx)
    assert f"{shop.database}.{ODD_TABLE}.reset_token" in "".join(plan.exceptions)
    p4_remove.run(shop.site.ctx)
    p4_remove.rollback(shop.site.ctx)
    tokens = [token for (token,) in shop.sql(f"SELECT reset_token FROM `{ODD_TABLE}`")]
    assert len(set(tokens)) == 39
    assert all(re.fullmatch(r"[0-9a-f]{32}", token) for token in tokens)


def test_rows_come_in_pieces_that_end_anywhere(mariadb_devise_db: str) -> None:
    place = (mariadb_devise_db.rpartition("/")[2], "pieces")
    with open_removal(mariadb_devise_db, doing="x", read_only=False, wait_s=1) as database:
        database.connection.send("CREATE TABLE pieces (id int, note text)")  # type: ignore[attr-defined]
        pieces = [b"1\ta", b"b\\tc\n2", b"\tz\n3\t\\N\n"]
        database.copying(encoding="UTF8").fill(place, ("id", "note"), iter(pieces))
        rows = b"".join(database.copying(encoding="UTF8").rows(place, ("id", "note"), ("id",)))
    assert rows == b"".join(pieces)


def test_a_file_run_by_hand_refuses_without_lease_and_evidence(shop: Shop) -> None:
    ctx, file = shop.site.ctx, f"deploy/{steps.QUARANTINE_TABLES}.sql"
    assert "already" in shop.by_hand(file, lease=False) or shop.left() == []
    p4_remove.run(ctx, steps.GUARD)
    assert "holds no lease on the removal; next: migrator remove apply" in shop.by_hand(
        file, lease=False
    )
    said = shop.by_hand(file)
    assert "has no gate evidence that is still good; next: migrator gate check" in said
    assert shop.sql("SELECT COUNT(*) FROM identities")
    p4_remove.permit(ctx, steps.QUARANTINE_TABLES)
    shop.sql(f"UPDATE `{shop.places.guard}`.evidence SET expires_at = expires_at - INTERVAL 1 DAY")
    assert "has no gate evidence that is still good" in shop.by_hand(file)
    p4_remove.permit(ctx, steps.QUARANTINE_TABLES)
    assert not shop.by_hand(file)
    assert p4_remove.status(ctx).steps[steps.QUARANTINE_TABLES] == "applied"
    assert not shop.by_hand(f"verify/{steps.QUARANTINE_TABLES}.sql")
    assert (
        "step 06_archive_tables comes before 09_purge_tables, and is pending; next: migrator remove permit "
        "06_archive_tables and deploy/06_archive_tables.sql, or migrator remove apply --to 06_archive_tables"
    ) in shop.by_hand(f"deploy/{steps.PURGE_TABLES}.sql")
    assert (
        "step 05_quarantine_tables comes before 01_guard, and is applied; next: revert/05_quarantine_tables.sql, "
        "or migrator remove revert --to 01_guard"
    ) in shop.by_hand(f"revert/{steps.GUARD}.sql")


def test_rows_written_after_the_archive_are_refused_and_keep_the_tables(shop: Shop) -> None:
    ctx, place = shop.site.ctx, f"`{shop.places.quarantine}`.identities"
    p4_remove.run(ctx, steps.DRILL_TABLES)
    shop.sql(f"UPDATE {place} SET uid = 'another' LIMIT 1")
    with pytest.raises(RefusedError, match="identities differs from its archive"):
        p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    p4_remove.rollback(ctx, steps.QUARANTINE_TABLES)
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    for statement in (f"DELETE FROM {place}", f"UPDATE {place} SET uid = 'x'"):
        with pytest.raises(Exception, match="in quarantine on its way out"):
            shop.sql(statement)
    with pytest.raises(RefusedError, match=r"nothing writes to .*identities any more"):
        p4_remove.run(ctx, steps.PURGE_TABLES)
    assert shop.sql(f"SELECT COUNT(*) FROM {place}") == [(48,)]


def test_a_user_who_is_deleted_meanwhile_leaves_rows_that_a_revert_lists(shop: Shop) -> None:
    ctx = shop.site.ctx
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    user = shop.sql(f"SELECT user_id FROM `{shop.places.quarantine}`.`{ODD_TABLE}` LIMIT 1")[0][0]
    shop.sql("SET foreign_key_checks = 1")
    shop.sql("DELETE FROM users WHERE id = %s", user)
    moved = p4_remove.rollback(ctx)
    assert (f"{shop.database}.{ODD_TABLE}", 'odd "user', 1) in {
        (o.table_name, o.constraint_name, o.rows) for o in moved.orphans
    }


def test_a_reader_holds_the_step_which_says_who_and_waits_no_longer(make: Make) -> None:
    shop = make()
    ctx = shop.site.ctx
    p4_remove.plan(ctx)
    p4_remove.run(ctx, steps.GUARD)
    with shop.server.connect(shop.database) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM identities")
        with pytest.raises(HeldError, match=rf"connection {connection.thread_id()} \(app, "):
            p4_remove.run(ctx, steps.QUARANTINE_TABLES)
        cursor.execute("SELECT COUNT(*) FROM identities")
        assert cursor.fetchone() == (48,)
    p4_remove.run(ctx, steps.QUARANTINE_TABLES)


def test_two_operators_do_not_work_at_once(shop: Shop) -> None:
    p4_remove.run(shop.site.ctx, steps.GUARD)
    with (
        open_removal(shop.site.dsn, doing="x", read_only=False, wait_s=1) as other,
        other.guard.leased("the other one"),
        pytest.raises(ConflictError, match="the other one holds the lease"),
    ):
        p4_remove.run(shop.site.ctx, steps.QUARANTINE_TABLES)


def test_what_came_in_between_is_refused(shop: Shop) -> None:
    ctx = shop.site.ctx
    p4_remove.run(ctx, steps.GUARD)
    shop.sql("CREATE VIEW seen AS SELECT id FROM identities")
    with pytest.raises(ConflictError, match=r"a view reads the tables: .*\.seen"):
        p4_remove.run(ctx, steps.QUARANTINE_TABLES)
    shop.sql("DROP VIEW seen")
    shop.sql("RENAME TABLE identities TO old")
    shop.sql("CREATE TABLE identities LIKE old")
    with pytest.raises(ConflictError, match="not the planned table: identities"):
        p4_remove.run(ctx, steps.QUARANTINE_TABLES)


def test_a_damaged_chunk_is_found_before_anything_is_dropped(shop: Shop) -> None:
    ctx = shop.site.ctx
    p4_remove.run(ctx, steps.ARCHIVE_TABLES)
    chunk = next(shop.site.archive(steps.ARCHIVE_TABLES).glob("t001-c*"))
    flip_a_bit(chunk)
    with pytest.raises(RefusedError, match=chunk.name):
        p4_remove.run(ctx, steps.PURGE_TABLES)
    flip_a_bit(chunk)
    folder = chunk.parent.parent
    for proven in (
        drill_all(ctx, identity=None),
        drill_elsewhere(ctx, folder, identity=None, into=None),
    ):
        assert [table.rows for table in proven] == [48, 39]


@pytest.mark.parametrize(
    ("options", "prepare", "said"),
    [
        ({"columns": ("locked_at",)}, "", "columns go on PostgreSQL only"),
        ({"tables": ("nothing",)}, "", "there is no table nothing"),
        ({"tables": ("users",)}, "", "is the users table"),
        ({"acknowledged": ()}, "", 'put "stages" into [remove] acknowledged'),
        ({}, "CREATE VIEW seen AS SELECT id FROM identities", "seen reads it"),
        ({}, "CREATE TRIGGER t BEFORE INSERT ON identities FOR EACH ROW SET @x = 1", "trigger t cannot"),
        ({}, "CREATE TABLE z (i bigint, FOREIGN KEY (i) REFERENCES identities (id))", "drop that one first"),
        ({}, "ALTER TABLE identities ADD COLUMN b bit(3)", "identities.b: values of the type bit(3)"),
        ({"tables": ("old",)}, "CREATE TABLE old (i int) ENGINE = MyISAM", "its engine is MyISAM"),
        ({}, "ALTER TABLE identities ADD COLUMN t bigint AS (user_id * 2) STORED", "t is computed of its"),
    ],
)  # fmt: skip
def test_what_could_not_be_carried_back_is_refused_by_name(
    make: Make, options: dict[str, Any], prepare: str, said: str
) -> None:
    shop = make(**options)
    if prepare:
        shop.sql(prepare)
    with pytest.raises(MigratorError) as refused:
        p4_remove.plan(shop.site.ctx)
    assert said in refused.value.message
    assert shop.left() == []


def test_what_was_not_built_for_it_is_refused_plainly(shop: Shop) -> None:
    ctx = shop.site.ctx
    with pytest.raises(UsageError, match="--wrap knows PostgreSQL only"):
        p4_remove.plan(ctx, wrap=("rails",))
    with pytest.raises(UsageError, match="--preserve-order knows PostgreSQL only"):
        p4_remove.plan(ctx, preserve_order=True)


def test_the_rights_that_the_runbook_names_suffice(
    tmp_path: Path,
    mariadb: MariaDbServer,
    mariadb_devise_db: str,
    monkeypatch: pytest.MonkeyPatch,
    make: Make,
) -> None:
    account = f"low_{secrets.token_hex(4)}@'%'"
    database = mariadb_devise_db.rpartition("/")[2]
    mariadb.run(
        f"CREATE USER {account} IDENTIFIED BY 'low'", f"GRANT ALL ON `{database}`.* TO {account}"
    )
    dsn = mariadb_devise_db.replace(
        f"app:{mariadb.password}@", f"{account.partition('@')[0]}:low@"
    )
    shop = make_shop(tmp_path / "site", mariadb, dsn, monkeypatch)
    with pytest.raises(DependencyError, match="PROCESS"):
        p4_remove.plan(shop.site.ctx)
    mariadb.run(f"GRANT PROCESS ON *.* TO {account}")
    mariadb.run(*(f"GRANT ALL ON `{place}`.* TO {account}" for place in shop.places.all))
    before = shop.state()
    p4_remove.plan(shop.site.ctx)
    p4_remove.run(shop.site.ctx)
    p4_remove.rollback(shop.site.ctx)
    assert shop.state() == before
    mariadb.run(f"DROP USER {account}")
