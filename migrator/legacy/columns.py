"""Which column of the users table plays which part; the parts have Devise's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.core.errors import UsageError
from migrator.legacy.presets import recognise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from migrator.legacy.interface import TableShape

# Parts that must have a column, and parts that are used when a column of that name exists.
REQUIRED = ("id", "email", "encrypted_password")
OPTIONAL = (
    "name",
    "created_at",
    "updated_at",
    "confirmed_at",
    "unconfirmed_email",
    "locked_at",
    "deleted_at",
    "otp_required_for_login",
    "provider",
    "uid",
    "salt",
)
# Used only when legacy.columns names a column: an application's idea of a user name need not be a sign-in name.
ON_REQUEST = ("username", "roles")
PARTS = (*REQUIRED, *OPTIONAL, *ON_REQUEST)
TIMES = ("created_at", "updated_at", "confirmed_at", "locked_at", "deleted_at")
TIME_TYPES = frozenset({"timestamp without time zone", "timestamp with time zone", "date"})
_BYTES = frozenset({"bytea", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
# A flag says enough about these; when a lock ends can be told from a time only.
_FLAGS = frozenset({"confirmed_at", "deleted_at"})

# A module counts as present when one of its columns is there.
_MODULES = {
    "database_authenticatable": ("encrypted_password",),
    "recoverable": ("reset_password_token",),
    "rememberable": ("remember_created_at", "remember_token"),
    "trackable": ("sign_in_count",),
    "confirmable": ("confirmed_at",),
    "reconfirmable": ("unconfirmed_email",),
    "lockable": ("locked_at", "failed_attempts"),
    "invitable": ("invitation_token",),
    "encryptable": ("password_salt",),
    "two_factor_authenticatable": ("otp_required_for_login",),
    "omniauthable": ("provider", "uid"),
    "soft_delete": ("deleted_at",),
}


@dataclass(frozen=True)
class DeviseColumns:
    """The users table with the parts that its columns play.

    Attributes:
        parts: Column by part (`email`, `confirmed_at`, …); parts without a column are missing.
        modules: Devise modules and habits whose columns are there.
        library: Whose columns they are, e.g. `devise`, `authlogic`.
    """

    table: TableShape
    parts: Mapping[str, str]
    modules: frozenset[str]
    library: str = "devise"

    def column(self, part: str) -> str | None:
        """Give the column that plays this part."""
        return self.parts.get(part)

    def type_of(self, part: str) -> str:
        """Give the PostgreSQL type of a part's column, empty without one."""
        return self.table.columns.get(self.parts.get(part, ""), "")


def find_columns(table: TableShape, overrides: Mapping[str, str]) -> DeviseColumns:
    """Match columns and parts.

    Args:
        table: The users table.
        overrides: `legacy.columns`: column by part; '' says that nothing plays this part.

    Raises:
        UsageError: An override names an unknown part or a missing column, a required part has no
            column, a column that should hold a time is of another type, or keys are bytes; the
            message lists what there is.
    """
    for part in overrides:
        if part not in PARTS:
            raise UsageError(
                f"legacy.columns.{part}: unknown; there are: {', '.join(PARTS)}",
                hint="edit [legacy.columns] in migrator.toml",
            )
    preset = recognise(table.columns)
    parts = {}
    for part in PARTS:
        column = _column(table, part, overrides, preset.parts.get(part, part))
        if column:
            _refuse_no_time(table, part, column)
            parts[part] = column
    _refuse_key_of_bytes(table, parts["id"])
    return DeviseColumns(table, parts, _modules(table) | confirmable(parts), preset.name)


def _column(table: TableShape, part: str, overrides: Mapping[str, str], usual: str) -> str:
    if part == "id" and len(table.primary_key) == 1:
        usual = table.primary_key[0]
    column = overrides.get(part, "" if part in ON_REQUEST else usual)
    if column in table.columns:
        return column
    if part in REQUIRED or (column and part in overrides):
        raise UsageError(
            f"{table} has no column {column or part!r} for {part}; it has: {', '.join(table.columns)}",
            hint=f'set {part} = "<column>" under [legacy.columns] in migrator.toml',
        )
    return ""


def confirmable(parts: Collection[str]) -> frozenset[str]:
    """Name the module that says who is confirmed, whatever its column is called."""
    return frozenset({"confirmable"} if "confirmed_at" in parts else ())


def _refuse_no_time(table: TableShape, part: str, column: str) -> None:
    found = table.columns[column]
    is_flag = found == "boolean" and part in _FLAGS
    if part in TIMES and found not in TIME_TYPES and not is_flag:
        raise UsageError(
            f"{table}.{column} is {found}, not a time, and cannot be {part}",
            hint=f'set {part} to another column, or to "", under [legacy.columns]',
        )


def _refuse_key_of_bytes(table: TableShape, column: str) -> None:
    found = table.columns[column]
    if found in _BYTES:
        raise UsageError(
            f"{table}.{column} is {found}: keys of bytes cannot be Auther's ids",
            hint="set id to another unique column under [legacy.columns] in migrator.toml",
        )


def _modules(table: TableShape) -> frozenset[str]:
    return frozenset(
        module
        for module, columns in _MODULES.items()
        if any(column in table.columns for column in columns)
    )
