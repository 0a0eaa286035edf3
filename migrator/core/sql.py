"""Names in SQL."""

from __future__ import annotations


def ident(*parts: str) -> str:
    """Quote an identifier, schema-qualified when several parts are given.

    Raises:
        ValueError: A part is empty or holds a NUL, which PostgreSQL and SQLite cannot store.
    """
    for part in parts:
        if not part or "\0" in part:
            raise ValueError(f"not an SQL identifier: {part!r}")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def qualified(name: str) -> tuple[str, str]:
    """Split `schema.table` (schema defaults to `public`), as written in migrator.toml."""
    schema, dot, table = name.partition(".")
    return (schema, table) if dot else ("public", schema)


def literal(text: str) -> str:
    """Write a text as a PostgreSQL string constant, right whatever `standard_conforming_strings` is.

    For SQL that is emitted as a file; queries that run take parameters.

    Raises:
        ValueError: It holds a NUL, which PostgreSQL cannot store.
    """
    if "\0" in text:
        raise ValueError("a NUL cannot be written in SQL")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"
