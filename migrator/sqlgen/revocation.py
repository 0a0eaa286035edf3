"""How a table is taken away from the application's roles, or why that would prove nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.sql import ident

if TYPE_CHECKING:
    from migrator.core.access import Access, Role
    from migrator.core.catalog import Table

_READ_EVERYTHING = frozenset({"pg_read_all_data", "pg_write_all_data"})


@dataclass(frozen=True)
class Revocation:
    """What step 03 does to one table; nothing while there is a reason in `unproven`.

    Attributes:
        grantees: From whom privileges are taken, PUBLIC being the empty name.
        new_owner: The guard role where the application's role owns the table, else empty.
        unproven: Why nobody would scream although the table is used.
    """

    grantees: tuple[str, ...]
    new_owner: str
    unproven: tuple[str, ...]


def revocation_of(table: Table, access: Access) -> Revocation:
    """Decide how a table is taken away from the application's roles."""
    owned = any(table.owner in {role.name, *role.member_of} for role in access.roles)
    names = {role.name for role in access.roles}
    granted = _grantees(table)
    reasons = [reason for role in access.roles for reason in _escapes(role, granted - names)]
    if owned:
        reasons += _obstacles(table, access)
    elif not access.roles:
        connected = ", ".join(access.signed_in) or "nobody"
        reasons.append(
            f"[remove] application_roles names no role that the application signs in with "
            f"(connected now: {connected})"
        )
    if reasons:
        return Revocation((), "", tuple(reasons))
    taken = tuple(sorted((granted & {"", *names}) - {table.owner}))
    return Revocation(taken, access.guard_role if owned else "", ())


def _grantees(table: Table) -> set[str]:
    lists = [
        table.grants,
        *(c.grants for c in table.columns),
        *(s.grants for s in table.sequences),
    ]
    return {grant.grantee for grants in lists for grant in grants}


def _escapes(role: Role, others: set[str]) -> list[str]:
    """Give the ways in which a role would go on using a table that was taken from it."""
    if not role.exists:
        return [f"there is no role {role.name}"]
    if role.superuser:
        return [f"{role.name} is a superuser: a revoke does nothing to it"]
    found = [
        f"{role.name} is a member of {name}, which may use it: list that one too, or take it away"
        for name in role.member_of
        if name in others | _READ_EVERYTHING
    ]
    if role.hides_errors:
        found.append(f"{role.name} has a log level of its own, which may hide its errors")
    return found


def _obstacles(table: Table, access: Access) -> list[str]:
    """Give what keeps a table from going to the guard role and coming back."""
    guard, acting = access.guard_role, access.acting
    owns = f"{table.owner}, the application's, owns it, so that a revoke does nothing"
    if not access.guard_role_exists:
        return [f"{owns}: CREATE ROLE {ident(guard)} NOLOGIN"]
    found = [
        f"{role.name} is a member of the guard role {guard}"
        for role in access.roles
        if guard in role.member_of
    ]
    here = access.may(guard, table.schema)
    if not here.usage or not (here.create or access.superuser):
        found.append(
            f"{owns}: GRANT USAGE, CREATE ON SCHEMA {ident(table.schema)} TO {ident(guard)}"
        )
    if access.superuser:
        return found
    found += [
        f"{owns}: GRANT {ident(name)} TO {ident(acting)}, or act as a superuser"
        for name in (guard, table.owner)
        if name not in access.acts_as
    ]
    if not access.may(table.owner, table.schema).create:
        found.append(
            f"{table.owner} could not get it back: GRANT CREATE ON SCHEMA {ident(table.schema)} "
            f"TO {ident(table.owner)}"
        )
    return found
