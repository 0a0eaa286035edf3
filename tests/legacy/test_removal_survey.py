"""What surrounds a removal, as the catalog of a real PostgreSQL tells it."""

from __future__ import annotations

import secrets

import psycopg

from migrator.core.access import Bystander
from migrator.legacy.removal_survey import read_access, read_bystanders


def test_what_else_touches_the_database_is_told(fresh_db: str) -> None:
    slot = f"slot_{secrets.token_hex(4)}"
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        connection.execute(
            b"CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"
        )
        connection.execute(b"CREATE EVENT TRIGGER guards ON sql_drop EXECUTE FUNCTION watch()")
        connection.execute(b"CREATE PUBLICATION everything FOR ALL TABLES")
        connection.execute(b"CREATE PUBLICATION several FOR TABLES IN SCHEMA public")
        connection.execute("SELECT pg_create_physical_replication_slot(%s)", [slot])
        try:
            found = read_bystanders(connection)
        finally:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
    assert Bystander("event trigger", "guards", "runs at sql_drop") in found
    assert Bystander("publication", "everything", "of all tables") in found
    assert Bystander("publication", "several", "of the tables of a schema") in found
    (told,) = (b for b in found if b.name == slot)
    assert told.kind == "replication slot"
    assert told.detail == "physical, not active: it keeps WAL and the secrets in it"


def test_a_role_that_is_not_there_is_told_as_one(fresh_db: str) -> None:
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        found = read_access(
            connection, (), application_roles=("postgres", "nobody there"), guard_role="no guard"
        )
    assert [(role.name, role.exists, role.superuser) for role in found.roles] == [
        ("nobody there", False, False),
        ("postgres", True, True),
    ]
    assert (found.acting, found.superuser, found.guard_role_exists) == ("postgres", True, False)
