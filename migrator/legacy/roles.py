"""Where an application keeps the roles of its users, and how they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.legacy.interface import TableShape


@dataclass(frozen=True)
class JoinedRoles:
    """rolify's two tables."""

    roles: TableShape
    join: TableShape

    def column(self, name: str) -> str:
        """Give a column of the roles table that need not be there, empty without it."""
        return name if name in self.roles.columns else ""


@dataclass(frozen=True)
class RoleColumn:
    """A column of the users table.

    Attributes:
        name: The column, which is the role's name where it holds a flag.
        kind: Its PostgreSQL type.
        names: Names of an enum's integers.
    """

    name: str
    kind: str
    names: Mapping[str, str] = field(default_factory=dict)

    def read(self, text: str | None) -> tuple[str, ...]:
        """Give the roles in a value as COPY writes it; arrays come as JSON."""
        if not text:
            return ()
        if self.kind == "boolean":
            return (self.name,) if text == "t" else ()
        if self.kind.endswith("[]"):
            return tuple(sorted({self._named(str(role)) for role in json.loads(text) if role}))
        return (self._named(text),)

    def _named(self, value: str) -> str:
        return self.names.get(value, value)


def joined_roles(roles: TableShape, join: TableShape) -> JoinedRoles:
    """Check that both tables have the columns that are needed.

    Raises:
        UsageError: One is missing; the message lists what there is.
    """
    for table, needed in ((roles, ("id", "name")), (join, ("user_id", "role_id"))):
        for column in needed:
            if column not in table.columns:
                raise UsageError(
                    f"{table} has no column {column}; it has: {', '.join(table.columns)}",
                    hint="set table and join_table under [legacy.roles] in migrator.toml",
                )
    return JoinedRoles(roles, join)


def role_name(name: str, kind: str | None, thing: str | None) -> str:
    """Give the one text for a role: `editor`, `editor:Forum` for all forums, `editor:Forum:7`."""
    return ":".join(part for part in (name, kind, thing) if part)
