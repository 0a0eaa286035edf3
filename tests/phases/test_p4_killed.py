"""Phase 4 cut off at each of its transactions, before and after it: nothing is lost, and the same command goes on."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import ConflictError, DependencyError
from migrator.core.progress import Progress
from migrator.core.sql import ident
from migrator.core.units import units_of
from migrator.legacy import execute
from migrator.runner.context import make_context
from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.kill_driver import entered
from tests.phases.removal import Site, make_site
from tests.runner.approvals import Team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrator.core.units import Unit
    from tests.parts.postgres import PostgresServer


@pytest.fixture
def site(
    postgres: PostgresServer, devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """All seventeen steps: a role that loses its table, a window that listens, values that are erased."""
    shop, guard = (f"{name}_{secrets.token_hex(4)}" for name in ("shop", "guard"))
    with psycopg.connect(devise_db, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {ident(shop)}",
            f"CREATE ROLE {ident(guard)}",
            f"ALTER TABLE identities OWNER TO {ident(shop)}",
            f"GRANT SELECT ON users, push_tokens TO {ident(shop)}",
        ):
            connection.execute(statement.encode())
    rules = f"""
application_roles = ['{shop}']
guard_role = '{guard}'
server_log = '{postgres.directory / "log"}'
scream_window = "0s"
erase = "null"
"""
    yield make_site(
        tmp_path / "site",
        devise_db,
        monkeypatch,
        rules=rules,
        acknowledged=("lockout", "second_factors", "code_first"),
    )
    with psycopg.connect(devise_db, autocommit=True) as connection:
        for role in (shop, guard):
            connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


def contents(site: Site) -> list[str]:
    """A hash of each table's rows, whatever the order of rows and columns."""
    digest = "SELECT md5(string_agg(to_jsonb(t)::text, '|' ORDER BY id)) FROM {} AS t"
    return [site.sql(digest.format(table)) for table in ("users", "identities", "push_tokens")]


def is_as_before(site: Site, before: list[str]) -> bool:
    """Tell whether nothing is left to take back, catalog and rows being those before the plan."""
    moved = p4_remove.rollback(site.ctx)
    return (moved.steps, moved.differences, contents(site)) == ((), (), before)


def units(site: Site, direction: str) -> list[Unit]:
    """What a whole way sends."""
    files = kept_plan(site.ctx).files
    return [unit for step in steps.NAMES for unit in units_of(files[f"{direction}/{step}.sql"])]


def transactions(site: Site, direction: str) -> int:
    """How many a whole way has."""
    return len(units(site, direction))


def entries(site: Site, direction: str) -> set[str]:
    """The places before each transaction of a whole way that tells the guard schema what it is."""
    told = [entered(unit.text) for unit in units(site, direction)]
    return {f"before the transaction {what} (1)" for what in told if what}


def killed(site: Site, direction: str) -> list[str]:
    """Go the whole way, killed at each place once; gives the places."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.phases.kill_driver", site.root, direction],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [line for line in ran.stdout.splitlines() if line.startswith(("before ", "after "))]


def killed_anywhere(site: Site, direction: str) -> list[str]:
    """Go the whole way, killed once at each statement that writes and at each change of a file; gives the places."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.phases.kill_anywhere",
            site.root,
            "all",
            "remove",
            direction,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return ran.stdout.splitlines()


@pytest.mark.long
def test_killed_before_and_after_each_transaction_the_same_command_comes_to_its_end(
    site: Site,
) -> None:
    before = contents(site)
    p4_remove.plan(site.ctx)
    forward = killed(site, "apply")
    assert len(forward) >= 2 * transactions(site, "deploy"), forward
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None
    back = killed(site, "revert")
    assert len(back) >= 2 * transactions(site, "revert"), back
    assert is_as_before(site, before)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_before_each_statement_that_writes_and_each_change_of_a_file(site: Site) -> None:
    before = contents(site)
    (site.root / "keys.json").write_text(json.dumps(Team(site.root).keys))
    p4_remove.plan(site.ctx)
    places = killed_anywhere(site, "apply")
    assert entries(site, "deploy") <= set(places)
    assert any(place.startswith("before os.rename t001-") for place in places)
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
    places = killed_anywhere(site, "revert")
    assert entries(site, "revert") <= set(places)
    assert is_as_before(site, before)


class Cutting:
    """Ends the session from the server's side at each place where it was not ended before."""

    def __init__(self, site: Site) -> None:
        self._site, self._send = site, execute._send
        self._places: set[tuple[str, str]] = set()

    def _cut(self, connection: psycopg.Connection, unit: execute.Unit) -> None:
        self._at(connection, "before", unit)
        self._send(connection, unit)
        self._at(connection, "after", unit)

    def _at(self, connection: psycopg.Connection, when: str, unit: execute.Unit) -> None:
        if (when, unit.text) not in self._places:
            self._places.add((when, unit.text))
            self._site.sql("SELECT pg_terminate_backend(%s)", connection.info.backend_pid)

    def come_to_the_end(self, move: Callable[[], object]) -> int:
        """Give the same command as often as the connection broke, and tell how often it did."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(execute, "_send", self._cut)
            while True:
                with suppress(DependencyError):
                    move()
                    return len(self._places)


def test_cut_off_before_and_after_each_transaction_the_same_command_comes_to_its_end(
    site: Site,
) -> None:
    before = contents(site)
    p4_remove.plan(site.ctx)
    cuts = Cutting(site).come_to_the_end(lambda: p4_remove.run(site.ctx))
    assert cuts >= 2 * transactions(site, "deploy")
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)
    cuts = Cutting(site).come_to_the_end(lambda: p4_remove.rollback(site.ctx))
    assert cuts >= 2 * transactions(site, "revert")
    assert is_as_before(site, before)


def test_of_two_operators_at_the_same_time_one_goes_on_and_the_other_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(site)
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.SCREAM_WINDOW)
    # Another machine: a copy of the state, so that only the database can tell.
    other = shutil.copytree(site.root, tmp_path / "elsewhere")
    elsewhere = make_context(
        site.ctx.config, root=other, clock=site.ctx.clock, progress=Progress()
    )
    send, told = execute._send, []

    def both(connection: psycopg.Connection, unit: execute.Unit) -> None:
        for move in (p4_remove.run, p4_remove.rollback):
            with pytest.raises(ConflictError, match="holds the lease"):
                move(elsewhere)
            told.append(unit.name)
        send(connection, unit)

    monkeypatch.setattr(execute, "_send", both)
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    monkeypatch.setattr(execute, "_send", send)
    assert {"move", "drop"} < set(told)
    p4_remove.rollback(site.ctx)
    assert is_as_before(site, before)
