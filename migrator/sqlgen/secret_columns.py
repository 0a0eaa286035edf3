"""Which columns hold secrets: their values are not archived unless asked for, and what stands there after a revert."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrator.core.catalog import Column, Table

_SECRET = re.compile(
    r"(\w+_)?(token|secret|password|passphrase|api_key|private_key)(_(digest|hash|salt|iv|ciphertext))?"
    r"|otp_backup_codes|recovery_codes|password_salt"
)
_PASSWORD = re.compile(r"(\w+_)?password(_(digest|hash))?")
_KNOWN = {("authtoken_token", "key"), ("webauthn_challenges", "challenge")}
_TEXT = re.compile(
    r"((?:tiny|medium|long)?text|character varying|varchar|citext)(\((?P<length>\d+)\))?"
)
_FLAGS = frozenset({"boolean", "tinyint(1)"})

NULL = "NULL"
# A bcrypt hash that no password fits, with a salt of its own: with '' all users would share one, and legacy sessions
# could be made up for any of them.
UNUSABLE = (
    "'$2a$12$' || left(replace(gen_random_uuid()::text, '-', ''), 21) || '.' || repeat('.', 31)"
)
_UNUSABLE_LENGTH = 60
RANDOM = "replace(gen_random_uuid()::text, '-', '')"
_RANDOM_LENGTH = 32


@dataclass(frozen=True)
class Omission:
    """A column whose values are not archived.

    Attributes:
        column: Its name.
        instead: What stands there after a restore, in words.
        expression: SQL that gives it, once per row; empty when it is the column's default.
    """

    column: str
    instead: str
    expression: str


def omissions(table: Table, columns: tuple[Column, ...]) -> tuple[Omission, ...]:
    """Give those of a table's columns whose values are secrets."""
    return tuple(_omission(table, column) for column in columns if _is_secret(table, column))


def blank(column: Column) -> str:
    """Give SQL for what stands where a row has nothing to be restored."""
    return blank_password(column) or ("DEFAULT" if column.not_null and column.default else NULL)


def blank_password(column: Column) -> str:
    """Give SQL for a hash that no password fits, '' for a column that holds none."""
    named = _PASSWORD.fullmatch(column.name.lower()) is not None
    return UNUSABLE if named and _holds(column, _UNUSABLE_LENGTH) else ""


def refusals(table: Table, columns: tuple[Column, ...]) -> list[str]:
    """Give every reason why a secret cannot be left out of the archive of a table."""
    return [
        f"{table.label}.{column.name}: its values are secrets, which the archive leaves out, but {why}"
        for column in columns
        if _is_secret(table, column) and (why := _needed(table, column))
    ]


def _is_secret(table: Table, column: Column) -> bool:
    if column.type in _FLAGS or column.identity or column.generated:
        return False
    named = _SECRET.fullmatch(column.name.lower()) is not None
    return named or (table.name, column.name) in _KNOWN


def _needed(table: Table, column: Column) -> str:
    tied = [
        constraint.name
        for constraint in table.constraints
        if constraint.kind in {"p", "f", "c", "x"} and column.name in constraint.columns
    ]
    tied += [key.name for key in table.inbound if column.name in key.target_columns]
    if tied:
        return f"constraint {tied[0]} needs them"
    if _omission(table, column).expression == "?":
        return f"it is NOT NULL and of type {column.type}, for which nothing can stand in"
    return ""


def _omission(table: Table, column: Column) -> Omission:
    if unusable := blank_password(column):
        return Omission(column.name, "a hash that no password fits", unusable)
    if not column.not_null:
        return Omission(column.name, "NULL", NULL)
    if column.default and not _is_unique(table, column):
        return Omission(column.name, "its default", "")
    if _holds(column, _RANDOM_LENGTH):
        return Omission(column.name, "a random value", RANDOM)
    return Omission(column.name, "", "?")


def _holds(column: Column, length: int) -> bool:
    match = _TEXT.fullmatch(column.type.removeprefix("public."))
    return match is not None and int(match["length"] or length) >= length


def _is_unique(table: Table, column: Column) -> bool:
    return any(
        index.definition.startswith("CREATE UNIQUE") and column.name in index.columns
        for index in table.indexes
    )
