"""The census and the list of who is left on MariaDB and in a SQLite file, as on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from migrator.core.clock import SystemClock
from migrator.legacy.connect import open_database
from migrator.legacy.identity import IdentityTable
from migrator.legacy.session_census import CensusTable
from migrator.legacy.sources import open_source
from migrator.metrics.interface import Grade
from migrator.runner.gating.census import census_standing, take_census
from migrator.runner.gating.stores import session_store
from migrator.runner.gating.who import KINDS, Asked, who
from migrator.sessions import census as walking
from migrator.sessions.census_store import CensusStore
from phases import p3_drain
from tests.parts.any_database import run_sql
from tests.parts.drain import Drain
from tests.sessions.stores import fill, make_table

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.metrics.interface import SessionsLook

pytestmark = pytest.mark.xdist_group("sessions")
KINDS_OF_ROWS = ("user", "user_in_json", "admin", "visitor", "cut_off")


@pytest.fixture
def drain(tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch) -> Drain:
    """600 Devise users, and Rails' session table with three rows of each kind."""
    parts = Drain(tmp_path, elsewhere_db, ())
    monkeypatch.setenv("MIGRATION_KEY", "k" * 40)
    for name, value in parts.env.items():
        monkeypatch.setenv(name, value)
    parts.configure("")
    run_sql(elsewhere_db, "DROP TABLE IF EXISTS sessions")
    make_table(elsewhere_db)
    fill(elsewhere_db, KINDS_OF_ROWS, times=3, at=_ago(minutes=30))
    monkeypatch.setattr(walking, "PAGE_ROWS", 4)
    return parts


def _ago(**span: float) -> str:
    return f"{SystemClock().now() - timedelta(**span):%Y-%m-%d %H:%M:%S}"


def looked(drain: Drain) -> SessionsLook:
    return session_store(drain.context()).look()


def counts(look: SessionsLook) -> tuple[int, int, int, int]:
    return look.holding, look.others, look.anonymous, look.undecodable


def test_the_census_counts_what_a_look_at_every_row_counts_and_keeps_up(drain: Drain) -> None:
    direct = looked(drain)
    ctx = drain.context()
    assert census_standing(ctx).unseen == 15
    assert (take_census(ctx).read, census_standing(ctx).unseen) == (15, 0)
    store = session_store(ctx).store
    assert isinstance(store, CensusStore)
    by_census = looked(drain)
    assert by_census.doubts == direct.doubts
    assert counts(by_census) == counts(direct) == (6, 3, 3, 3)
    assert (by_census.used, by_census.doubts) == (direct.used, direct.doubts)
    assert by_census.written_at == direct.written_at
    fill(drain.dsn, ["nil"], times=2, at=_ago())
    run_sql(drain.dsn, "DELETE FROM sessions WHERE session_id LIKE '2::user%'")
    run_sql(drain.dsn, "UPDATE sessions SET data = NULL, updated_at = %s WHERE id = 7", _ago())
    assert counts(looked(drain)) == (0, 2, 6, 3)
    assert take_census(ctx).read == 3
    assert counts(looked(drain)) == (0, 2, 6, 3)
    swept = drain.root / "migrator.toml"
    swept.write_text(swept.read_text().replace("[drain]", '[drain]\ncensus_sweep_every = "0s"'))
    take_census(drain.context())
    assert run_sql(drain.dsn, "SELECT count(*) FROM migrator_session")[0] == [(11,)]
    assert counts(looked(drain)) == (0, 2, 6, 3)


def test_killed_after_a_page_the_census_goes_on(
    drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, write = drain.context(), CensusTable.write

    def dies_after_writing(table: CensusTable, counted: Any) -> None:
        write(table, counted)
        if counted[0].session_id > 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(CensusTable, "write", dies_after_writing)
    with pytest.raises(KeyboardInterrupt):
        take_census(ctx)
    look = looked(drain)
    assert (look.unseen, look.doubts[0].grade) == (11, Grade.AMBIGUOUS)
    monkeypatch.setattr(CensusTable, "write", write)
    assert take_census(ctx).read == 11
    assert counts(looked(drain)) == (6, 3, 3, 3)


def test_who_is_left_is_listed_by_kind_and_page(drain: Drain) -> None:
    ctx = drain.context()
    with (
        open_source(drain.dsn, ctx.config.legacy) as source,
        open_database(drain.dsn, read_only=False) as connection,
    ):
        IdentityTable(connection, source.columns.table, source="User").create()
    run_sql(
        drain.dsn,
        "INSERT INTO migrator_identity (source, user_pk, auther_id, pinned_reason, last_legacy_at)"
        " VALUES ('User', '2', 'a2', 'second factor', NULL), ('User', '3', 'a3', 'address', %s)",
        _ago(days=1),
    )
    run_sql(drain.dsn, "UPDATE users SET remember_created_at = NULL")
    run_sql(
        drain.dsn,
        "UPDATE users SET remember_created_at = %s WHERE id IN (9, 10, 11)",
        _ago(days=1),
    )
    run_sql(drain.dsn, "UPDATE users SET remember_created_at = %s WHERE id = 12", _ago(days=90))
    take_census(ctx)
    pages = {page.kind: page for page in who(ctx, list(KINDS), Asked("", 50))}
    named = {kind: [each.user for each in page.left] for kind, page in pages.items()}
    assert named["pinned"] == ["2", "3"]
    assert named["recent"] == ["3"]
    assert named["remembered"] == ["9", "10", "11", "12"]
    assert set(named["sessions"]) == {"42"}
    assert all("@" in each.email for each in pages["remembered"].left)
    assert pages["pinned"].left[1].why.startswith("pinned: address, last seen 20")
    (first,) = who(ctx, ["remembered"], Asked("", 2))
    assert first.after == "10"
    (rest,) = who(ctx, ["remembered"], Asked(first.after, 50))
    assert [each.user for each in rest.left] == ["11", "12"]
    found = p3_drain.populations(ctx)
    assert (found.remember_me, found.remember_me_recent) == (4, 3)
