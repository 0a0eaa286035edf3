"""What goes by default of each library, on tables that the library itself made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.core.errors import UsageError
from phases import p4_remove
from tests.parts.django_site import OWN_MODEL, DjangoSite
from tests.phases.removal import make_site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.phases.removal import Site

LARAVEL = 'kind = "laravel"\n'
DJANGO = 'kind = "django"\nusers_table = "people_customer"\ncolumns = { email = "mail" }\n'
# As better-auth's documentation gives it for PostgreSQL, with its plugin for two factors.
BETTER_AUTH = """
CREATE TABLE "user" (id text PRIMARY KEY, email text UNIQUE, name text, "twoFactorEnabled" boolean);
CREATE TABLE account (id text PRIMARY KEY, "userId" text REFERENCES "user" ON DELETE CASCADE, password text);
CREATE TABLE session (id text PRIMARY KEY, "userId" text REFERENCES "user" ON DELETE CASCADE, token text UNIQUE);
CREATE TABLE verification (id text PRIMARY KEY, identifier text, value text, "expiresAt" timestamptz);
CREATE TABLE "twoFactor" (id text PRIMARY KEY, secret text, "userId" text REFERENCES "user");
CREATE TABLE invoice (id text PRIMARY KEY, "userId" text REFERENCES "user");
INSERT INTO "user" VALUES ('a', 'a@example.org', 'A', true);
INSERT INTO account VALUES ('1', 'a', 'hash');
INSERT INTO session VALUES ('2', 'a', 'token');
INSERT INTO "twoFactor" VALUES ('3', 'secret', 'a');
"""


def tables(site: Site) -> set[str]:
    return set(
        site.sql("SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'")
    )


def columns(site: Site, table: str) -> set[str]:
    query = "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    return set(site.sql(query + " AND NOT attisdropped", f'public."{table}"'))


def there_and_back(site: Site, table: str) -> tuple[set[str], set[str]]:
    """Remove everything and bring it back; give what was gone meanwhile: tables and columns."""
    before = tables(site), columns(site, table)
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    gone = before[0] - tables(site), before[1] - columns(site, table)
    assert p4_remove.rollback(site.ctx).differences == ()
    assert (tables(site), columns(site, table)) == before
    return gone


def test_laravel(tmp_path: Path, laravel_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(
        tmp_path, laravel_db, monkeypatch, tables="usual", columns="usual", legacy=LARAVEL
    )
    second_factor = {"two_factor_secret", "two_factor_recovery_codes", "two_factor_confirmed_at"}
    assert there_and_back(site, "users") == (
        {"password_resets"},
        {"password", "remember_token", *second_factor} & columns(site, "users"),
    )


def test_django(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    DjangoSite(fresh_db, OWN_MODEL).make()
    site = make_site(
        tmp_path, fresh_db, monkeypatch, tables="usual", columns="usual", legacy=DJANGO
    )
    assert there_and_back(site, "people_customer") == (set(), {"password", "last_login"})
    assert "`password = None`" in p4_remove.plan(site.ctx).notes[0]


def test_better_auth(tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(fresh_db) as connection:
        connection.execute(BETTER_AUTH)
    legacy = 'users_table = "user"\n'
    site = make_site(
        tmp_path, fresh_db, monkeypatch, tables="better-auth", columns="better-auth", legacy=legacy
    )
    assert there_and_back(site, "user") == (
        {"account", "session", "verification", "twoFactor"},
        {"twoFactorEnabled"},
    )
    legacy += 'sessions_table = "session"\n'
    site = make_site(
        tmp_path, fresh_db, monkeypatch, tables="better-auth", columns="better-auth", legacy=legacy
    )
    assert "public.session" not in p4_remove.plan(site.ctx).tables
    site = make_site(tmp_path, fresh_db, monkeypatch, tables=("session",), legacy=legacy)
    with pytest.raises(UsageError, match="is the session table"):
        p4_remove.plan(site.ctx)


def test_who_uses_another_source_lists_what_goes(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    legacy = 'kind = "loaded"\nusers_table = "users"\n'
    options = {"tables": "usual", "columns": "usual", "legacy": legacy}
    site = make_site(tmp_path, devise_db, monkeypatch, **options)
    with pytest.raises(UsageError, match="nothing is listed"):
        p4_remove.plan(site.ctx)
