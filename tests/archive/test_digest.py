"""The checksum of a table: as the manifest words it, and of more rows than one value of PostgreSQL could gather."""

from __future__ import annotations

from hashlib import sha256

import psycopg
import pytest

from migrator.legacy.archived import Copying, Digest

VALUES = [(1, "a"), (2, None), (3, ""), (4, "ä:1"), (5, "N"), (5, "N")]


def as_worded(rows: list[tuple[int, str | None]]) -> Digest:
    """Compute it as the manifest's `digest` says."""
    hashes = sorted(
        sha256("".join(map(field, (str(number), text))).encode()).digest() for number, text in rows
    )
    parts = [b"".join(h for h in hashes if h[0] == first) for first in range(256)]
    whole = b"".join(sha256(part).digest() for part in parts if part)
    return Digest(len(rows), sha256(whole).hexdigest())


def field(text: str | None) -> str:
    return "N" if text is None else f"{len(text.encode())}:{text}"


def of(dsn: str, definition: str) -> Digest:
    """Make a relation with the columns n and t, and give its checksum."""
    with psycopg.connect(dsn) as connection:
        connection.execute(definition.encode())
        return Copying(connection).digest(("public", "r"), ("n", "t"))


def test_the_checksum_is_what_the_manifest_says(fresh_db: str) -> None:
    many = [*VALUES, *((number, "x") for number in range(600))]
    listed = ", ".join(
        f"({number}, {'NULL' if text is None else repr(text)})" for number, text in many
    )
    assert of(
        fresh_db, f"CREATE VIEW r AS SELECT * FROM (VALUES {listed}) AS v (n, t)"
    ) == as_worded(many)


def test_of_nothing_it_is_that_of_nothing(fresh_db: str) -> None:
    empty = "CREATE VIEW r AS SELECT 1 AS n, 'a' AS t WHERE false"
    assert of(fresh_db, empty) == as_worded([]) == Digest(0, sha256(b"").hexdigest())


@pytest.mark.long
def test_more_rows_than_one_value_can_gather_have_a_checksum(fresh_db: str) -> None:
    rows = 34_000_000
    made = f"CREATE VIEW r AS SELECT n, 'x' AS t FROM generate_series(1, {rows}) AS n"
    assert of(fresh_db, made).rows == rows
    with (
        psycopg.connect(fresh_db) as connection,
        pytest.raises(psycopg.errors.ProgramLimitExceeded),
    ):
        connection.execute("SELECT string_agg(sha256(n::text::bytea), ''::bytea) FROM r")
