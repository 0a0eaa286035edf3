"""Reads what surrounds a removal: the roles that matter, and everything else that touches the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from migrator.core.access import Access, Bystander, Role, SchemaRights
from migrator.core.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

    from migrator.core.catalog import Table


def read_access(
    connection: Connection[Any],
    tables: Iterable[Table],
    *,
    application_roles: tuple[str, ...],
    guard_role: str,
) -> Access:
    """Read who may do what to some tables.

    Args:
        connection: In autocommit.
        tables: Those to drop.
        application_roles: Roles that the application signs in with.
        guard_role: The role that would take tables over.
    """
    tables = tuple(tables)
    acting = _rows(connection, "acting")[0]
    names = sorted({guard_role, *(table.owner for table in tables)})
    schemas = sorted({table.schema for table in tables})
    guard = _rows(connection, "roles", names=[guard_role])[0]
    return Access(
        acting=acting["acting"],
        superuser=acting["superuser"],
        acts_as=_names(connection, "acts_as", names=names),
        roles=tuple(
            Role(**{**row, "member_of": tuple(row["member_of"])})
            for row in _rows(connection, "roles", names=list(application_roles))
        ),
        guard_role=guard_role,
        guard_role_exists=guard["exists"],
        rights=tuple(
            SchemaRights(**row)
            for row in _rows(connection, "rights", names=names, schemas=schemas)
        ),
        signed_in=_names(connection, "signed_in"),
    )


def read_bystanders(connection: Connection[Any]) -> tuple[Bystander, ...]:
    """Read what else touches the database."""
    return tuple(Bystander(**row) for row in _rows(connection, "bystanders"))


def _names(connection: Connection[Any], query: str, **values: object) -> tuple[str, ...]:
    return tuple(row["name"] for row in _rows(connection, query, **values))


def _rows(connection: Connection[Any], name: str, **values: object) -> list[dict[str, Any]]:
    query = load("migrator.legacy", "removal_survey.sql")[name].encode()
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
