"""Whether a table that stays may be written anew, and for how long nobody can use it meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from migrator.core.catalog import Table

# Measured by `bench_removal` with Devise's columns, on two cores that others used too; a slow disk takes longer.
ROWS_PER_S = 25_000
# More than about 4 s is for a person to accept.
ROWS_AT_ONCE = 100_000
ACKNOWLEDGED = "table_rewrite"


def seconds(table: Table) -> int:
    """Give about how long the table is locked, 1 or more."""
    return max(1, round(table.rows / ROWS_PER_S))


def refusals(table: Table, acknowledged: Collection[str]) -> list[str]:
    """Give every reason why the table cannot be written anew, or not without being asked."""
    why = "with --preserve-order the table would be written anew"
    found = [f"{table.label}: {b.reason}, and {why}" for b in table.blockers if not b.column]
    found += [
        f"{table.label}: publication {name} publishes it, and {why}: subscribers would get each row again"
        for name in table.published
    ]
    if table.rows > ROWS_AT_ONCE and ACKNOWLEDGED not in acknowledged:
        found.append(
            f"{table.label}: {why}, {table.rows} rows, and nobody could use it for about "
            f'{seconds(table)} s; to accept that put "{ACKNOWLEDGED}" into [remove] acknowledged'
        )
    return found
