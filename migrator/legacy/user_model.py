"""A framework's table of users, read through a SELECT made out for the columns that are there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.core.queries import load
from migrator.core.sql import literal
from migrator.legacy.connect import describe_table
from migrator.legacy.query import COLUMNS, columns_of, describe_query, refuse_ambiguous_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.config.model import LegacySection
    from migrator.legacy.columns import DeviseColumns
    from migrator.legacy.interface import TableShape
    from migrator.legacy.postgres import PostgresConnection

_REQUIRED = ("id", "email", "password")
_WRITTEN_AS = {"password": "encrypted_password", "verified": "confirmed_at"}
_HINT = "edit [legacy.columns] in migrator.toml"


@dataclass(frozen=True)
class UserModel:
    """What a framework calls its columns.

    Attributes:
        framework: Its name.
        usual: Its own columns by part.
        on_request: Parts that are there only when legacy.columns names a column.
        types: The types that a part's column may have where they are not those of `legacy.query`.
    """

    framework: str
    usual: Mapping[str, str]
    on_request: tuple[str, ...]
    types: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[str, ...]:
        """All parts that legacy.columns may name."""
        return (*self.usual, *self.on_request)

    def columns(self, table: TableShape, overrides: Mapping[str, str]) -> dict[str, str]:
        """Give the column of each part that has one.

        Args:
            table: The table of the user model.
            overrides: `legacy.columns`: column by part; '' says that nothing plays this part.

        Raises:
            UsageError: An override names an unknown part or a missing column, a column is of a
                wrong type, or one that has to be there is missing.
        """
        for part in overrides:
            if part not in self.parts:
                raise UsageError(
                    f"legacy.columns.{part}: unknown; there are for {self.framework}:"
                    f" {', '.join(self.parts)}",
                    hint=_HINT,
                )
        if overrides.get("verified") and overrides.get("confirmed_at"):
            raise UsageError("legacy.columns: both verified and confirmed_at", hint=_HINT)
        found = {part: self.column(table, part, overrides) for part in self.parts}
        columns = {part: column for part, column in found.items() if column}
        for part, column in columns.items():
            self._refuse_wrong_type(table, part, column)
        return columns

    def written_parts(self, table: TableShape, overrides: Mapping[str, str]) -> dict[str, str]:
        """Give columns by the names that parts have where the table itself is written.

        Raises:
            UsageError: As `columns`.
        """
        columns = self.columns(table, overrides)
        return {_WRITTEN_AS.get(part, part): column for part, column in columns.items()}

    def column(self, table: TableShape, part: str, overrides: Mapping[str, str]) -> str:
        """Give the column of one part, empty without one.

        Raises:
            UsageError: It has to be there and is missing.
        """
        usual = self.usual.get(part, "")
        if part == "id" and len(table.primary_key) == 1:
            usual = table.primary_key[0]
        column = overrides.get(part, usual)
        if column in table.columns:
            return column
        if part in _REQUIRED or (column and part in overrides):
            raise UsageError(
                f"{table} has no column {column or part!r} for {part}; it has: {', '.join(table.columns)}",
                hint=f'set {part} = "<column>" under [legacy.columns] in migrator.toml',
            )
        return ""

    def _refuse_wrong_type(self, table: TableShape, part: str, column: str) -> None:
        found = table.columns[column]
        allowed = self.types[part] if part in self.types else COLUMNS[part][1]
        if found not in allowed:
            raise UsageError(
                f"{table}.{column} is {found} and cannot be {part}: that has to be"
                f" {' or '.join(sorted(allowed))}",
                hint=f'set {part} to another column, or to "", under [legacy.columns]',
            )


def users_table(connection: PostgresConnection, settings: LegacySection) -> TableShape:
    """Look at the table of the user model.

    Raises:
        UsageError: It is missing; the message lists what there is.
    """
    return describe_table(connection, settings.users_table, key="legacy.users_table")


def disabled(active: str) -> str:
    """Give the expression for an account that its flag does not call active."""
    return load("migrator.legacy", "user_model.sql")["disabled"].format(column=active)


def flag_role(column: str, name: str) -> str:
    """Give the expression for the role, in an array, of whom a flag is set for."""
    flag = load("migrator.legacy", "user_model.sql")["flag"]
    return flag.format(column=column, name=literal(name))


def roles_of(*arrays: str) -> str:
    """Put expressions for arrays of roles together; empty ones count for nothing."""
    filled = " || ".join(filter(None, arrays))
    text = load("migrator.legacy", "user_model.sql")["roles"]
    return text.format(arrays=filled) if filled else ""


def read_through(
    connection: PostgresConnection, table: TableShape, query: str, *, library: str
) -> DeviseColumns:
    """Look at what a SELECT gives of the users of a table.

    Args:
        connection: To the application's database.
        table: The table, whose name the SELECT goes by.
        query: The SELECT.
        library: Whose columns they are.

    Raises:
        UsageError: An id is empty or occurs twice.
    """
    users = describe_query(connection, query, key="users", schema=table.schema)
    shape = replace(users, name=str(table))
    if len(table.primary_key) != 1:
        refuse_ambiguous_keys(connection, shape)
    return replace(columns_of(shape), library=library)
