"""The wrappers' migrations, run by their own tools: forward, back, and never without the gates."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

from migrator.core.errors import ConflictError, HeldError
from migrator.sqlgen import steps
from migrator.sqlgen.wrap.registry import WRAPPERS
from phases import p4_remove
from tests.parts import require
from tests.parts.migration_tools import TOOLS, Tool
from tests.phases.removal import Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

EVIDENCE = """
INSERT INTO migrator_guard.evidence SELECT step, plan_id, 'h', 'e', oids, now() + interval '1 hour'
FROM migrator_guard.step, migrator_guard.plan,
  (SELECT array_agg(oid ORDER BY oid) AS oids FROM migrator_guard.target) AS t
ON CONFLICT (step) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
# What only the tool can do, and how far it goes then: a wrapper stops there and names the command.
BY_THE_TOOL = {
    steps.ARCHIVE_TABLES: steps.DRILL_TABLES,
    steps.ARCHIVE_COLUMNS: steps.DRILL_COLUMNS,
}


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path / "operator", devise_db, monkeypatch)


def wrapped(site: Site, name: str) -> Tool:
    if TOOLS[name].part:
        require(TOOLS[name].part)
    p4_remove.plan(site.ctx, wrap=(name,))
    tool = TOOLS[name](site.root / name, site.dsn)
    tool.folder.mkdir()
    tool.prepare(site.root / ".migrator/remove/wrap" / name)
    return tool


def pending(site: Site) -> list[str]:
    states = p4_remove.status(site.ctx).steps
    return [name for name, state in states.items() if state != "applied"]


def planned(site: Site) -> list[str]:
    return list(p4_remove.status(site.ctx).steps)


def advance(site: Site, tool: Tool) -> str:
    """Let it go as far as it can, as if each step had been permitted."""
    site.sql(EVIDENCE)
    if pending(site) == [steps.FINALIZE]:
        p4_remove.permit(site.ctx, steps.FINALIZE)
    else:
        site.sql("DELETE FROM migrator_guard.evidence WHERE step = %s", steps.FINALIZE)
    return tool.up()


def to_the_end(site: Site, tool: Tool) -> None:
    said = advance(site, tool)
    while left := pending(site):
        if left[0] == steps.FINALIZE:
            said = advance(site, tool)
            continue
        assert left[0] in BY_THE_TOOL, said
        assert f"migrator remove apply --to {left[0]}" in said
        # psql keeps the lease for two seconds when it is refused.
        site.sql("UPDATE migrator_guard.lease SET expires_at = now()")
        p4_remove.run(site.ctx, BY_THE_TOOL[left[0]])
        said = advance(site, tool)


def shown(site: Site) -> str:
    kept = ("schema_migrations", "ar_internal_metadata", "alembic_version", "django_migrations")
    return site.dump("--exclude-schema=sqitch", *(f"--exclude-table={name}*" for name in kept))


def words(dump: str) -> list[str]:
    # Columns come back in another order: rows of users are compared as sets of fields.
    return re.split(r"[\s,()]+", dump)


def test_each_wrapper_is_tried() -> None:
    assert set(TOOLS) == set(WRAPPERS)


# The others do the same with the same SQL, through code that these two have as well.
ALWAYS = frozenset({"rails", "sql"})


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ALWAYS else pytest.mark.long)
        for name in sorted(WRAPPERS)
    ],
)
def test_forward_and_back_behind_the_gates(site: Site, name: str) -> None:
    tool = wrapped(site, name)
    before = shown(site)
    said = tool.up()
    assert "has no gate evidence that is still good" in said, said
    assert "migrator gate check --before remove" in said
    assert pending(site) == planned(site)[1:]
    to_the_end(site, tool)
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None
    assert "migrator remove revert --to 16_purge_columns" in tool.down()
    p4_remove.rollback(site.ctx, steps.PURGE_COLUMNS)
    assert pending(site) == [steps.FINALIZE]
    p4_remove.rollback(site.ctx, steps.WRITE_BLOCK_TABLES)
    said = tool.down()
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None, said
    assert sorted(words(shown(site))) == sorted(words(before))


def test_an_interrupted_step_goes_on_where_it_stopped(site: Site) -> None:
    tool = wrapped(site, "sql")
    p4_remove.run(site.ctx, steps.DRILL_TABLES)
    site.sql(EVIDENCE)
    site.sql("CREATE SEQUENCE migrator_guard.rejected_push_tokens")
    assert 'relation "rejected_push_tokens" already exists' in tool.up()
    done = "SELECT count(*) FROM migrator_guard.unit WHERE step = '08_write_block_tables'"
    assert site.sql(done) > 0
    site.sql("DROP SEQUENCE migrator_guard.rejected_push_tokens")
    tool.up()
    applied = len(planned(site)) - len(pending(site))
    assert tool.up().count("nothing to do") == applied


def test_the_script_beside_the_numbered_sql_asks_the_gates_first(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = wrapped(site, "sql")
    monkeypatch.setenv("MIGRATOR", f"{sys.executable} -m migrator")
    monkeypatch.setenv("MIGRATOR_FOLDER", str(site.root))
    for number in ("01", "02"):
        said = tool.run("./step.sh", "up", number)
    assert "02_tripwires may begin within 15 min" in said
    assert "ERROR" not in tool.run("./step.sh", "verify", "02")
    assert pending(site) == planned(site)[2:]
    tool.run("./step.sh", "down", "02")
    assert pending(site) == planned(site)[1:]
    assert "no such step" in tool.run("./step.sh", "up", "99")


def test_while_another_works_a_wrapper_waits_its_turn(site: Site) -> None:
    tool = wrapped(site, "sql")
    tool.up()
    site.sql(
        "UPDATE migrator_guard.lease SET holder = 'laptop:0badcafe', expires_at = now() + interval '1 min'"
    )
    assert "laptop:0badcafe holds the lease" in tool.up()


def test_a_permit_is_given_to_the_next_step_only_and_behind_the_gates(site: Site) -> None:
    p4_remove.plan(site.ctx)
    with pytest.raises(ConflictError, match="01_guard comes before 02_tripwires") as early:
        p4_remove.permit(site.ctx, "02")
    assert "migrator remove apply --to 01_guard" in early.value.hint
    p4_remove.run(site.ctx, steps.GUARD)
    with pytest.raises(ConflictError, match="01_guard is applied"):
        p4_remove.permit(site.ctx, "01")
    with pytest.raises(HeldError, match="an empty list proves nothing"):
        p4_remove.permit(site.with_gates(()).ctx, "02")
    assert site.sql("SELECT count(*) FROM migrator_guard.evidence") == 0
    given = p4_remove.permit(site.ctx, "02")
    assert 0 < given.seconds <= 900
    entry = site.ctx.state.ledger.latest("remove", "permit 02_tripwires", kind="outcome")
    assert entry is not None
    assert entry.body["gates"]
