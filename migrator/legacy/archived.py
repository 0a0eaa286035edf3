"""Takes tables out of PostgreSQL as COPY text and brings them back, compared by one digest."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import ProgrammingError
from psycopg.rows import dict_row
from psycopg.sql import SQL

from migrator.core.errors import RefusedError
from migrator.core.queries import load
from migrator.core.sql import ident, literal
from migrator.legacy.connect import compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg import Connection, Cursor

    from migrator.legacy.copytext import Row

SCRATCH = "migrator_drill"
_FIELD = (
    "CASE WHEN {0}::text IS NULL THEN 'N' ELSE octet_length({0}::text) || ':' || {0}::text END"
)


@dataclass(frozen=True)
class Digest:
    """Rows, and SHA-256 over their text form."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """A database as an archive describes it; `copy_encoding` is that of its COPY text."""

    database: str
    server_version: int
    encoding: str
    snapshot_at: Any
    of_mariadb: bool = False

    @property
    def copy_encoding(self) -> str:
        """UTF-8, unless the database does not know what its bytes mean."""
        return "SQL_ASCII" if self.encoding == "SQL_ASCII" else "UTF8"


class Copying:
    """Moves rows within one transaction of one connection.

    Args:
        connection: In a transaction.
        encoding: Of COPY text.
    """

    def __init__(self, connection: Connection[Any], *, encoding: str = "UTF8") -> None:
        self._connection = connection
        self._encoding = literal(encoding)
        self._connection.execute(_query("text_form").encode())

    def digest(self, table: tuple[str, str], columns: Sequence[str]) -> Digest:
        """Count a table's rows and hash them."""
        return Digest(**self._row("digest", table=ident(*table), fields=fields_of(columns)))

    def rows(
        self, table: tuple[str, str], columns: Sequence[str], key: Sequence[str]
    ) -> Iterator[bytes]:
        """Give all rows as COPY text, in the order of the key where there is one."""
        query = self._copy(
            "copy_out",
            table=ident(*table),
            columns=names_of(columns),
            order=order_by(key),
            encoding=self._encoding,
        )
        return self._out(query)

    def fill(self, table: tuple[str, str], columns: Sequence[str], rows: Iterable[bytes]) -> None:
        """Write rows of COPY text into a table."""
        query = self._copy(
            "copy_in", table=ident(*table), columns=names_of(columns), encoding=self._encoding
        )
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for piece in rows:
                copy.write(piece)

    def comparable(
        self,
        definitions: Sequence[tuple[str, str, str]],  # noqa: ARG002 - text is compared byte by byte
        rows: Sequence[Row],
    ) -> Sequence[Row]:
        """Give values of columns, as the files have them, as texts that are the same for what is one value there."""
        return rows

    def sequence_value(self, schema: str, name: str) -> dict[str, Any]:
        """Say where a sequence stands."""
        return self._row("sequence_value", sequence=ident(schema, name))

    def oid(self, table: tuple[str, str]) -> int:
        """Give a table's OID."""
        return int(self._row("oid", table=literal(ident(*table)))["oid"])

    def hash_rows(
        self,
        table: tuple[str, str],
        columns: Sequence[str],
        key: tuple[Sequence[str], str],
    ) -> None:
        """Keep a hash of each row by its key; `key` is its columns and the table for the hashes."""
        names, hashes = key
        self._do(
            "row_hashes",
            table=ident(*table),
            fields=fields_of(columns),
            key=names_of(names),
            hashes=hashes,
        )

    def make_scratch(self) -> None:
        """Make the schema that a drill restores into."""
        self._do("scratch_schema", schema=ident(SCRATCH))

    def make(self, table: tuple[str, str], definitions: Sequence[tuple[str, str, str]]) -> None:
        """Make a table of nothing but columns: name, type and collation of each."""
        kind = "scratch_table" if table[0] == SCRATCH else "copy_table"
        self._do(kind, table=ident(*table), definitions=", ".join(map(definition, definitions)))

    def number_rows(self, table: tuple[str, str], key: Sequence[str], row_number: str) -> None:
        """Number a table's rows and make it quick to join by its key."""
        self._do(
            "number_rows", table=ident(*table), key=names_of(key), row_number=ident(row_number)
        )
        self._do("analyze", table=ident(*table))

    def _out(self, query: Any) -> Iterator[bytes]:
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            while piece := copy.read():
                yield bytes(piece)

    def _rows_as_dicts(self) -> Cursor[dict[str, Any]]:
        return self._connection.cursor(row_factory=dict_row)

    def _row(self, name: str, **parts: str) -> dict[str, Any]:
        with self._rows_as_dicts() as cursor:
            found = cursor.execute(self._composed(name, **parts), {}).fetchone()
        assert found is not None  # noqa: S101  each of these queries gives one row
        return found

    def _do(self, name: str, **parts: str) -> None:
        self._connection.execute(self._composed(name, **parts), {})

    @staticmethod
    def _composed(name: str, **parts: str) -> Any:
        return compose(_query(name), **parts)

    @staticmethod
    def _copy(name: str, **parts: str) -> Any:
        # Without parameters a percent sign in a name stays as it is.
        return SQL(_query(name)).format(**{key: SQL(part) for key, part in parts.items()})


@contextmanager
def snapshot(connection: Connection[Any]) -> Iterator[Source]:
    """Open a transaction whose every statement sees the same rows.

    Args:
        connection: In autocommit.
    """
    with connection.transaction():
        connection.execute(_query("snapshot").encode())
        with connection.cursor(row_factory=dict_row) as cursor:
            facts = cursor.execute(_query("facts").encode()).fetchone()
        assert facts is not None  # noqa: S101  a query without FROM gives one row
        yield Source(**facts)


def require_empty_place(connection: Connection[Any], tables: Sequence[tuple[str, str]]) -> None:
    """Make sure that tables can be made anew.

    Raises:
        RefusedError: One is there already.
    """
    there = _listed(connection, "existing", [ident(*table) for table in tables])
    if there:
        raise RefusedError(
            f"there already: {', '.join(there)}", hint="restore into a new, empty database"
        )


def missing_types(connection: Connection[Any], types: Iterable[str]) -> list[str]:
    """Give those of some types that are not there."""
    return _listed(connection, "missing_types", sorted(set(types)))


def make_missing_types(
    connection: Connection[Any], types: Iterable[tuple[str, str]], kinds: Iterable[str]
) -> tuple[str, ...]:
    """Make types that are missing, within the transaction; give those that were there.

    Args:
        connection: In a transaction.
        types: By name, with the SQL that makes each.
        kinds: All types that have to be there then.

    Raises:
        RefusedError: One of `kinds` is missing.
    """
    there = []
    for name, made_by in types:
        if missing_types(connection, [name]):
            connection.execute(made_by.encode())
        else:
            there.append(name)
    require_types(connection, kinds)
    return tuple(there)


def require_types(connection: Connection[Any], types: Iterable[str]) -> None:
    """Make sure that all types of some columns are there.

    Raises:
        RefusedError: One is missing.
    """
    if missing := missing_types(connection, types):
        raise RefusedError(
            f"types that the tables need are missing: {', '.join(missing)}",
            hint="CREATE TYPE or CREATE EXTENSION them in that database first; nothing was written",
        )


def make_if_possible(connection: Connection[Any], sql: str) -> str:
    """Make something that needs what a database may not have: a role, a function; within the transaction.

    Returns:
        Why it could not be made, empty when it was.
    """
    try:
        with connection.transaction():
            connection.execute(sql.encode())
    except ProgrammingError as error:
        return error.diag.message_primary or type(error).__name__
    return ""


def set_sequence(
    connection: Connection[Any], name: tuple[str, str], *, last_value: int, is_called: bool
) -> None:
    """Put a sequence where it stood."""
    values = {"sequence": ident(*name), "last_value": last_value, "is_called": is_called}
    connection.execute(_query("set_sequence").encode(), values)


def _listed(connection: Connection[Any], query: str, names: list[str]) -> list[str]:
    rows = connection.execute(_query(query).encode(), {"names": names}).fetchall()
    return [name for (name,) in rows]


def _query(name: str) -> str:
    return load("migrator.legacy", "archived.sql")[name]


def names_of(columns: Sequence[str], alias: str = "") -> str:
    """Give quoted names with commas; `alias` is put before each, e.g. `t.`."""
    return ", ".join(alias + ident(column) for column in columns)


def fields_of(columns: Sequence[str]) -> str:
    """Give the expression that a row's hash is made of; the table's alias is `t`."""
    return " || ".join(_FIELD.format(f"t.{ident(column)}") for column in columns) or "''"


def order_by(key: Sequence[str], alias: str = "") -> str:
    """Give the clause that puts rows in the order of the key, nothing without one."""
    return f"ORDER BY {names_of(key, alias)}" if key else ""


def definition(column: tuple[str, str, str]) -> str:
    """Give a column as a CREATE TABLE has it: name, type, collation."""
    name, kind, collation = column
    return f"{ident(name)} {kind}" + (f" COLLATE {collation}" if collation else "")
