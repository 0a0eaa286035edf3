from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
import pytest

from migrator.config.model import LegacySection
from migrator.core.errors import RefusedError, UsageError
from migrator.legacy.asking import Questions
from migrator.legacy.connect import open_database
from migrator.legacy.devise import open_devise
from migrator.legacy.findings import OddTimes, States
from migrator.legacy.survey import survey
from tests.legacy.surveying import NOW, UNLOCK_IN, categories, oracle, surveyed

BARE_USERS = """
CREATE TABLE users (id {key} PRIMARY KEY, email text, encrypted_password text)
"""


def execute(dsn: str, *statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def reader(fresh_db: str) -> tuple[str, str]:
    """The DSNs of an owner and of a role that may do nothing yet; the role goes with the server."""
    name = fresh_db.rpartition("/")[2] + "_reader"
    execute(fresh_db, f"CREATE ROLE {name} LOGIN PASSWORD 'reading'")
    address = fresh_db.rpartition("@")[2]
    return fresh_db, f"postgresql://{name}:reading@{address}"


def expected_states() -> States:
    """What the oracle's categories and Devise's own answers say."""
    count, rows = categories(), oracle()
    active = [row for row in rows if row["devise_active"] == "true"]
    passwordless = count["omniauth_only"] + count["null_password"]
    return States(
        users=600,
        active=len(active),
        unconfirmed=count["unconfirmed"],
        pending_email_change=count["pending_reconfirmation"],
        locked_now=count["locked_now"],
        lock_expired=count["lock_expired"],
        soft_deleted=count["soft_deleted"],
        second_factor=count["totp"],
        without_password=passwordless,
        active_with_password=len(active) - passwordless - count["totp"],
        remembered=count["reset_and_remember_tokens"],
        last_remembered=datetime.fromisoformat("2026-11-23T02:44:53.047669+00:00"),
    )


def test_counts_every_state_as_the_oracle_does(devise_db: str) -> None:
    assert surveyed(devise_db).states == expected_states()


def test_counts_the_same_on_postgresql_15(pg15_devise_db: str) -> None:
    found = surveyed(pg15_devise_db)
    assert found.states == expected_states()
    assert found.server.version_num // 10_000 == 15
    assert len(found.foreign_keys) == 11


def test_a_lock_without_unlock_in_never_ends(devise_db: str) -> None:
    states = surveyed(devise_db, unlock_in=None).states
    count = categories()
    assert states.locked_now == count["locked_now"] + count["lock_expired"]
    assert states.lock_expired == 0


def test_a_lock_ends_when_unlock_in_is_over(devise_db: str) -> None:
    assert surveyed(devise_db, now=NOW + timedelta(hours=1)).states.locked_now == 0


def test_lists_the_foreign_keys_with_what_a_delete_does(devise_db: str) -> None:
    found = {
        f"{key.table}.{'+'.join(key.columns)}": key.on_delete
        for key in surveyed(devise_db).foreign_keys
    }
    assert found == {
        "audit_logs.user_id": "RESTRICT",
        "comments.user_id": "SET NULL",
        "comments.moderated_by_id": "SET NULL",
        "identities.user_id": "CASCADE",
        "invoices.user_id": "NO ACTION",
        "memberships.invited_by_id": "NO ACTION",
        "memberships.user_id": "CASCADE",
        "notifications.user_id": "CASCADE",
        "orders.user_id": "RESTRICT",
        "posts.user_id": "CASCADE",
        "push_tokens.user_id": "CASCADE",
    }


def test_a_partial_index_does_not_count_as_one_for_a_foreign_key(devise_db: str) -> None:
    assert all(key.indexed for key in surveyed(devise_db).foreign_keys)
    execute(
        devise_db,
        "DROP INDEX index_orders_on_user_id",
        "CREATE INDEX part ON orders (user_id) WHERE user_id > 5",
    )
    bare = [key.table for key in surveyed(devise_db).foreign_keys if not key.indexed]
    assert bare == ["orders"]


def test_finds_references_that_no_foreign_key_guards(devise_db: str) -> None:
    execute(devise_db, "CREATE TABLE likes (user_id bigint, post_id bigint)")
    loose = [
        (one.table, one.column, one.polymorphic) for one in surveyed(devise_db).loose_references
    ]
    assert loose == [("likes", "user_id", False), ("notifications", "recipient_id", True)]


def test_counts_identities_by_provider_and_users_without_a_password(devise_db: str) -> None:
    found = surveyed(devise_db, identities_table="public.identities").identities
    assert found.by_provider == {"github": 18, "google_oauth2": 18, "facebook": 12}
    assert found.passwordless_linked == categories()["omniauth_only"]
    assert found.passwordless_alone == categories()["null_password"]
    assert found.suspects == ()


def test_names_an_identities_table_that_is_not_configured(devise_db: str) -> None:
    found = surveyed(devise_db).identities
    assert found.suspects == ("public.identities",)
    assert found.by_provider == {}


def test_counts_providers_in_the_users_table_itself(fresh_db: str) -> None:
    execute(
        fresh_db,
        BARE_USERS.format(key="bigint"),
        "ALTER TABLE users ADD provider text, ADD uid text",
        "INSERT INTO users VALUES (1, 'a', '', 'github', '7'), (2, 'b', '', NULL, NULL), (3, 'c', 'x', '', '')",
    )
    found = surveyed(fresh_db).identities
    assert found.by_provider == {"github": 1}
    assert (found.passwordless_linked, found.passwordless_alone) == (1, 1)


def test_infinite_times_are_counted_by_column(devise_db: str) -> None:
    execute(devise_db, "UPDATE users SET created_at = '275760-09-13' WHERE id = 1")
    assert surveyed(devise_db).odd_times == (
        OddTimes("created_at", infinite=0, out_of_range=1),
        OddTimes("updated_at", infinite=categories()["date_far_future"], out_of_range=0),
    )


def test_an_infinite_lock_holds_and_an_infinite_remember_date_is_no_horizon(fresh_db: str) -> None:
    execute(
        fresh_db,
        BARE_USERS.format(key="bigint"),
        "ALTER TABLE users ADD locked_at timestamp, ADD remember_created_at timestamp",
        "INSERT INTO users VALUES (1, 'a', 'x', 'infinity', 'infinity'), (2, 'b', 'x', '-infinity', '2026-01-01')",
    )
    states = surveyed(fresh_db).states
    assert (states.locked_now, states.lock_expired) == (1, 1)
    assert states.remembered == 2
    assert states.last_remembered == datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def test_without_devises_optional_columns_everybody_counts_as_active(fresh_db: str) -> None:
    execute(
        fresh_db,
        BARE_USERS.format(key="bigint"),
        "INSERT INTO users VALUES (9007199254740993, 'a@b.co', 'x'), (1, 'c@d.co', NULL)",
    )
    found = surveyed(fresh_db)
    assert (found.states.users, found.states.active, found.states.unconfirmed) == (2, 2, 0)
    assert found.states.without_password == 1
    assert found.modules == ("database_authenticatable",)
    assert found.key_range == ("1", "9007199254740993")
    assert found.sessions.fault == "there is no table public.sessions"


@pytest.mark.parametrize(("key", "value"), [("text", "'user-1'"), ("uuid", "gen_random_uuid()")])
def test_keys_of_other_types_are_named(fresh_db: str, key: str, value: str) -> None:
    execute(
        fresh_db, BARE_USERS.format(key=key), f"INSERT INTO users VALUES ({value}, 'a@b.co', 'x')"
    )
    found = surveyed(fresh_db)
    assert found.key_type == key
    assert found.key_range[0] == found.key_range[1] != ""


def test_an_empty_table_has_no_range_and_no_users(fresh_db: str) -> None:
    execute(fresh_db, BARE_USERS.format(key="bigint"))
    found = surveyed(fresh_db)
    assert found.states.users == 0
    assert found.key_range == ("", "")


def test_names_with_quotes_percent_signs_and_braces_are_only_names(fresh_db: str) -> None:
    execute(
        fresh_db,
        'CREATE SCHEMA "My {App}"',
        'CREATE TABLE "My {App}"."100%s ""users""" ("the %(id)s" bigint PRIMARY KEY, "e{}mail" text,'
        ' encrypted_password text, "locked;--" timestamptz)',
        'INSERT INTO "My {App}"."100%s ""users"""'
        " VALUES (7, 'a@b.co', 'x', now() - interval '1 year')",
    )
    found = surveyed(
        fresh_db,
        users_table='My {App}.100%s "users"',
        columns={"email": "e{}mail", "locked_at": "locked;--"},
        unlock_in=None,
    )
    assert found.states.users == 1
    assert found.states.locked_now == 1
    assert found.key_range == ("7", "7")


def test_a_column_that_holds_no_time_is_refused_by_name(fresh_db: str) -> None:
    execute(fresh_db, BARE_USERS.format(key="bigint"), "ALTER TABLE users ADD locked_at boolean")
    with pytest.raises(UsageError, match=r"users\.locked_at is boolean, not a time"):
        surveyed(fresh_db)
    assert surveyed(fresh_db, columns={"locked_at": ""}).states.locked_now == 0


def test_a_second_factor_in_a_column_of_another_type_counts_when_it_is_set(fresh_db: str) -> None:
    execute(
        fresh_db,
        BARE_USERS.format(key="bigint"),
        "ALTER TABLE users ADD otp_secret text",
        "INSERT INTO users VALUES (1, 'a', 'x', 'SECRET'), (2, 'b', 'x', NULL)",
    )
    found = surveyed(fresh_db, columns={"otp_required_for_login": "otp_secret"})
    assert found.states.second_factor == 1


def test_a_missing_column_is_refused_with_what_there_is(fresh_db: str) -> None:
    execute(fresh_db, "CREATE TABLE users (id bigint PRIMARY KEY, mail text, digest text)")
    with pytest.raises(UsageError, match="it has: id, mail, digest"):
        surveyed(fresh_db)


def test_sessions_are_counted_with_their_age(devise_db: str) -> None:
    execute(
        devise_db,
        "INSERT INTO sessions SELECT n, '2::' || n, 'x', '2026-11-01', timestamp '2026-11-01' + n * interval '1 day'"
        " FROM generate_series(1, 5) n",
    )
    sessions = surveyed(devise_db).sessions
    assert (sessions.rows, sessions.fault) == (5, "")
    assert sessions.newest is not None
    assert sessions.newest.day == 6


def test_a_session_table_of_another_form_is_said_to_be_uncountable(devise_db: str) -> None:
    execute(devise_db, "ALTER TABLE sessions RENAME updated_at TO touched_at")
    sessions = surveyed(devise_db).sessions
    assert sessions.fault == "public.sessions has no column updated_at"
    assert sessions.rows is None


def test_cookie_sessions_have_no_rows(devise_db: str) -> None:
    sessions = surveyed(devise_db, session_store="cookie").sessions
    assert (sessions.store, sessions.rows, sessions.table) == ("cookie", None, "")


def test_a_role_that_may_not_read_users_gets_the_grant_it_needs(reader: tuple[str, str]) -> None:
    owner, dsn = reader
    execute(owner, BARE_USERS.format(key="bigint"))
    with pytest.raises(RefusedError, match=r"may not read public\.users") as caught:
        surveyed(dsn)
    grant = caught.value.hint.partition(";")[0]
    execute(owner, grant)
    assert surveyed(dsn).states.users == 0


def test_a_role_that_may_not_use_the_schema_gets_the_grant_it_needs(
    reader: tuple[str, str],
) -> None:
    owner, dsn = reader
    execute(
        owner, "CREATE SCHEMA app", BARE_USERS.format(key="bigint").replace("users", "app.users")
    )
    with pytest.raises(RefusedError, match="may not use the schema app") as caught:
        surveyed(dsn, users_table="app.users")
    assert caught.value.hint.startswith('GRANT USAGE ON SCHEMA "app"')


def test_rights_for_later_phases_are_told(reader: tuple[str, str]) -> None:
    owner, dsn = reader
    role = dsn.removeprefix("postgresql://").partition(":")[0]
    execute(
        owner,
        BARE_USERS.format(key="bigint"),
        "ALTER TABLE users ADD reset_password_token text",
        f"GRANT SELECT (id, email, encrypted_password) ON users TO {role}",
    )
    found = surveyed(dsn)
    assert found.unreadable_columns == ("reset_password_token",)
    assert not found.relation.owned
    assert not found.relation.schema_creatable
    assert not found.server.sees_all_activity
    assert surveyed(owner).relation.owned


def test_rows_that_a_policy_may_hide_are_told(reader: tuple[str, str]) -> None:
    owner, dsn = reader
    role = dsn.removeprefix("postgresql://").partition(":")[0]
    execute(
        owner,
        BARE_USERS.format(key="bigint"),
        "INSERT INTO users VALUES (1, 'a@b.co', 'x')",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        f"GRANT SELECT ON users TO {role}",
    )
    found = surveyed(dsn)
    assert found.relation.rows_hidden
    assert found.states.users == 0
    assert not surveyed(owner).relation.rows_hidden


def test_open_transactions_of_others_are_seen_with_their_age(devise_db: str) -> None:
    with psycopg.connect(devise_db) as other, open_database(devise_db) as connection:
        ask = Questions(connection)
        assert ask.row("long_transactions", {"longer_than_s": 0})["count"] == 0
        other.execute("SELECT 1")
        found = ask.row("long_transactions", {"longer_than_s": 0})
        assert found["count"] == 1
        assert 0 < found["oldest_s"] < 60
        assert ask.row("long_transactions", {"longer_than_s": 300})["count"] == 0


def test_tables_of_other_bearers_are_named(devise_db: str) -> None:
    execute(devise_db, "CREATE TABLE oauth_access_tokens (id int)")
    assert surveyed(devise_db).bearer_tables == ("public.oauth_access_tokens",)


def test_the_identity_table_is_seen_once_it_is_there(devise_db: str) -> None:
    assert surveyed(devise_db).identity_table is None
    execute(devise_db, "CREATE TABLE migrator_identity (source text)")
    found = surveyed(devise_db).identity_table
    assert found is not None
    assert found.writable


def test_a_survey_can_write_nothing_and_gives_up_on_slow_statements(devise_db: str) -> None:
    legacy = LegacySection.model_validate({"dsn": "env:UNUSED"})
    with open_devise(devise_db, legacy) as source, open_database(devise_db) as connection:
        survey(connection, legacy, source=source, unlock_in=UNLOCK_IN, now=NOW)
        timeout = connection.execute("SHOW statement_timeout").fetchone()
        assert timeout == ("1min",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("UPDATE users SET name = ''")
