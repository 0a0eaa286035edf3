from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from migrator.legacy.connect import open_database
from migrator.legacy.copytext import copy_rows, dump, parse

# What PostgreSQL can hold: everything but NUL and lone surrogates.
text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
hostile = st.sampled_from(["\\N", "\\", "\\.", "\t", "\n", "\r\n", "\\n", "\v\f\b", ""])
rows = st.lists(st.lists(st.none() | hostile | text, min_size=2, max_size=2), max_size=8)


@given(rows)
def test_what_is_written_is_read(given_rows: list[list[str | None]]) -> None:
    assert parse(dump(given_rows).decode().split("\n")[:-1]) == given_rows


def test_the_form_is_postgresqls_own(fresh_db: str) -> None:
    with open_database(fresh_db, read_only=False) as connection:
        connection.execute("CREATE TABLE t (n serial, a text, b text)")

        @settings(max_examples=40, deadline=None)
        @given(rows)
        def check(given_rows: list[list[str | None]]) -> None:
            connection.execute("TRUNCATE t")
            with connection.cursor() as cursor, cursor.copy("COPY t (a, b) FROM STDIN") as copy:
                copy.write(dump(given_rows))
            query = sql.SQL("COPY (SELECT a, b FROM t ORDER BY n) TO STDOUT").format()
            assert copy_rows(connection, query) == given_rows

        check()


def test_bytes_that_are_no_utf_8_come_as_lone_surrogates(fresh_db: str) -> None:
    with open_database(fresh_db) as connection:
        connection.execute("SET client_encoding = SQL_ASCII")
        query = sql.SQL(
            r"COPY (SELECT convert_from('\x61ff'::bytea, 'LATIN1')) TO STDOUT"
        ).format()
        connection.execute("SET client_encoding = LATIN1")
        assert copy_rows(connection, query) == [["a\udcff"]]
