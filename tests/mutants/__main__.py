"""`make mutants`: changes the pure packages in one place at a time; some test has to notice each change.

A package passes when its tests notice 90 % of the changes and each survivor is in survivors.toml with a reason.
mutmut leaves what is not in a function alone: constants, texts of steps, and properties.
"""

from __future__ import annotations

import sys

from tests.mutants.survivors import LIST, allowed, entry, outdated, unexplained
from tests.mutants.workspace import Outcome, Package, mutate
from tests.setup.paths import ROOT

LEAST_SHARE = 0.9
PACKAGES = {
    "gates": Package("migrator/gates", ("tests/gates",)),
    "sqlgen": Package(
        "migrator/sqlgen",
        tests=(
            "tests/sqlgen/test_secret_columns.py",
            "tests/sqlgen/test_revocation.py",
            "tests/sqlgen/test_removal.py",
            "tests/sqlgen/test_telling.py",
            "tests/sqlgen/test_columns_back.py",
            "tests/sqlgen/test_in_order.py",
            "tests/sqlgen/test_planfile.py",
            "tests/sqlgen/test_code_removal.py",
            "tests/sqlgen/test_mariadb.py",
            "tests/sqlgen/test_environment.py",
            "tests/sqlgen/usual",
            "tests/sqlgen/wrap",
            "tests/sqlgen/test_golden.py",
        ),
        data=(
            "tests/sqlgen/catalog.json",
            "tests/sqlgen/catalog.py",
            "tests/sqlgen/golden.py",
            "tests/sqlgen/mariadb_removals.py",
            "tests/sqlgen/removals.py",
            "tests/golden/remove",
        ),
    ),
}


def main(names: list[str]) -> int:
    """Run the named packages, or all; 0 when they pass, 1 when one does not, 2 for a wrong word."""
    if not set(names) <= set(PACKAGES):
        print(f"usage: python -m tests.mutants [{'|'.join(PACKAGES)}]", file=sys.stderr)
        return 2
    passed = [_passes(PACKAGES[name]) for name in names or PACKAGES]
    return 0 if all(passed) else 1


def _passes(package: Package) -> bool:
    found = mutate(package)
    share = 1 - len(found.survivors) / found.mutants
    print(f"{package.path}: {_killed(found)} of {found.mutants} mutants killed, {share:.1%}")
    reasons = allowed()
    new = unexplained(found.survivors, reasons)
    gone = outdated(found.survivors, reasons, package.path.replace("/", "."))
    listed = LIST.relative_to(ROOT)
    for change in new:
        print(f"\n# survived; kill it by a test, or say in {listed} why it may:\n{entry(change)}")
    for change in gone:
        print(f"\n# dies now; take it off {listed}:\n{entry(change)}")
    return share >= LEAST_SHARE and not new and not gone


def _killed(found: Outcome) -> int:
    return found.mutants - len(found.survivors)


sys.exit(main(sys.argv[1:]))
