"""The removal through PgBouncer in transaction mode: what works there does, what does not is not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import HeldError
from migrator.core.units import needs_session
from migrator.sqlgen import steps
from phases import p4_remove
from tests.parts import require
from tests.parts.pgbouncer import pgbouncer
from tests.phases.removal import make_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.phases.removal import Site

# After each transaction the next client finds an empty session, and so would we.
FORGETFUL = "server_reset_query = DISCARD ALL\nserver_reset_query_always = 1"


@pytest.fixture(scope="module", autouse=True)
def _part() -> None:
    require("pgbouncer")


@pytest.fixture
def pooled(devise_db: str) -> Iterator[str]:
    with pgbouncer(devise_db, more=FORGETFUL) as dsn:
        yield dsn


@pytest.fixture
def site(tmp_path: Path, pooled: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path / "pooled", pooled, monkeypatch)


def test_forward_through_the_pooler_and_back_to_where_a_session_is_needed(
    site: Site, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = p4_remove.plan(site.ctx)
    assert any("revert/16_purge_columns.sql needs direct_dsn" in note for note in made.notes)
    assert p4_remove.run(site.ctx, steps.PURGE_COLUMNS).steps == made.steps[:-1]
    assert p4_remove.verify(site.ctx) == made.steps[:-1]
    assert needs_session(made.files[f"revert/{steps.PURGE_COLUMNS}.sql"])
    with pytest.raises(
        HeldError, match="pooler that gives each transaction another session"
    ) as held:
        p4_remove.rollback(site.ctx)
    assert "direct_dsn under [legacy]" in held.value.hint
    states = p4_remove.status(site.ctx).steps
    assert states[steps.PURGE_COLUMNS] == "applied"
    monkeypatch.setenv("LEGACY_DIRECT", devise_db)
    direct = make_site(
        site.root, site.dsn, monkeypatch, legacy='direct_dsn = "env:LEGACY_DIRECT"\n'
    )
    assert p4_remove.rollback(direct.ctx).differences == ()


def test_up_to_the_purge_of_columns_it_goes_back_through_the_pooler_too(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    moved = p4_remove.rollback(site.ctx)
    assert moved.steps[-1] == steps.GUARD
    assert moved.differences == ()


def test_the_pool_keeps_no_setting_of_ours(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pgbouncer(devise_db, more="default_pool_size = 1") as dsn:
        site = make_site(tmp_path / "pooled", dsn, monkeypatch)
        p4_remove.plan(site.ctx)
        p4_remove.run(site.ctx, steps.TRIPWIRES)
        p4_remove.status(site.ctx)
        with psycopg.connect(dsn, autocommit=True) as application:
            application.execute(
                "INSERT INTO users (email, created_at, updated_at) VALUES ('n@x', now(), now())"
            )
            row = application.execute(
                "SELECT current_setting('lock_timeout'), current_setting('migrator.fence', true)"
            ).fetchone()
        assert row in {("0", None), ("0", "")}
