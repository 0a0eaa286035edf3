"""Who may do what to a table: the application's roles, the role that acts, the role that guards."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    """A role that the application signs in with.

    Attributes:
        exists: The server knows it.
        superuser: No privilege can be taken from it.
        member_of: Roles that it may act as, directly or through others; empty for a superuser.
        hides_errors: It has a log_min_messages or log_min_error_statement of its own.
    """

    name: str
    exists: bool
    superuser: bool
    member_of: tuple[str, ...]
    hides_errors: bool


@dataclass(frozen=True)
class SchemaRights:
    """What a role may do in a schema."""

    role: str
    schema: str
    create: bool
    usage: bool


@dataclass(frozen=True)
class Access:
    """The roles around a removal.

    Attributes:
        acting: The role of legacy.dsn.
        acts_as: Those of the owners and the guard role that it may act as.
        roles: The application's.
        guard_role: Takes tables over that the application's role owns.
        rights: Of the owners and the guard role, in the tables' schemas.
        signed_in: Roles with a connection at the moment, as a help to name the application's.
    """

    acting: str
    superuser: bool
    acts_as: tuple[str, ...]
    roles: tuple[Role, ...]
    guard_role: str
    guard_role_exists: bool
    rights: tuple[SchemaRights, ...]
    signed_in: tuple[str, ...]

    def may(self, role: str, schema: str) -> SchemaRights:
        """Give a role's rights in a schema, none when it does not exist."""
        here = (r for r in self.rights if (r.role, r.schema) == (role, schema))
        return next(here, SchemaRights(role, schema, create=False, usage=False))


@dataclass(frozen=True)
class Bystander:
    """Something that touches the database and is not on the tables themselves.

    Attributes:
        kind: E.g. `replication slot`, `long transaction`.
        detail: What it is, and what it has to do with a removal.
    """

    kind: str
    name: str
    detail: str
