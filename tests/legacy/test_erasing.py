"""Before rows go, the foreign keys that hold others to them are counted as PostgreSQL itself would act on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.legacy.erasing import Archived, Erasing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from migrator.legacy.erasing import Key

SQL = """
CREATE SCHEMA "q 100%";
CREATE TABLE "q 100%"."team%s" (a varchar(5) COLLATE "C", "b"" c" bigint, code text UNIQUE, parent text, PRIMARY KEY (a, "b"" c"),
  CONSTRAINT to_itself FOREIGN KEY (parent) REFERENCES "q 100%"."team%s" (code) ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO "q 100%"."team%s" VALUES ('x', 1, 'root', 'root'), ('x', 2, 'leaf', 'root'), ('it''s', 3, '50%', NULL), ('y', 4, NULL, '50%');
CREATE TABLE player ("b"" c" int, a text, n int, CONSTRAINT by_key FOREIGN KEY (a, "b"" c") REFERENCES "q 100%"."team%s" ON DELETE CASCADE);
INSERT INTO player VALUES (1, 'x', 1), (1, 'x', 2), (2, 'x', 3), (NULL, 'x', 4), (3, 'it''s', 5);
CREATE TABLE season (y int, code text DEFAULT 'root' CONSTRAINT by_code REFERENCES "q 100%"."team%s" (code) ON DELETE SET DEFAULT) PARTITION BY RANGE (y);
CREATE TABLE season_1 PARTITION OF season FOR VALUES FROM (1) TO (2);
CREATE TABLE season_2 PARTITION OF season FOR VALUES FROM (2) TO (3);
INSERT INTO season VALUES (1, 'leaf'), (2, 'leaf'), (2, '50%');
CREATE TABLE fan (code text CONSTRAINT forbids REFERENCES "q 100%"."team%s" (code), hates text CONSTRAINT restricts REFERENCES "q 100%"."team%s" (code) ON DELETE RESTRICT);
INSERT INTO fan VALUES ('50%', 'leaf'), ('50%', NULL);
"""
TEAM = Archived(
    place=("q 100%", "team%s"),
    columns=("a", 'b" c', "code", "parent"),
    key=("a", 'b" c'),
    definitions=(
        ("a", "character varying(5)", "C"),
        ('b" c', "bigint", ""),
        ("code", "text", ""),
        ("parent", "text", ""),
    ),
)


@pytest.fixture
def connection(fresh_db: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(SQL.encode())
        yield connection


def counted(
    connection: Connection, column: str, *keys: Key, table: Archived = TEAM
) -> dict[str, tuple[str, int]]:
    ties = Erasing(connection, table, encoding="UTF8").tied(column, keys)
    return {tie.constraint: (tie.action, rows) for tie, rows in ties.items()}


@pytest.mark.parametrize(
    ("column", "keys", "held"),
    [
        ("", [("y", "4")], {}),
        ("", [("z", "9")], {}),
        (
            "",
            [("x", "1")],
            {"by_key": ("ON DELETE CASCADE", 2), "to_itself": ("ON DELETE SET NULL", 1)},
        ),
        (
            "code",
            [("leaf",)],
            {
                "by_code": ("ON DELETE SET DEFAULT", 2),
                "by_key": ("ON DELETE CASCADE", 1),
                "restricts": ("ON DELETE RESTRICT", 1),
            },
        ),
        (
            "",
            [("it's", "3")],
            {
                "by_code": ("ON DELETE SET DEFAULT", 1),
                "by_key": ("ON DELETE CASCADE", 1),
                "forbids": ("ON DELETE NO ACTION", 2),
                "to_itself": ("ON DELETE SET NULL", 1),
            },
        ),
        # What is itself to go holds nothing.
        (
            "parent",
            [("root",)],
            {
                "by_code": ("ON DELETE SET DEFAULT", 2),
                "by_key": ("ON DELETE CASCADE", 3),
                "restricts": ("ON DELETE RESTRICT", 1),
            },
        ),
    ],
)
def test_each_key_is_counted_with_what_it_does(
    connection: Connection,
    column: str,
    keys: Sequence[Key],
    held: dict[str, tuple[str, int]],
) -> None:
    assert counted(connection, column, *keys) == held


def test_where_the_row_stays_only_keys_to_what_is_blanked_count(connection: Connection) -> None:
    blanked = Archived(
        **{**vars(TEAM), "hashes": "migrator_guard.hashes", "blanks": (("code", "NULL"),)}
    )
    found = counted(connection, "", ("x", "1"), table=blanked)
    assert found == {"to_itself": ("ON UPDATE CASCADE", 1)}
    other = Archived(**{**vars(blanked), "blanks": (("parent", "NULL"),)})
    assert counted(connection, "", ("x", "1"), table=other) == {}
