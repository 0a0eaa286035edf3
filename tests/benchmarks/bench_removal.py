"""What others wait while the removal works, beside a bare DROP: `python -m tests.benchmarks.bench_removal [--users N]`.

pgbench reads and writes the users and a table that points to one of those that go; a reader holds ACCESS SHARE on all of
them for `--stay` seconds again and again, as a pg_dump does. Each step begins when such a reader has just begun. The same
load then meets `DROP TABLE … CASCADE` and `ALTER TABLE … DROP COLUMN` in a second database of the same content.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from migrator.runner.removing.plans import kept_plan
from tests.parts.dump import load_dump
from tests.parts.postgres import embedded_binaries, start_postgres
from tests.phases.removal import make_site
from tests.phases.stalls import bound_s, fill, of_bare_drops, of_the_steps, patient

if TYPE_CHECKING:
    from tests.phases.removal import Site
    from tests.phases.stalls import Measured


def main() -> None:
    """Measure and print."""
    # What the ledger notes is not what is measured.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--lock-timeout", type=float, default=1.0, help="seconds")
    parser.add_argument("--stay", type=float, default=4.0, help="seconds of each reader")
    arguments = parser.parse_args()
    server = start_postgres(embedded_binaries())
    try:
        with (
            tempfile.TemporaryDirectory(prefix="migrator-bench-") as folder,
            pytest.MonkeyPatch.context() as environment,
        ):
            dsn = server.create_database("removed")
            load_dump(dsn)
            fill(dsn, arguments.users)
            bare = server.create_database("dropped", template="removed")
            site = make_site(Path(folder) / "site", dsn, environment)
            _compare(patient(site, budget_s=arguments.lock_timeout), bare, Path(folder), arguments)
    finally:
        server.stop()


def _compare(site: Site, bare: str, folder: Path, arguments: argparse.Namespace) -> None:
    budget_s = arguments.lock_timeout
    steps = of_the_steps(site, folder / "steps", stay_s=arguments.stay)
    columns = kept_plan(site.ctx).columns
    drops = of_bare_drops(bare, folder / "drops", columns, stay_s=arguments.stay)
    print(
        f"{arguments.users} users, a reader of {arguments.stay} s again and again; "
        f"a query may take {bound_s(budget_s):.2f} s"
    )
    print(f"{'':28}{'budget':>8}{'longest stall':>15}{'step took':>11}  holds")
    _print(steps, f"{budget_s:.1f} s", budget_s)
    _print(drops, "none", budget_s)


def _print(measured: Measured, budget: str, budget_s: float) -> None:
    for stall in measured.stalls:
        holds = "yes" if stall.holds(budget_s) else "NO"
        holds += ", ended by a deadlock" if stall.deadlock else ""
        print(
            f"{stall.what:28}{budget:>8}{stall.longest_s:>13.3f} s{stall.took_s:>9.1f} s  {holds}"
        )
    print(f"  {measured.queries} queries of others, {measured.refused} met an error")


if __name__ == "__main__":
    main()
