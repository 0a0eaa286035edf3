"""What differs from database to database in a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sqlgen import render, steps, telling
from migrator.sqlgen.mariadb import render as mariadb_render
from migrator.sqlgen.mariadb import steps as mariadb_steps
from migrator.sqlgen.mariadb import telling as mariadb_telling
from migrator.sqlgen.removal import MARIADB, POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.sqlgen.removal import Removal
    from migrator.sqlgen.steps import Step


@dataclass(frozen=True)
class Dialect:
    """One database's way to remove.

    Attributes:
        steps_of: Gives the steps of a removal, in order.
        render: Gives the text of each file by its path.
        described: Gives a line about each table.
        exceptions: Gives what a revert after a drop does not bring back as it was.
        notes: Gives what a person should look at before applying.
    """

    steps_of: Callable[[Removal], tuple[Step, ...]]
    render: Callable[[Removal], dict[str, str]]
    described: Callable[[Removal], tuple[str, ...]]
    exceptions: Callable[[Removal], tuple[str, ...]]
    notes: Callable[[Removal], tuple[str, ...]]


DIALECTS = {
    POSTGRESQL: Dialect(
        steps.steps_of, render.render, telling.described, telling.exceptions, telling.notes
    ),
    MARIADB: Dialect(
        mariadb_steps.steps_of,
        mariadb_render.render,
        mariadb_telling.described,
        mariadb_telling.exceptions,
        mariadb_telling.notes,
    ),
}
