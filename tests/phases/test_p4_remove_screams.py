"""Phase 4 takes tables away from the application's role and hears who misses them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import HeldError, RefusedError
from migrator.core.sql import ident
from migrator.metrics.measures import MEASURES, Terms
from migrator.runner.gating.looking import look
from migrator.runner.listening import screams
from migrator.sqlgen import steps
from phases import p4_remove
from tests.phases.removal import Site, make_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

PRIVILEGES = """SELECT array_agg(ARRAY[c.relname, pg_get_userbyid(c.relowner), {acl}::text,
  (SELECT string_agg(a.attacl::text, ' ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid)] ORDER BY c.relname)
FROM pg_class c WHERE c.relname ~ '^(identities|push_tokens)'"""
EXACT = PRIVILEGES.format(acl="c.relacl")
# A list that was not there and the one that stands for it give the same rights.
EQUIVALENT = PRIVILEGES.format(
    acl="coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END, c.relowner))"
)


TERMS = Terms(expected=1, within=timedelta(minutes=1), control=True, base=None)


@pytest.fixture
def roles(postgres: PostgresServer) -> Iterator[tuple[str, str, str]]:
    """An application's role, one that reports, and one that guards."""
    names = tuple(f"{name} {secrets.token_hex(4)}" for name in ("shop", "report", "guard"))
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        for name in names:
            connection.execute(f"CREATE ROLE {ident(name)}".encode())
    yield names[0], names[1], names[2]
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        for name in names:
            connection.execute(f"DROP ROLE {ident(name)}".encode())


def listening(postgres: PostgresServer, roles: tuple[str, str, str], *, window: str) -> str:
    """Lines of [remove] with which the scream window proves something."""
    return f"""
application_roles = ['{roles[0]}']
guard_role = '{roles[2]}'
server_log = '{postgres.directory / "log"}'
scream_window = "{window}"
"""


@pytest.fixture
def site(
    postgres: PostgresServer,
    devise_db: str,
    roles: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """The application's role owns one table, and uses the other among others."""
    shop, report, guard = map(ident, roles)
    rules = listening(postgres, roles, window="1h")
    found = make_site(tmp_path, devise_db, monkeypatch, rules=rules)
    for statement in (
        "ALTER TABLE identities ADD FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE",
        f"ALTER TABLE identities OWNER TO {shop}",
        f"GRANT SELECT ON identities TO {report}",
        f"GRANT SELECT, DELETE ON users, audit_logs TO {shop}",
        f"GRANT UPDATE ON push_tokens TO {report}",
        f"GRANT SELECT, INSERT ON push_tokens TO {shop} WITH GRANT OPTION",
        "GRANT SELECT ON push_tokens TO PUBLIC",
        f"GRANT UPDATE (id) ON push_tokens TO {shop}, {report}",
        f"GRANT USAGE ON SEQUENCE push_tokens_id_seq TO {shop}, {report}",
    ):
        found.sql(statement)
    yield found
    for name in (shop, report, guard):
        found.sql(f"DROP OWNED BY {name} CASCADE")


def as_role(site: Site, role: str, statement: str) -> None:
    with psycopg.connect(site.dsn, autocommit=True, application_name="nightly") as connection:
        connection.execute(f"SET ROLE {ident(role)}".encode())
        connection.execute(statement.encode())


def test_the_application_loses_its_own_table_too_and_gets_it_back_as_it_was(
    site: Site, roles: tuple[str, str, str]
) -> None:
    shop, report, guard = roles
    dump, privileges = site.dump(), site.sql(EXACT)
    made = p4_remove.plan(site.ctx)
    assert made.unproven == ()
    assert "public.push_tokens is taken from PUBLIC too" in made.notes[-1]
    p4_remove.run(site.ctx, steps.REVOKE)
    assert p4_remove.verify(site.ctx)[-1] == steps.REVOKE
    for table in ("identities", "push_tokens"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(site, shop, f"SELECT FROM {table}")
    assert site.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'identities'") == guard
    as_role(site, report, "SELECT FROM identities")
    with psycopg.connect(site.dsn) as connection:
        connection.execute(
            "INSERT INTO users (id, email, created_at, updated_at) VALUES (9001, 'n', now(), now())"
        )
        connection.execute(
            "INSERT INTO identities (id, user_id, provider, uid, created_at, updated_at) VALUES (9001, 9001, 'p', 'u', now(), now())"
        )
        connection.execute(f"SET ROLE {ident(shop)}".encode())
        connection.execute("DELETE FROM users WHERE id = 9001")
        connection.execute("RESET ROLE")
        gone = connection.execute(
            "SELECT count(*) FROM identities WHERE user_id = 9001"
        ).fetchone()
        connection.rollback()
    assert gone == (0,)
    p4_remove.rollback(site.ctx)
    assert site.sql(EXACT) == privileges
    assert site.dump() == dump


def hour_is_over(site: Site) -> None:
    site.sql("UPDATE migrator_guard.scream SET opened_at = opened_at - interval '1 hour'")


def test_a_quiet_window_passes_when_it_is_over_and_a_reverted_purge_gives_nothing_back(
    site: Site,
) -> None:
    p4_remove.plan(site.ctx)
    with pytest.raises(HeldError, match="the scream window runs until"):
        p4_remove.run(site.ctx)
    privileges = site.sql(EQUIVALENT)
    hour_is_over(site)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    # By hand nobody looked; and up to the purge somebody may come too late.
    site.sql("UPDATE migrator_guard.scream SET looked_at = now() - interval '16 minutes'")
    with pytest.raises(psycopg.Error, match="nobody looked for refused statements"):
        site.sql("SELECT migrator_guard.nobody_screamed('1 hour')")
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    found = p4_remove.status(site.ctx).scream
    assert found is not None
    assert (found.refusals, found.control_counted, found.unproven) == (0, True, "")
    p4_remove.rollback(site.ctx, steps.SCREAM_WINDOW)
    assert site.sql(EQUIVALENT) == privileges


def test_whoever_is_refused_is_heard_by_name_and_the_window_begins_anew(
    site: Site, roles: tuple[str, str, str]
) -> None:
    p4_remove.plan(site.ctx)
    with pytest.raises(HeldError, match="the scream window runs until"):
        p4_remove.run(site.ctx)
    for statement in (
        "SELECT FROM identities",
        "SELECT FROM nowhere",
        "SELECT encrypted_passwor FROM users",
    ):
        with pytest.raises(psycopg.Error):
            as_role(site, roles[0], statement)
    hour_is_over(site)
    with pytest.raises(RefusedError, match="1 statements were refused") as caught:
        p4_remove.run(site.ctx)
    assert "migrator remove revert --to 03_revoke" in caught.value.hint
    assert p4_remove.status(site.ctx).refused == {"postgres (nightly): 42501": 1}
    reading = MEASURES["refused_reads"].read(look(site.ctx, {"refusals"}), TERMS)
    assert (reading.value, reading.doubts) == (1.0, ())
    p4_remove.rollback(site.ctx, steps.REVOKE)
    unheard = MEASURES["refused_reads"].read(look(site.ctx, {"refusals"}), TERMS)
    assert (unheard.value, [doubt.grade for doubt in unheard.doubts]) == (None, ["NO_DATA"])
    with pytest.raises(HeldError, match="the scream window runs until"):
        p4_remove.run(site.ctx)
    assert p4_remove.status(site.ctx).refused == {}


def test_a_control_that_is_not_found_in_the_log_leaves_the_window_unproven(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.REVOKE)
    silent = site.root / "another.log"
    silent.write_text("")
    remove = site.ctx.config.remove.model_copy(update={"server_log": str(silent)})
    deaf = replace(site.ctx, config=site.ctx.config.model_copy(update={"remove": remove}))
    monkeypatch.setattr(screams, "_TRIES", 2)
    with pytest.raises(HeldError, match="UNPROVEN: a refusal that was planted was not found"):
        p4_remove.run(deaf)


def test_without_a_guard_role_or_a_log_the_window_is_unproven_in_words_and_holds(
    devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "application_roles = ['postgres', 'nobody there']"
    site = make_site(
        tmp_path,
        devise_db,
        monkeypatch,
        rules=rules,
        acknowledged=("lockout", "second_factors", "code_first"),
    )
    made = p4_remove.plan(site.ctx)
    for words in (
        "public.identities: postgres is a superuser: a revoke does nothing to it",
        "public.identities: there is no role nobody there",
        'CREATE ROLE "migrator_guard_owner" NOLOGIN',
        "[remove] server_log names no file",
    ):
        assert any(words in reason for reason in made.unproven), words
    with pytest.raises(HeldError, match=r"UNPROVEN: public\.identities") as caught:
        p4_remove.run(site.ctx)
    assert 'acknowledged = ["scream_window"]' in caught.value.hint


@pytest.fixture
def deployer(
    postgres: PostgresServer, fresh_db: str, roles: tuple[str, str, str]
) -> Iterator[str]:
    """The DSN of a role that is no superuser, in a database where the application owns everything."""
    shop, _, guard = map(ident, roles)
    name, password = f"deployer_{secrets.token_hex(4)}", secrets.token_hex(8)
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {shop}, {guard}",
            f'GRANT CREATE ON DATABASE "{connection.info.dbname}" TO {name}',
            f"GRANT USAGE, CREATE ON SCHEMA public TO {shop}, {guard}",
            f"SET ROLE {shop}",
            "CREATE TABLE users (id int PRIMARY KEY, email text)",
            "CREATE TABLE identities (id serial PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE)",
            "INSERT INTO users VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO identities (user_id) VALUES (1), (2)",
        ):
            connection.execute(statement.encode())
    yield fresh_db.replace(f"postgres:{postgres.password}@", f"{name}:{password}@")
    with psycopg.connect(fresh_db, autocommit=True) as connection:
        for owner in (name, shop, guard):
            connection.execute(f"DROP OWNED BY {owner} CASCADE".encode())
        connection.execute(f"DROP ROLE {name}".encode())


def test_a_role_that_is_no_superuser_can_do_all_of_it_and_take_it_back(
    deployer: str,
    fresh_db: str,
    postgres: PostgresServer,
    roles: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = listening(postgres, roles, window="0s")
    site = make_site(
        tmp_path, deployer, monkeypatch, tables=("public.identities",), columns=(), rules=rules
    )
    before, privileges = replace(site, dsn=fresh_db).dump(), site.sql(EXACT)
    assert p4_remove.plan(site.ctx).unproven == ()
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    p4_remove.rollback(site.ctx)
    assert replace(site, dsn=fresh_db).dump() == before
    assert site.sql(EXACT) == privileges
    p4_remove.run(site.ctx)
    moved = p4_remove.rollback(site.ctx)
    assert (moved.differences, moved.orphans) == ((), ())
    assert replace(site, dsn=fresh_db).dump() == before


@pytest.fixture
def columns_only(
    postgres: PostgresServer, devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """No tables go: the columns have a window of their own."""
    rules = f'server_log = \'{postgres.directory / "log"}\'\nscream_window = "1h"\nerase = "null"'
    accepted = ("lockout", "second_factors", "code_first")
    return make_site(
        tmp_path / "columns", devise_db, monkeypatch, tables=(), rules=rules, acknowledged=accepted
    )


def test_columns_that_go_alone_wait_for_a_quiet_window_since_their_rename(
    columns_only: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = columns_only
    assert p4_remove.plan(site.ctx).unproven == ()
    with pytest.raises(HeldError, match="the scream window runs until"):
        p4_remove.run(site.ctx)
    assert p4_remove.status(site.ctx).steps[steps.WRITE_BLOCK_COLUMNS] == "applied"
    hour_is_over(site)
    for statement, error in (
        ("SELECT encrypted_password FROM users", psycopg.errors.UndefinedColumn),
        ("SELECT encrypted_passwor FROM users", psycopg.errors.UndefinedColumn),
    ):
        with pytest.raises(error):
            site.sql(statement)
    with pytest.raises(RefusedError, match="1 statements were refused") as caught:
        p4_remove.run(site.ctx)
    assert f"migrator remove revert --to {steps.LOOSEN_COLUMNS}" in caught.value.hint
    p4_remove.rollback(site.ctx, steps.LOOSEN_COLUMNS)
    with pytest.raises(HeldError, match="the scream window runs until"):
        p4_remove.run(site.ctx)
    hour_is_over(site)
    # Of what is planted a column that is not there has to be found too.
    plant = screams.plant
    with monkeypatch.context() as patch:
        patch.setattr(screams, "_TRIES", 2)
        patch.setattr(screams, "plant", lambda on, table, _column: plant(on, table, table))
        with pytest.raises(HeldError, match="UNPROVEN: a refusal that was planted was not found"):
            p4_remove.run(site.ctx)
    p4_remove.run(site.ctx)
    assert p4_remove.verify(site.ctx) == (steps.FINALIZE,)


def test_without_a_log_columns_that_go_alone_are_not_renamed_unless_that_is_acknowledged(
    devise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = ("lockout", "second_factors", "code_first")
    site = make_site(tmp_path / "deaf", devise_db, monkeypatch, tables=(), acknowledged=accepted)
    (note,) = (n for n in p4_remove.plan(site.ctx).notes if "UNPROVEN" in n)
    assert "step 11_quarantine_columns will hold" in note
    with pytest.raises(HeldError, match=r"UNPROVEN: .*server_log names no file"):
        p4_remove.run(site.ctx)
    assert site.sql("SELECT count(encrypted_password) > 0 FROM users")
