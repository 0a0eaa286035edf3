"""What others wait while the removal works, beside a bare DROP: `python -m tests.benchmarks.bench_removal [--users N]`.

pgbench reads and writes the users and a table that points to one of those that go; a reader holds ACCESS SHARE on all of
them for `--stay` seconds again and again, as a pg_dump does. Each step begins when such a reader has just begun, forward
and back. The same load then meets `DROP TABLE … CASCADE` and `ALTER TABLE … DROP COLUMN` in a second database of the same
content, and in two more what nobody can wait for briefly: `erase = "rewrite"` and `revert --preserve-order`, which write
the users table anew.

With `--server mariadb` the table of identities goes from a MariaDB and comes back, and a bare `DROP TABLE` in a copy.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from migrator.runner.removing.plans import kept_plan
from migrator.sqlgen import steps
from migrator.sqlgen.rewriting import ROWS_PER_S
from tests.parts.devise_elsewhere import load_mariadb
from tests.parts.dump import load_dump
from tests.parts.mariadb import start_mariadb
from tests.parts.postgres import embedded_binaries, start_postgres
from tests.phases import stalls_elsewhere
from tests.phases.removal import make_site
from tests.phases.removal_elsewhere import ACKNOWLEDGED
from tests.phases.stalls import (
    bound_s,
    fill,
    of_bare_drops,
    of_the_steps,
    of_the_way_back,
    patient,
)

if TYPE_CHECKING:
    from tests.parts.postgres import PostgresServer
    from tests.phases.removal import Site
    from tests.phases.stalls import Measured

_ACCEPTED = ("scream_window", "lockout", "second_factors", "code_first", "table_rewrite")


def main() -> None:
    """Measure and print."""
    # What the ledger notes is not what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--lock-timeout", type=float, default=1.0, help="seconds")
    parser.add_argument("--stay", type=float, default=4.0, help="seconds of each reader")
    parser.add_argument("--server", choices=("postgres", "mariadb"), default="postgres")
    arguments = parser.parse_args()
    if arguments.server == "mariadb":
        _on_mariadb(arguments)
        return
    server = start_postgres(embedded_binaries())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder,
            pytest.MonkeyPatch.context() as environment,
        ):
            _Bench(server, Path(folder), environment, arguments).run()
    finally:
        server.stop()


@dataclass(frozen=True)
class _Bench:
    server: PostgresServer
    folder: Path
    environment: pytest.MonkeyPatch
    arguments: argparse.Namespace

    def run(self) -> None:
        """Measure all of it, each in a database of its own."""
        load_dump(dsn := self.server.create_database("filled"))
        fill(dsn, self.arguments.users)
        budget_s, stay_s = self.arguments.lock_timeout, self.arguments.stay
        _print_head(self.arguments)
        site = self._site("removed")
        _print(of_the_steps(site, self.folder / "steps", stay_s=stay_s), budget_s)
        _print(of_the_way_back(site, self.folder / "back", stay_s=stay_s), budget_s)
        bare, columns = self._copy("dropped"), kept_plan(site.ctx).columns
        drops = of_bare_drops(bare, self.folder / "drops", columns, stay_s=stay_s)
        _print(drops, budget_s, budget="none")
        self._anew(budget_s, stay_s)

    def _anew(self, budget_s: float, stay_s: float) -> None:
        rewritten = self._site("rewritten", tables=(), rules='erase = "rewrite"')
        forward = of_the_steps(rewritten, self.folder / "rewriting", stay_s=stay_s)
        _print(forward, budget_s, only=steps.ERASE_COLUMNS)
        ordered = self._site("ordered", tables=())
        of_the_steps(ordered, self.folder / "away", stay_s=stay_s, preserve_order=True)
        back = of_the_way_back(
            ordered, self.folder / "in_order", stay_s=stay_s, preserve_order=True
        )
        _print(back, budget_s, only=f"back from {steps.PURGE_COLUMNS}")
        print(f"  in order; the plan says {self.arguments.users / ROWS_PER_S:.1f} s for that")

    def _site(self, name: str, *, tables: tuple[str, ...] | None = None, rules: str = "") -> Site:
        more = {} if tables is None else {"tables": tables}
        site = make_site(
            self.folder / name,
            self._copy(name),
            self.environment,
            rules=rules,
            acknowledged=_ACCEPTED,
            **more,
        )
        return patient(site, budget_s=self.arguments.lock_timeout)

    def _copy(self, name: str) -> str:
        return self.server.create_database(name, template="filled")


def _print(measured: Measured, budget_s: float, *, budget: str = "", only: str = "") -> None:
    for stall in measured.stalls:
        if only and stall.what != only:
            continue
        holds = "yes" if stall.holds(budget_s) else "NO"
        holds += ", ended by a deadlock" if stall.deadlock else ""
        print(
            f"{stall.what:36}{budget or f'{budget_s:.1f} s':>8}{stall.longest_s:>13.3f} s{stall.took_s:>9.1f} s  {holds}"
        )
    print(f"  {measured.queries} queries of others, {measured.refused} met an error")


def _print_head(arguments: argparse.Namespace) -> None:
    print(
        f"{arguments.users} users, a reader of {arguments.stay} s again and again; "
        f"a query may take {bound_s(arguments.lock_timeout):.2f} s"
    )
    print(f"{'':36}{'budget':>8}{'longest stall':>15}{'step took':>11}  holds")


def _on_mariadb(arguments: argparse.Namespace) -> None:
    server = start_mariadb()
    server.run("CREATE DATABASE filled CHARACTER SET utf8mb4")
    load_mariadb(server, "filled")
    stalls_elsewhere.fill(server, "filled", arguments.users)
    _print_head(arguments)
    try:
        with (
            server.temporary_database(template="filled") as dsn,
            server.temporary_database(template="filled") as bare,
            tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder,
            pytest.MonkeyPatch.context() as environment,
        ):
            site = make_site(
                Path(folder) / "removed",
                dsn,
                environment,
                tables=("identities",),
                columns=(),
                acknowledged=ACKNOWLEDGED,
            )
            ours = patient(site, budget_s=arguments.lock_timeout)
            moved = stalls_elsewhere.of_the_steps(ours, server, stay_s=arguments.stay)
            _print(moved, arguments.lock_timeout)
            dropped = stalls_elsewhere.of_a_bare_drop(
                server, bare.rpartition("/")[2], "identities", stay_s=arguments.stay
            )
            _print(dropped, arguments.lock_timeout, budget="none")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
