"""How passwords set at Auther become values of the application: as configured, or as its rows are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrator.config.plugin import FOLLOW
from migrator.core.errors import RefusedError, UsageError
from migrator.schemes.costs import cost_of, scheme_of

if TYPE_CHECKING:
    from migrator.legacy.users_write import UsersTable


def made_as(wanted: str, users: UsersTable) -> str:
    """Give scheme and cost for new passwords, e.g. `django_pbkdf2:iterations=1000000`.

    Args:
        wanted: `plugin.write_back`.
        users: The application's table.

    Raises:
        RefusedError: It is to be followed, and no row has a value that could be made.
    """
    if wanted != FOLLOW:
        return wanted
    passwords = users.newest_passwords()
    found = _costs(passwords, users)
    if found:
        return found.most_common(1)[0][0]
    if passwords:
        raise RefusedError(
            f"no password in {users.columns.table} is of a scheme that can be made for it:"
            f" {_schemes(users)}",
            hint="let the application accept one of these, then set plugin.write_back to it;"
            ' or "" for none',
        )
    return users.writable.usual


def schemes_taken(wanted: str, users: UsersTable) -> frozenset[str]:
    """Name the schemes whose values may be written.

    Args:
        wanted: `plugin.write_back`.
        users: The application's table.
    """
    return users.writable.schemes if wanted == FOLLOW else frozenset({scheme_of(wanted)})


def refuse_unread(wanted: str, users: UsersTable, *, by_rows: bool) -> None:
    """Let pass only a scheme that the application reads, as far as that can be seen.

    Args:
        wanted: `plugin.write_back`; empty writes no passwords.
        users: The application's table.
        by_rows: Only schemes that its newest rows have; a table without passwords may get any.

    Raises:
        UsageError: The framework knows no such values.
        RefusedError: The application's rows show that it uses others.
    """
    if not wanted or wanted == FOLLOW:
        return
    scheme, table = scheme_of(wanted), users.columns.table
    hint = f'set plugin.write_back = "{FOLLOW}" in migrator.toml: as the newest rows are'
    if scheme not in users.writable.schemes:
        raise UsageError(
            f"plugin.write_back: nobody signs in with {scheme} there; known are: {_schemes(users)}",
            hint=hint,
        )
    passwords = users.newest_passwords() if by_rows else []
    if passwords and scheme not in {scheme_of(cost) for cost in _costs(passwords, users)}:
        raise RefusedError(
            f"plugin.write_back: none of the newest passwords in {table} is {scheme}, so the"
            " application may not read it",
            hint=hint,
        )


def _costs(passwords: list[str], users: UsersTable) -> Counter[str]:
    found = Counter(cost for cost in map(cost_of, passwords) if cost)
    known = users.writable.schemes
    return Counter({cost: n for cost, n in found.items() if scheme_of(cost) in known})


def _schemes(users: UsersTable) -> str:
    return ", ".join(sorted(users.writable.schemes))
