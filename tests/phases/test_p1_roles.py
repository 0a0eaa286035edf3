"""Roles of the application at Auther: rolify's tables, an enum, a flag, an array."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrator.auther.mapping.roles import tuple_id
from migrator.auther.ways.sqlite import open_sqlite
from migrator.config.load import load
from migrator.core.clock import ManualClock
from migrator.core.errors import ConflictError, RefusedError, UsageError
from migrator.core.progress import Progress
from migrator.runner.context import make_context
from phases import p1_import
from tests.phases.importing import NOW, Site, make_site

if TYPE_CHECKING:
    from pathlib import Path

USERS = """
CREATE TABLE users (id bigint PRIMARY KEY, email text, encrypted_password text,
  confirmed_at timestamp DEFAULT '2020-01-01', role integer, admin boolean, tags text[]);
INSERT INTO users (id, email, role, admin, tags) VALUES
  (1, 'ada@x.org', 1, true, '{editor,"a,b"}'), (2, 'bob@x.org', 0, false, '{}'),
  (3, 'cid@x.org', NULL, NULL, NULL), (4, 'dan@x.org', 7, true, '{editor,editor}');
CREATE TABLE roles (id bigint PRIMARY KEY, name text, resource_type text, resource_id bigint);
CREATE TABLE users_roles (user_id bigint, role_id bigint);
INSERT INTO roles VALUES (1, 'editor', NULL, NULL), (2, 'moderator', 'Forum', 12),
  (3, 'moderator', 'Forum', NULL), (4, 'ghost', NULL, NULL);
INSERT INTO users_roles VALUES (1, 1), (1, 1), (1, 2), (2, 3), (4, 4), (9, 1);
"""
AUTHER = """
CREATE TABLE access_tuples (id text PRIMARY KEY NOT NULL, entity_type text NOT NULL,
  entity_type_id text, entity_id text NOT NULL, relation text NOT NULL, subject_type text NOT NULL,
  subject_id text NOT NULL, subject_relation text, condition text, created_at integer NOT NULL,
  updated_at integer NOT NULL);
CREATE TABLE authorization_models (id text PRIMARY KEY, entity_type text UNIQUE, definition text)
"""
KIND = "client_shop:forum"
GRANTS = f"""
[import.roles]
ignore = ["member"]
[[import.roles.grants]]
role = "editor"
entity_type = "{KIND}"
relation = "editor"
[[import.roles.grants]]
role = "moderator:Forum"
entity_type = "{KIND}"
entity_id = "{{id}}"
relation = "moderator"
[[import.roles.grants]]
role = "admin"
entity_type = "{KIND}"
relation = "owner"
"""
MODEL = {"relations": {"editor": [], "moderator": {"union": []}, "owner": []}, "permissions": {}}


def site_with(
    where: str, tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch, grants: str = GRANTS
) -> Site:
    """Make a site whose `[legacy.roles]` is `where`."""
    make_site(tmp_path, dsn, monkeypatch)
    file = tmp_path / "migrator.toml"
    text = file.read_text().replace("[auther]\n", f"[legacy.roles]\n{where}\n[auther]\n")
    file.write_text(text.replace("[stage]\n", f"{grants}[stage]\n"))
    return reopened(tmp_path, dsn)


def reopened(root: Path, dsn: str) -> Site:
    config = load(root / "migrator.toml")
    ctx = make_context(config, root=root, clock=ManualClock(NOW), progress=Progress())
    return Site(ctx, root, dsn)


def prepare(site: Site, model: object = MODEL) -> None:
    for statement in USERS.split(";\n")[:-1]:
        site.sql(statement)
    with open_sqlite(site.auther_db):
        pass
    for statement in AUTHER.split(";\n"):
        site.auther(statement)
    site.auther("INSERT INTO authorization_models VALUES ('m', ?, ?)", KIND, json.dumps(model))


def tuples(site: Site) -> set[tuple[str, str, str]]:
    """(legacy key, entity id, relation) of what was written."""
    owners = dict(site.sql("SELECT auther_id, user_pk FROM migrator_identity"))
    rows = site.auther("SELECT subject_id, entity_id, relation, id, created_at FROM access_tuples")
    assert all(row[3] == tuple_id(KIND, row[1], row[2], row[0]) for row in rows)
    assert all(1_700_000_000 < row[4] < 1_900_000_000 for row in rows)
    return {(owners[subject], thing, relation) for subject, thing, relation, *_ in rows}


@pytest.mark.parametrize(
    ("where", "written", "unknown"),
    [
        ('join_table = "public.users_roles"',
         {("1", "*", "editor"), ("1", "12", "moderator"), ("2", "*", "moderator")}, {"ghost": 1}),
        ('column = "role"\nnames = { 0 = "member", 1 = "editor" }', {("1", "*", "editor")}, {"7": 1}),
        ('column = "admin"', {("1", "*", "owner"), ("4", "*", "owner")}, {}),
        ('column = "tags"', {("1", "*", "editor"), ("4", "*", "editor")}, {"a,b": 1}),
    ],
)  # fmt: skip
def test_roles_arrive_once_and_go_with_their_users(
    where: str,
    written: set[tuple[str, str, str]],
    unknown: dict[str, int],
    tmp_path: Path,
    fresh_db: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = site_with(where, tmp_path, fresh_db, monkeypatch)
    prepare(site)
    outcome = p1_import.run(site.ctx)
    assert outcome.counts.unknown_roles == unknown
    assert tuples(site) == written
    assert {role for (role,) in site.auther('SELECT role FROM "user"')} == {"user"}
    p1_import.run(site.ctx)
    assert tuples(site) == written
    assert p1_import.verify(site.ctx).holds()
    site.auther("DELETE FROM access_tuples WHERE rowid = 1")
    assert p1_import.verify(site.ctx).by_kind == {"role missing": 1}
    p1_import.rollback(site.ctx)
    assert site.auther("SELECT * FROM access_tuples") == []


def test_without_grants_nothing_is_written_and_everything_is_named(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with('column = "admin"', tmp_path, fresh_db, monkeypatch, grants="")
    prepare(site)
    assert p1_import.plan(site.ctx).counts.unknown_roles == {"admin": 2}
    p1_import.run(site.ctx)
    assert tuples(site) == set()
    (tmp_path / "migrator.toml").write_text(
        (tmp_path / "migrator.toml").read_text().replace("[stage]\n", f"{GRANTS}[stage]\n")
    )
    with pytest.raises(ConflictError, match=r"import\.roles was \[\]"):
        p1_import.run(reopened(tmp_path, fresh_db).ctx)


def test_a_relation_that_auther_lacks_is_refused_before_anybody_is_written(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_with('column = "admin"', tmp_path, fresh_db, monkeypatch)
    prepare(site, model={"relations": {"editor": []}})
    with pytest.raises(UsageError, match="has no relation moderator; it has: editor"):
        p1_import.run(site.ctx)
    site.auther("DELETE FROM authorization_models")
    with pytest.raises(UsageError, match=f"no authorization model for {KIND}"):
        p1_import.plan(site.ctx)
    site.auther("DROP TABLE access_tuples")
    with pytest.raises((UsageError, RefusedError), match="no table access_tuples"):
        p1_import.run(site.ctx)
    assert site.auther('SELECT count(*) FROM "user"') == [(0,)]


def test_a_roles_table_without_its_columns_is_named(
    tmp_path: Path, fresh_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = 'join_table = "public.users"'
    site = site_with(where, tmp_path, fresh_db, monkeypatch)
    prepare(site)
    with pytest.raises(UsageError, match=r"public\.users has no column user_id"):
        p1_import.plan(site.ctx)
