"""Users through the operator's own SELECT: the same users, or a message that names the column."""

from __future__ import annotations

from importlib.resources import files

import pytest

from migrator.config.model import LegacySection
from migrator.core.errors import DependencyError, UsageError
from migrator.legacy.query import COLUMNS
from migrator.legacy.sources import SOURCES, open_source
from tests.legacy.test_devise import section, sql

PEOPLE = """
CREATE TABLE people (nr bigint PRIMARY KEY, mail text, hash text, extra jsonb, at timestamptz,
  ok boolean, gone boolean)
"""
SELECT = """
SELECT nr AS id, mail AS email, hash AS password, 's' || nr AS salt, extra->>'name' AS name,
  at AS created_at, ok AS verified, gone AS deleted_at, nr = 3 AS second_factor,
  'github' AS provider, nr AS uid, ARRAY['a', 'b%{c}'] AS roles
FROM people WHERE mail NOT LIKE '%@nobody.{x}' -- a comment at the end
"""


def of(query: str, **more: object) -> LegacySection:
    return section(kind="sql", query={"users": query, **more})


def test_the_same_users_come_as_from_a_table(fresh_db: str) -> None:
    sql(fresh_db, PEOPLE)
    for nr in range(1, 6):
        values = (nr, f"p{nr}@x.org", "h", '{"name": "Ada"}', "1970-01-01T00:00:01Z")
        flags = (nr != 2, nr == 4)
        sql(fresh_db, "INSERT INTO people VALUES (%s, %s, %s, %s, %s, %s, %s)", *values, *flags)
    with open_source(fresh_db, of(SELECT + ";\n")) as source:
        found = {u.pk: u for page in source.pages(rows=2) for u in page.users}
        assert source.integer_keys
        assert source.estimated_users() == 5
        assert [user.pk for user in source.users(["5", "9", "x", "3"])] == ["3", "5"]
        assert source.contested_identities() == frozenset()
        assert not source.email_judge(["p1@x.org"]).loses("1", "p1@x.org", "p1@x.org")
    assert sorted(found) == ["1", "2", "3", "4", "5"]
    one = found["1"]
    assert (one.email, one.password, one.salt, one.name) == ("p1@x.org", "h", "s1", "Ada")
    assert (one.created_ms, one.confirmed_ms, one.deleted_ms) == (1000, 0, None)
    assert (one.identities[0].uid, one.roles, one.second_factor) == ("1", ("a", "b%{c}"), False)
    assert (found["2"].confirmed_ms, found["4"].deleted_ms) == (None, 0)
    assert found["3"].second_factor


def test_identities_come_from_a_select_of_their_own(fresh_db: str) -> None:
    sql(fresh_db, "CREATE TABLE people (id uuid PRIMARY KEY, email text, password text)")
    key = "00000001-0000-4000-8000-000000000000"
    sql(fresh_db, "INSERT INTO people VALUES (%s, 'a@x.org', 'h')", key)
    links = f"SELECT '{key}'::uuid AS user_id, 'github' AS provider, 7 AS uid"
    with open_source(fresh_db, of("SELECT * FROM people", identities=links)) as source:
        (user,) = source.page_after(None, rows=5).users
        assert source.users([key, "no uuid"]) == (user,)
    assert [(i.provider, i.uid) for i in user.identities] == [("github", "7")]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 AS id, 'x' AS email", r"legacy\.query\.users gives no column password"),
        ("SELECT 1 AS id, 'x' AS email, 'h' AS pass", "gives pass, which is no column"),
        ("SELECT 1 AS id, 2 AS email, 'h' AS password", "email is integer; it has to be"),
        ("SELECT 1.5 AS id, 'x' AS email, 'h' AS password", "id is numeric; it has to be"),
        ("SELECT 1 AS id, 'x' AS email, 'h' AS password, 5 AS created_at",
         "created_at is integer; it has to be date or timestamp"),
        ("SELECT 1 AS id, 'x' AS email, 'h' AS password, true AS locked_at", "locked_at is boolean"),
        ("SELECT 1 AS id, 'x' AS email, 'h' AS password, 'y' AS email", "gives email twice"),
        ("SELECT 1 AS id, 'x' AS email, 'h' AS password, true AS verified, now() AS confirmed_at",
         "both verified and confirmed_at"),
        ("SELECT id FROM gone", 'relation "gone" does not exist'),
        ("SELECT 1 AS id; DROP TABLE users", "syntax error"),
        ("SELECT n % 2 AS id, 'x' AS email, 'h' AS password FROM generate_series(1, 4) AS s (n)",
         "these ids are NULL or occur more than once: 0, 1"),
        ("SELECT NULL::int AS id, 'x' AS email, 'h' AS password", "more than once: NULL"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(fresh_db: str, query: str, message: str) -> None:
    with pytest.raises(UsageError, match=message), open_source(fresh_db, of(query)):
        pass


def test_a_select_cannot_write(fresh_db: str) -> None:
    sql(fresh_db, "CREATE TABLE kept (n int)")
    sql(
        fresh_db,
        "CREATE FUNCTION sly() RETURNS int LANGUAGE sql AS 'INSERT INTO kept VALUES (1) RETURNING 1'",
    )
    query = "SELECT sly() AS id, 'x'::text AS email, 'h'::text AS password"
    with (
        pytest.raises((DependencyError, UsageError), match="read-only"),
        open_source(fresh_db, of(query)) as source,
    ):
        source.page_after(None, rows=1)


def test_the_configuration_and_the_registry_name_the_same_kinds() -> None:
    kinds = LegacySection.model_fields["kind"].annotation
    assert set(kinds.__args__) == set(SOURCES)  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="goes with a SELECT"):
        section(kind="sql")
    with pytest.raises(ValueError, match="goes with a SELECT"):
        section(query={"users": "SELECT 1"})


def test_every_column_that_may_be_given_is_written_in_the_template() -> None:
    text = (files("migrator.config") / "template.toml").read_text()
    assert [name for name in COLUMNS if name not in text] == []
