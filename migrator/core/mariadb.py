"""SQL of MariaDB that both the emitted files and the queries need: where the removal keeps things, and values as text."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from migrator.core.queries import load
from migrator.core.sql import ident

if TYPE_CHECKING:
    from collections.abc import Iterable

# Names as everywhere in SQL; strict; a 0 in an AUTO_INCREMENT column stays one.
SQL_MODE = "ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
# The length of GROUP_CONCAT that a checksum may take; the server cuts at max_allowed_packet, which is noticed.
CONCAT_BYTES = 1 << 30
MAX_CHARACTERS = 64
_HASH_CHARACTERS = 8
_EXACT = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"})
_BINARY = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})


@dataclass(frozen=True)
class Places:
    """The databases that a removal makes beside the application's: a database there is what a schema is elsewhere.

    Attributes:
        guard: Lease, evidence, step log.
        quarantine: The tables on their way.
        archive: What comes back out of files.
        scratch: What a drill restores into.
    """

    guard: str
    quarantine: str
    archive: str
    scratch: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (self.guard, self.quarantine, self.archive, self.scratch)


def places_of(database: str) -> Places:
    """Name them after the application's database: one server may have several applications."""
    names = ("guard", "quarantine", "archive", "drill")
    return Places(*(fitting(f"{database}_migrator_{name}") for name in names))


def fitting(name: str) -> str:
    """Cut a name to 64 characters; what is cut off is replaced by a hash of the whole."""
    if len(name) <= MAX_CHARACTERS:
        return name
    tail = "_" + sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
    return name[: MAX_CHARACTERS - len(tail)] + tail


def literal(text: str) -> str:
    """Write a text as a string constant, right while backslashes escape, which `SQL_MODE` leaves on.

    Raises:
        ValueError: It holds a NUL.
    """
    if "\0" in text:
        raise ValueError("a NUL cannot be written in SQL")
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def kind_of(column_type: str) -> str:
    """Give a type's first word: `varchar` of `varchar(255)`."""
    return column_type.partition("(")[0].partition(" ")[0].lower()


def is_binary(column_type: str) -> bool:
    """Tell whether a type's values are bytes, whose text is hexadecimal."""
    return kind_of(column_type) in _BINARY


def is_exact(column_type: str) -> bool:
    """Tell whether a type's values are numbers that are kept as they are said."""
    return kind_of(column_type) in _EXACT


def as_text(name: str, column_type: str) -> str:
    """Give an expression for a column's value as text, nothing lost; the table's alias is `t`."""
    column, kind = f"t.{ident(name)}", kind_of(column_type)
    if is_binary(kind):
        return f"HEX({column})"
    # As a float it would be written with six digits.
    return f"CONVERT({column}{' + 0e0' if kind == 'float' else ''} USING utf8mb4)"


def from_text(column_type: str, value: str) -> str:
    """Give an expression for a value out of its text, the reverse of `as_text`."""
    return f"UNHEX({value})" if is_binary(column_type) else value


def digest(table: str, columns: Iterable[tuple[str, str]]) -> str:
    """Give a SELECT of a table's row count, its checksum as a manifest words it, and whether that was cut off.

    Args:
        table: Quoted.
        columns: Name and type of each.
    """
    fields = ", ".join(_field(as_text(name, kind)) for name, kind in columns) or "''"
    return load("migrator.core", "mariadb.sql")["digest"].format(fields=fields, table=table)


def _field(text: str) -> str:
    return f"COALESCE(CONCAT(LENGTH({text}), ':', {text}), 'N')"
