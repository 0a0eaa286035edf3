"""What has to be known of a users table before anything is written into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape
    from migrator.legacy.new_user import NewRow


def _as_it_is(value: str) -> str:
    return value


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Writable:
    """One application's users table, and what its framework does when it changes a row itself.

    Attributes:
        columns: The parts that columns play, `active` (a flag) among them where there is one.
        row: What a new row says, as `migrator_new_user` writes it too.
        schemes: Names of schemes whose values the framework can read, and the plugin can make.
        usual: Scheme and cost of the framework itself, for a table without passwords.
        unusable: Makes a value for the password column that no password fits.
        stored: Gives the column's form of a scheme's value.
        password: An expression for what the import reads of the password column; empty for the column.
        username: A column that changes with the address where it holds the address; empty for none.
        cleared: Columns that hold links in flight, which end with a new password or address.
        remember_token: Makes what a new password puts into the column `remember_token`.
        reset_links: A table of links in flight by address, None for none.
        privileged: Flags of people whose rows are never written.
        time_zone: That of times without one.
    """

    columns: DeviseColumns
    row: NewRow
    schemes: frozenset[str]
    usual: str
    unusable: Callable[[], str]
    stored: Callable[[str], str] = _as_it_is
    password: str = ""
    username: str = ""
    cleared: tuple[str, ...] = ()
    remember_token: Callable[[], str | None] = _nothing
    reset_links: TableShape | None = None
    privileged: tuple[str, ...] = ()
    time_zone: str = "UTC"
