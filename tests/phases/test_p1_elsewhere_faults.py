"""Phase 1 on MariaDB and SQLite when it is killed, and what is refused there by name."""

from __future__ import annotations

import random
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.config.people import QuerySection
from migrator.config.postgres import reading
from migrator.core.errors import DependencyError, RefusedError, UsageError
from migrator.legacy.connect import describe_table, open_database
from migrator.legacy.databases import database_of
from migrator.legacy.sources import open_source
from migrator.legacy.users_write import UsersTable
from migrator.legacy.writable.devise import devise_writable
from phases import p0_preflight, p1_import, p4_remove
from tests.parts.postgres import free_port
from tests.phases import preflight_site
from tests.phases.importing import IMPORTED, delete_users, make_site, rejects_of
from tests.phases.syncing import sync
from tests.phases.test_p1_import_faults import SEED, kill_after, kill_at
from tests.phases.test_p1_sync_faults import BRAKES_OFF, run_killed
from tests.runner.writing_back.scene import make_scene

if TYPE_CHECKING:
    from tests.parts.mariadb import MariaDbServer

KILLS = 2


def test_killed_at_random_points_it_ends_row_for_row_like_an_uninterrupted_run(
    tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"identities": "identities", "page_rows": "20"}
    quiet = make_site(tmp_path / "quiet", elsewhere_db, monkeypatch, **settings)
    p1_import.run(quiet.ctx)
    wanted, rejected = quiet.content(), rejects_of(quiet)
    p1_import.rollback(quiet.ctx)

    site = make_site(tmp_path / "killed", elsewhere_db, monkeypatch, **settings)
    moments = sorted(random.Random(SEED).sample(range(1, IMPORTED), KILLS))
    positions = [kill_at(site, users) for users in moments]
    assert any(0 < users < IMPORTED for users in positions), positions
    site.ctx.clock.sleep(3600)
    p1_import.run(site.ctx)
    assert site.content() == wanted
    assert rejects_of(site) == rejected
    assert p1_import.verify(site.ctx).holds()

    kill_after(site, 0.3, "rollback")
    if p1_import.standing(site.ctx).state != "not begun":
        p1_import.rollback(site.ctx)
    assert site.auther('SELECT count(*) FROM "user"') == [(0,)]
    assert site.ctx.state.ledger.pending() == []


def test_the_privileges_that_the_runbook_names_suffice(
    tmp_path: Path,
    mariadb: MariaDbServer,
    mariadb_devise_db: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = mariadb_devise_db.rpartition("/")[2]
    runbook = (Path(__file__).parents[2] / "runbooks" / "p1-import.md").read_text()
    named = re.search(r"needs ((`[A-Z]+`(, | and ))+`[A-Z]+`) on the\s+database", runbook)
    assert named is not None
    rights = ", ".join(re.findall("[A-Z]+", named[1]))
    mariadb.run(
        f"CREATE USER {name} IDENTIFIED BY 'p@ss:word'",
        f"GRANT {rights} ON `{name}`.* TO {name}",
        f"GRANT PROCESS ON *.* TO {name}",
    )
    dsn = f"mysql2://{name}:p%40ss%3Aword@127.0.0.1:{mariadb.port}/{name}"
    looked = p0_preflight.run(preflight_site.make_site(tmp_path, dsn).context())
    assert looked.verdict.ready
    assert looked.findings.legacy.server.sees_all_activity
    scene = make_scene(tmp_path / "operator", dsn, monkeypatch)
    assert sync(scene.site).unseen == 0
    scene.new_password(1, "fresh word 1")
    assert dict(scene.write_back().outcomes) == {"written": 1}
    mariadb.run(f"DROP USER {name}")


def test_a_role_that_may_only_read_is_told_the_grant(
    tmp_path: Path, mariadb: MariaDbServer, mariadb_devise_db: str
) -> None:
    name = mariadb_devise_db.rpartition("/")[2]
    mariadb.run(f"CREATE USER {name} IDENTIFIED BY 'pw'", f"GRANT SELECT ON `{name}`.* TO {name}")
    dsn = f"mysql2://{name}:pw@127.0.0.1:{mariadb.port}/{name}"
    looked = p0_preflight.run(preflight_site.make_site(tmp_path, dsn).context())
    assert [reason.code for reason in looked.verdict.blockers] == ["no_create"]
    account = f"'{name}'@'%'"
    (blocker,) = looked.verdict.blockers
    assert blocker.todo.endswith(f"ON `{name}`.* TO {account}")
    unseen = [r for r in looked.verdict.warnings if r.code == "activity_unseen"]
    assert [reason.todo for reason in unseen] == [f"GRANT PROCESS ON *.* TO {account}"]
    settings = LegacySection.model_validate({"dsn": "env:UNUSED"})
    with open_database(dsn) as connection:
        table = UsersTable(connection, devise_writable(connection, settings))
        with pytest.raises(RefusedError) as refused:
            table.check_rights(inserting=True)
    mariadb.run(blocker.todo, unseen[0].todo, refused.value.hint)
    again = p0_preflight.run(preflight_site.make_site(tmp_path, dsn).context())
    assert again.verdict.ready
    assert "activity_unseen" not in [reason.code for reason in again.verdict.warnings]
    mariadb.run(f"DROP USER {name}")


def test_a_missing_driver_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.delitem(sys.modules, "migrator.legacy.mariadb.connection", raising=False)
    with pytest.raises(UsageError, match="needs the package pymysql") as refused:
        database_of("mysql://app@127.0.0.1/db").open(
            "mysql://app@127.0.0.1/db", read_only=True, name="test"
        )
    assert "migrator[mariadb]" in refused.value.hint


def test_what_knows_postgresql_only_says_so(
    tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "operator", elsewhere_db, monkeypatch)
    name = "MariaDB" if elsewhere_db.startswith("mysql2") else "SQLite"
    with pytest.raises(RefusedError, match=f"the removal.*{name}.*PostgreSQL only") as refused:
        p4_remove.plan(site.ctx)
    assert elsewhere_db not in str(refused.value) + refused.value.hint
    for kind, more in (("django", {}), ("sql", {"query": QuerySection(users="SELECT 1")})):
        settings = site.ctx.config.legacy.model_copy(update={"kind": kind, **more})
        with (
            pytest.raises(RefusedError, match=f'kind = "{kind}".*{name}'),
            open_source(elsewhere_db, settings),
        ):
            pass
    look = reading(
        site.ctx.config.legacy.dsn,
        site.root,
        "users",
        application_name="test",
        statement_timeout=timedelta(seconds=5),
    )
    with pytest.raises(UsageError, match="does not hold a PostgreSQL DSN"), look:
        pass


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("mysql://app:secret@127.0.0.1/", "names no database"),
        ("mysql://app:secret@127.0.0.1/db?colour=blue", "the option colour"),
        ("mysql://app:secret@127.0.0.1:nine/db", "cannot be read"),
        ("sqlite:db/production.sqlite3", "by its whole path"),
        ("sqlite:/nowhere/production.sqlite3", "there is no file"),
    ],
)
def test_an_address_that_cannot_be_right_is_a_usage_error_without_its_secret(
    dsn: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as refused, open_database(dsn):
        pass
    assert "secret" not in str(refused.value) + refused.value.hint


def test_a_server_that_is_away_or_a_file_that_is_none_can_be_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"no database" * 500)
    for dsn in (f"mysql://app:secret@127.0.0.1:{free_port()}/db", f"sqlite:{file}"):
        with pytest.raises(DependencyError) as refused, open_database(dsn) as connection:
            describe_table(connection, "users", key="legacy.users_table")
        assert "secret" not in str(refused.value)


def test_a_reading_connection_writes_nothing(elsewhere_db: str) -> None:
    with open_database(elsewhere_db) as connection:
        connection.activity()
        with pytest.raises(psycopg.Error, match=r"(?i)read.?only"):
            connection.execute("UPDATE users SET name = 'x'")


def test_the_sync_killed_in_the_middle_of_its_writes_ends_like_a_quiet_one(
    tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path / "operator", elsewhere_db, monkeypatch)
    with (site.root / "migrator.toml").open("a") as file:
        file.write(BRAKES_OFF)
    p1_import.run(site.ctx)
    site.sql("UPDATE users SET name = 'Changed' WHERE id < 60")
    delete_users(site, "id BETWEEN 100 AND 110")

    ends = []
    for deadly in (1, 2):
        run_killed(site, deadly)
        ends.append(site.content())
    run_killed(site)

    assert p1_import.verify(site.ctx).holds()
    assert site.ctx.state.ledger.pending() == []
    assert site.auther('SELECT count(*) FROM "user"') == [(IMPORTED - 11,)]
    assert site.content() not in ends, "every kill comes in the middle"


def test_a_server_that_goes_away_between_two_pages_can_be_tried_again(
    mariadb: MariaDbServer, mariadb_devise_db: str
) -> None:
    settings = LegacySection.model_validate({"dsn": "env:UNUSED"})
    with open_source(mariadb_devise_db, settings) as source:
        pages = source.pages(rows=10)
        assert len(next(pages).users) == 10
        mariadb.end_connections(mariadb_devise_db.rpartition("/")[2])
        with pytest.raises(DependencyError):
            next(pages)
