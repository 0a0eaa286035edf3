"""Single rows leave quarantine and archive on MariaDB: found as the server compares them, and wherever the command is killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from migrator.archive.encryption import Identity
from migrator.archive.folder import alone
from migrator.archive.reader import check_chunks, read_rows
from migrator.core.errors import DependencyError, HeldError, RefusedError, UsageError
from migrator.core.mariadb import places_of
from migrator.legacy.erasing import Archived
from migrator.legacy.mariadb.connection import MariaDbConnection
from migrator.legacy.removals import open_removal
from migrator.legacy.rows import text_of
from migrator.runner.removing.archive_work import erase_rows
from migrator.runner.removing.plans import kept_plan
from migrator.runner.removing.receipt import make_receipt
from migrator.runner.removing.wishes import Wish
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import migrator
from tests.phases.removal import IDENTITY
from tests.phases.removal_elsewhere import ODD_TABLE, Cut, Shop, make_shop, until_done
from tests.runner.approvals import Team, approvers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrator.runner.removing.erasing import Erased
    from tests.parts.mariadb import MariaDbServer

pytestmark = pytest.mark.xdist_group("mariadb-removal")
# In the order of ENUM z comes before a; the collation takes Ü for ü and no notice of blanks at the end; a BINARY has all its bytes.
MEMBERS_SQL = (
    """CREATE TABLE members (
  team varchar(12) CHARACTER SET latin1 COLLATE latin1_german1_ci NOT NULL, person binary(2) NOT NULL, grade enum('z', 'a', '1') NOT NULL,
  number decimal(20,2) NOT NULL, big bigint(20) unsigned NOT NULL, born datetime NOT NULL, `100% of it` text COLLATE utf8mb4_bin, PRIMARY KEY (team, person, grade))""",
    """INSERT INTO members
SELECT t.team, UNHEX(CONCAT('0', n.seq, '00')), g.grade, n.seq / 2, 18446744073709551606 + n.seq, '2024-03-31 02:30:00' + INTERVAL n.seq DAY, CONCAT(t.team, n.seq, g.grade)
FROM (SELECT 'zürich,"x' AS team UNION SELECT 'b') AS t, seq_1_to_9 AS n, (SELECT 'z' AS grade UNION SELECT 'a' UNION SELECT '1') AS g""",
    "CREATE TABLE notices (team varchar(12), note text)",
    "INSERT INTO notices SELECT CONCAT('Team ', seq % 4), CONCAT('notice ', seq) FROM seq_1_to_12",
)
TEAM = ("team", "varchar(12)", "latin1_german1_ci")
ALL = ("members", "notices", "identities", ODD_TABLE)
ODD_KEY = '"ZÜRICH,""X",0300,a'
# Where it is decided: the row is deleted and its writer still approved; all is committed and the manifest follows.
DECIDING = r"DELETE FROM .*writer|os.rename SHA"


@pytest.fixture
def shop(
    tmp_path: Path, mariadb: MariaDbServer, mariadb_devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    """Tables with keys that compare oddly, and one without, in chunks of five rows."""
    folder, team = tmp_path / "site", Team(tmp_path)
    keys = {name: team.keys[name] for name in ("alice", "bob")}
    with mariadb.connect(mariadb_devise_db.rpartition("/")[2]) as connection:
        for statement in MEMBERS_SQL:
            connection.cursor().execute(statement)
    more = "chunk_rows = 5\n" + approvers(keys)
    made = make_shop(folder, mariadb, mariadb_devise_db, monkeypatch, tables=ALL, more=more)
    (folder / "keys.json").write_text(json.dumps(team.keys))
    p4_remove.plan(made.site.ctx)
    yield made
    for place in places_of(made.database).all:
        mariadb.run(f"DROP DATABASE IF EXISTS `{place}`")


def erase(shop: Shop, table: str, *keys: str, column: str = "") -> Erased:
    """Erase; ask and have it signed, unless that was done for a wish that was refused then."""
    wish = Wish(f"{shop.database}.{table}", column, keys)
    try:
        return erase_rows(shop.site.ctx, wish)
    except HeldError as held:
        if "is not approved" not in held.message:
            raise
    Team(shop.site.root, json.loads((shop.site.root / "keys.json").read_text())).sign(
        "alice", "bob"
    )
    return erase_rows(shop.site.ctx, wish)


def held(shop: Shop, table: str = "members") -> set[str]:
    """The last column of each row that the archive has of a table."""
    folder = shop.site.archive(steps.ARCHIVE_TABLES)
    manifest = alone(folder)
    check_chunks(folder, manifest)
    known = manifest.table(f"{shop.database}.{table}")
    assert known is not None
    lines = b"".join(read_rows(folder, known, Identity(IDENTITY))).decode().splitlines()
    assert len(lines) == known.rows
    return {line.rpartition("\t")[2] for line in lines}


def left(shop: Shop, place: str, table: str = "members") -> int:
    return int(shop.sql(f"SELECT COUNT(*) FROM `{place}`.`{table}`")[0][0])


def killed(shop: Shop, which: str, table: str, *keys: str, column: str = "") -> list[str]:
    """Erase in processes that are killed at each place of a kind once; gives the places."""
    named = [word for key in keys for word in ("--key", key)]
    of = ["--column", column] if column else []
    ran = subprocess.run(
        [sys.executable, "-m", "tests.phases.kill_anywhere", shop.site.root, which,
         "remove", "erase", "--table", f"{shop.database}.{table}", *named, *of],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout.splitlines()


def test_rows_are_found_as_the_columns_compare_and_the_rest_goes_on_as_before(shop: Shop) -> None:
    ctx, quarantine = shop.site.ctx, shop.places.quarantine
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    before = held(shop)
    done = erase(shop, "members", ODD_KEY)
    # It was proven anew, with the key that the configuration names.
    assert (done.where, done.rows, done.needs_drill) == ("quarantine and archive", 1, "")
    assert before - held(shop) == {'zürich,"x3a'}
    assert erase(shop, "members", ODD_KEY).rows == 0
    for column, value, rows in (
        ("number", "04.50", 6),
        ("person", "0800", 6),
        ("big", "18446744073709551613", 6),
        ("100% of it", "b2a", 1),
        ("team", "B  ", 17),
    ):
        assert erase(shop, "members", value, column=column).rows == rows, column
    assert erase(shop, "notices", "TEAM 3", column="team").rows == 3
    assert erase(shop, "identities", "01").rows == 1
    assert len(held(shop)) == left(shop, quarantine) == 17
    # The writer is approved for its own transaction only.
    assert left(shop, shop.places.guard, "writer") == 0
    p4_remove.run(ctx)
    assert make_receipt(ctx, kept_plan(ctx)).whole
    assert p4_remove.rollback(ctx).differences == ()
    assert left(shop, shop.database) == 17
    assert left(shop, shop.database, "notices") == 9
    assert left(shop, shop.database, "identities") == 47


def test_what_the_column_could_not_hold_erases_nothing(shop: Shop) -> None:
    p4_remove.run(shop.site.ctx, steps.ARCHIVE_TABLES)
    for column, value, kind in (
        ("number", "4.501", "decimal(20,2)"),
        ("number", "4,5", "decimal(20,2)"),
        ("big", "18446744073709551613.4", "bigint(20) unsigned"),
        ("big", "-1", "bigint(20) unsigned"),
        ("person", "08", "binary(2)"),
        ("person", "08000", "binary(2)"),
        ("person", "xy", "binary(2)"),
        ("grade", "2", "enum('z','a','1')"),
        ("born", "yesterday", "datetime"),
        ("team", "b            x", "varchar(12)"),
        ("team", "b\u4e2d", "varchar(12)"),
    ):
        with pytest.raises(UsageError, match=re.escape(f"a key is no {kind}")):
            erase(shop, "members", value, column=column)
    assert len(held(shop)) == left(shop, shop.places.quarantine) == 54


def test_nobody_else_writes_past_the_block_meanwhile(shop: Shop) -> None:
    p4_remove.run(shop.site.ctx, steps.WRITE_BLOCK_TABLES)
    mine = f'"{shop.places.quarantine}".members'
    notices = f"`{shop.places.quarantine}`.notices"
    with (
        open_removal(shop.site.dsn, doing="x", read_only=False, wait_s=1) as database,
        database.guard.leased("me"),
    ):
        send = database.connection.send  # type: ignore[attr-defined]
        with pytest.raises(Exception, match="for one transaction only"):
            send(f'CALL "{shop.places.guard}".approve_writer()')
        with pytest.raises(Exception, match="in quarantine on its way out"):
            send(f"DELETE FROM {mine}")
        with database.transaction(), database.guard.approved_writer():
            erasing = database.erasing(
                Archived((shop.places.quarantine, "members"), (), (), (TEAM,)), encoding="UTF8"
            )
            assert erasing.delete_by("team", ["B "]) == 27
            with pytest.raises(Exception, match="in quarantine on its way out"):
                send(f"UPDATE {mine} SET number = 0 LIMIT 1")
            with shop.server.connect() as other, other.cursor() as cursor:
                cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
                # What is not committed is seen by the second: a row that is another session's.
                for level, seen in (("REPEATABLE READ", 0), ("READ UNCOMMITTED", 1)):
                    cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
                    cursor.execute(f"SELECT COUNT(*) FROM `{shop.places.guard}`.writer")
                    assert cursor.fetchone() == (seen,)
                    with pytest.raises(Exception, match="in quarantine on its way out"):
                        cursor.execute(f"DELETE FROM {notices} LIMIT 1")
        # A row that somebody committed is void with the next lease.
        send(
            f'REPLACE INTO "{shop.places.guard}".writer SELECT CONNECTION_ID(), fence - 1 FROM "{shop.places.guard}".lease'
        )
        with pytest.raises(Exception, match="in quarantine on its way out"):
            send(f"DELETE FROM {mine}")
    assert left(shop, shop.places.quarantine) == 27


def test_before_the_archive_the_quarantine_alone_and_tied_rows_wait_for_the_write_block(
    shop: Shop,
) -> None:
    ctx = shop.site.ctx
    shop.sql(f"UPDATE `{shop.database}`.`{ODD_TABLE}` SET parent = 28 WHERE id IN (28, 35)")
    p4_remove.run(ctx, steps.QUARANTINE_TABLES)
    assert erase(shop, "members", ODD_KEY).where == "quarantine"
    # 14 points to 7, and would be changed with it: who agrees is told, and it is refused once it is archived as it is.
    tie = f"1 of {shop.database}.{ODD_TABLE} by odd_parent (ON DELETE SET NULL)"
    with pytest.raises(HeldError, match="is not approved"):
        erase_rows(ctx, Wish(f"{shop.database}.{ODD_TABLE}", "", ("7",)))
    asked = json.loads(Team(shop.site.root, {}).request().read_text())
    assert tie in asked["matter"]["words"][1]
    p4_remove.run(ctx, steps.ARCHIVE_TABLES)
    for wish in ({"column": ""}, {"column": "id"}, {"column": "reset_token"}):
        with pytest.raises(HeldError, match=re.escape(tie)):
            erase(shop, ODD_TABLE, "t1" if wish["column"] == "reset_token" else "7", **wish)
    # One points to itself, another to that one, and all that do are to go.
    assert erase(shop, ODD_TABLE, "28", "35").rows == 2
    shop.sql(f"UPDATE `{shop.places.quarantine}`.notices SET note = 'x' LIMIT 1")
    with pytest.raises(RefusedError, match="were changed since the archive"):
        erase(shop, "notices", "Team 1", column="team")
    p4_remove.rollback(ctx, steps.QUARANTINE_TABLES)
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    assert erase(shop, ODD_TABLE, "7").rows == 1
    orphans = p4_remove.rollback(ctx).orphans
    assert [(o.constraint_name, o.some_keys) for o in orphans] == [("odd_parent", ["7"])]


@pytest.mark.parametrize(
    "last", [pytest.param(steps.PURGE_TABLES, marks=pytest.mark.long), steps.FINALIZE]
)
def test_after_the_purge_no_revert_and_no_restore_brings_a_row_back(
    shop: Shop, mariadb: MariaDbServer, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    ctx = shop.site.ctx
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    with monkeypatch.context() as broken:
        Cut(broken)
        for _ in range(3):
            with pytest.raises(DependencyError):
                p4_remove.run(ctx, steps.PURGE_TABLES)
    with pytest.raises(HeldError, match="is half applied"):
        erase(shop, "notices", "Team 3", column="team")
    p4_remove.run(ctx, last)
    for table, column, value in (
        ("members", "", ODD_KEY),
        ("members", "number", "04.5"),
        ("notices", "team", "TEAM 3  "),
    ):
        assert erase(shop, table, value, column=column).where == "erasure list"
    folder = shop.site.archive(steps.ARCHIVE_TABLES)
    with mariadb.temporary_database() as new:
        given = [
            "--from",
            str(folder),
            "--into",
            "env:NEW",
            "--identity",
            "file:archive.key",
            "--trust-folder",
        ]
        done = migrator(shop.site.root, "remove", "restore", *given, "--json", env={"NEW": new})
        assert done.code == 0, done.err
        assert done.json["tables"][f"{shop.database}.members"] == 47
    assert p4_remove.rollback(ctx).differences == ()
    assert left(shop, shop.database) == 47
    assert left(shop, shop.database, "notices") == 9


@pytest.mark.parametrize("which", [DECIDING, pytest.param("all", marks=pytest.mark.long)])
def test_killed_anywhere_the_same_command_comes_to_the_same_end(shop: Shop, which: str) -> None:
    ctx, guard = shop.site.ctx, shop.places.guard
    p4_remove.run(ctx, steps.WRITE_BLOCK_TABLES)
    before = held(shop)
    places = killed(shop, which, "members", ODD_KEY)
    assert len(places) >= 2
    assert before - held(shop) == {'zürich,"x3a'}
    assert left(shop, shop.places.quarantine) == 53
    assert left(shop, guard, "writer") == 0
    with pytest.raises(Exception, match="in quarantine on its way out"):
        shop.sql(f"DELETE FROM `{shop.places.quarantine}`.members")


@pytest.mark.long
@pytest.mark.parametrize("last", [steps.PURGE_TABLES, steps.FINALIZE])
def test_killed_anywhere_after_a_drop_no_row_comes_back(shop: Shop, last: str) -> None:
    p4_remove.run(shop.site.ctx, last)
    places = killed(shop, "all", "notices", "Team 3", column="team")
    assert "before os.rename erasures.json.part (1)" in places
    assert p4_remove.rollback(shop.site.ctx).differences == ()
    assert left(shop, shop.database, "notices") == 9


@pytest.mark.long
def test_the_server_killed_after_each_statement(
    shop: Shop, mariadb: MariaDbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, seen = MariaDbConnection.execute, set()

    def crashing(connection: MariaDbConnection, query: Any, params: Any = None, /) -> Any:
        found = execute(connection, query, params)
        if (text := text_of(query)) not in seen and not text.startswith("SET SESSION"):
            seen.add(text)
            mariadb.crash()
            raise errors.OperationalError("crash")
        return found

    with mariadb.durable():
        p4_remove.run(shop.site.ctx, steps.WRITE_BLOCK_TABLES)
        monkeypatch.setattr(MariaDbConnection, "execute", crashing)
        until_done(lambda: erase(shop, "members", ODD_KEY))
        monkeypatch.undo()
    assert {"COMMIT", "ROLLBACK"} & seen == {"COMMIT"}
    assert len(seen) >= 20
    assert left(shop, shop.places.quarantine) == len(held(shop)) == 53
    assert left(shop, shop.places.guard, "writer") == 0
