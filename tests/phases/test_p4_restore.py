"""Restore from the archive alone: whatever was done to its files is refused, whatever a database cannot have is said."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.archive.folder import alone
from migrator.archive.manifest import MANIFEST, SUMS
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import Ran, migrator
from tests.phases.removal import Site, flip_a_bit, make_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

pytestmark = pytest.mark.xdist_group("p4_restore")

RICH = """
CREATE SCHEMA kinds;
CREATE TYPE kinds.mood AS ENUM ('glad', 'it''s "so" so');
CREATE DOMAIN kinds.short AS varchar(40) DEFAULT 'none' CONSTRAINT not_empty CHECK (VALUE <> '');
CREATE TYPE kinds.pair AS (mood kinds.mood, note kinds.short);
CREATE TYPE kinds.span AS RANGE (SUBTYPE = kinds.mood);
CREATE TYPE kinds.words AS RANGE (SUBTYPE = text, COLLATION = "C", MULTIRANGE_TYPE_NAME = kinds."All words");
CREATE TYPE kinds.way AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE TABLE visits (
    id int PRIMARY KEY, moods kinds.mood[] NOT NULL DEFAULT '{glad}', name kinds.short, pair kinds.pair, seen timestamptz,
    span kinds.span, words kinds."All words", ways kinds.way[]);
INSERT INTO visits SELECT n, ARRAY['glad', 'it''s "so" so']::kinds.mood[], 'n' || n, '(glad,x)'::kinds.pair, now(),
    '[glad,glad]', '{[B,a)}', ARRAY[kinds.way(0, n)] FROM generate_series(1, 9) AS n;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.seen := now(); RETURN NEW; END';
CREATE TRIGGER touching BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER never BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE visits DISABLE TRIGGER never;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY, REPLICA IDENTITY FULL;
CREATE POLICY anybody ON visits USING (id > 0);
CREATE POLICY theirs ON visits TO {role} USING (true);
GRANT SELECT, UPDATE (name) ON visits TO {role};
GRANT SELECT ON visits TO PUBLIC;
ALTER TABLE visits OWNER TO {role};
CREATE TRIGGER touching BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY counted ON users TO {role} USING (id > 0);
CREATE POLICY named ON users TO {role} USING (email <> '');
GRANT SELECT, UPDATE (locked_at, email) ON users TO PUBLIC;
ALTER TABLE users OWNER TO {role};
"""
KINDS = """
SELECT string_agg(format('%s %s %s', t.oid::regtype, coalesce(pg_get_constraintdef(k.oid), array_to_string(ARRAY(
    SELECT enumlabel FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder), ',')),
    r.rngsubtype::regtype || ' ' || r.rngcollation::regcollation || ' ' || r.rngsubdiff || ' ' || r.rngmultitypid::regtype), '|' ORDER BY t.typname)
FROM pg_type t LEFT JOIN pg_constraint k ON k.contypid = t.oid AND k.contype = 'c' LEFT JOIN pg_range r ON r.rngtypid = t.oid
WHERE t.typnamespace = to_regnamespace('kinds') AND t.typcategory <> 'A'
"""
HAS = """
SELECT json_build_array(pg_get_userbyid(relowner), relacl::text, relreplident, relrowsecurity,
    (SELECT array_agg(pg_get_triggerdef(oid) || tgenabled::text ORDER BY tgname) FROM pg_trigger WHERE tgrelid = c.oid),
    (SELECT array_agg(polname ORDER BY polname) FROM pg_policy WHERE polrelid = c.oid),
    (SELECT array_agg(attname || coalesce(attacl::text, '') ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
    (SELECT md5(string_agg(v::text, '|' ORDER BY id)) FROM visits v))
FROM pg_class c WHERE oid = 'visits'::regclass
"""
# Of the users table comes back what the columns have, and what everything else of it does not need.
USERS_HAS = """
SELECT json_build_array(pg_get_userbyid(relowner), relacl::text, relrowsecurity,
    (SELECT attacl::text FROM pg_attribute WHERE attrelid = c.oid AND attname = 'locked_at'),
    (SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = c.oid AND polname = 'counted'))
FROM pg_class c WHERE oid = 'users'::regclass
"""


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A table with types of its own and all that hangs on a role and a function; a column of users."""
    role = "of_" + devise_db.rpartition("/")[2]
    with psycopg.connect(devise_db, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role}".encode())
        connection.execute(RICH.replace("{role}", role).encode())
        site = make_site(
            tmp_path / "site",
            devise_db,
            monkeypatch,
            tables=("public.identities", "public.visits"),
            columns=("locked_at",),
        )
        p4_remove.plan(site.ctx)
        yield site
        connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}".encode())


@pytest.fixture
def archive(site: Site, tmp_path: Path) -> Path:
    """A copy of the archive, as it lies anywhere."""
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    return shutil.copytree(site.archive(steps.ARCHIVE_TABLES), tmp_path / "copy")


def restore(site: Site, folder: Path, dsn: str, *words: str) -> Ran:
    given = ["--from", str(folder), "--into", "env:NEW", "--identity", "file:archive.key", *words]
    return migrator(site.root, "remove", "restore", *given, env={"NEW": dsn})


def resign(folder: Path, change: Callable[[str], str]) -> None:
    """Write another manifest, and the sums that fit it, as whoever can write to the folder would."""
    text = change((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(text)
    chunks = [line for line in (folder / SUMS).read_text().splitlines() if MANIFEST not in line]
    line = f"{sha256(text.encode()).hexdigest()}  {MANIFEST}"
    (folder / SUMS).write_text("\n".join([*chunks, line]) + "\n")


def swap(folder: Path) -> None:
    """Give each of two tables the other's rows."""
    first, second = folder / "t001-c00001.copy.gz.age", folder / "t002-c00001.copy.gz.age"
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def cut_off(folder: Path) -> None:
    last = folder / "t002-c00001.copy.gz.age"
    last.write_bytes(last.read_bytes()[:-1])


def evil(text: str) -> str:
    """Another's SQL in an archive that fits itself."""
    data = json.loads(text)
    data["tables"][0]["rebuild"]["create"] += "\nCREATE TABLE evil ();"
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (
        lambda folder: flip_a_bit(folder / "t001-c00001.copy.gz.age"),
        "t001-c00001.copy.gz.age was changed",
    ),
    "a missing chunk": (
        lambda folder: (folder / "t002-c00001.copy.gz.age").unlink(),
        "t002-c00001.copy.gz.age is missing",
    ),
    "swapped chunks": (
        swap,
        "t001-c00001.copy.gz.age holds what belongs into t002-c00001.copy.gz.age",
    ),
    "a cut chunk": (cut_off, "t002-c00001.copy.gz.age was changed"),
    "a cut manifest": (
        lambda folder: (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes()[:-20]),
        "is damaged or cut off",
    ),
    "a changed manifest": (lambda folder: flip_a_bit(folder / MANIFEST), MANIFEST),
    "another's SQL": (
        lambda folder: resign(folder, evil),
        "is no manifest with a hash that was given",
    ),
    "another plan's manifest": (
        lambda folder: resign(folder, lambda text: text.replace('"plan_id": "', '"plan_id": "0')),
        "is no manifest with a hash that was given",
    ),
}


def test_whatever_was_done_to_the_files_is_refused_by_name_and_nothing_is_written(
    site: Site, archive: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    known = alone(archive).content_hash
    with postgres.temporary_database() as dsn:
        there = Site(site.ctx, site.root, dsn)
        for name, (harm, said) in FAULTS.items():
            folder = shutil.copytree(archive, tmp_path / name.replace(" ", "-"))
            harm(folder)
            ran = restore(site, folder, dsn, "--sha256", known)
            assert (ran.code, said in ran.err) == (1, True), (name, ran.err)
        for harmed in ("a-flipped-bit", "a-missing-chunk", "swapped-chunks", "a-cut-chunk"):
            assert restore(site, tmp_path / harmed, dsn, "--trust-folder").code == 1
        assert (
            there.sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            == 0
        )


def test_a_folder_is_believed_only_when_that_is_said(
    site: Site, archive: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    kept = shutil.copy(archive / MANIFEST, tmp_path / "kept.json")
    with postgres.temporary_database() as dsn:
        refused = restore(site, archive, dsn)
        assert refused.code == 2
        for way in ("--sha256", "--manifest", "--trust-folder"):
            assert way in refused.err
        own = restore(site, archive, dsn, "--manifest", str(archive / MANIFEST))
        assert (own.code, "says nothing about it" in own.err) == (2, True)
        done = restore(site, archive, dsn, "--manifest", kept)
        assert (done.code, "public.visits: 9 rows" in done.out) == (0, True), done.err
        assert "entries of the erasure list: 0" in done.out
    with postgres.temporary_database() as dsn:
        assert restore(site, archive, dsn, "--trust-folder").code == 0


def test_types_owner_grants_triggers_and_policies_come_back_where_they_can(
    site: Site, postgres: PostgresServer
) -> None:
    kinds, has, users_has = site.sql(KINDS), site.sql(HAS), site.sql(USERS_HAS)
    p4_remove.run(site.ctx, steps.ARCHIVE_COLUMNS)
    folders = [site.archive(step) for step in (steps.ARCHIVE_TABLES, steps.ARCHIVE_COLUMNS)]
    folder = folders[0].parent
    known = [word for f in folders for word in ("--sha256", alone(f).content_hash)]
    with postgres.temporary_database() as dsn:
        there = Site(site.ctx, site.root, dsn)
        there.sql(
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        done = restore(site, folder, dsn, *known, "--json")
        assert done.code == 0, done.out
        assert (there.sql(KINDS), there.sql(HAS)) == (kinds, has)
        assert there.sql(USERS_HAS) == users_has
        said = done.json["exceptions"]
        assert sorted(line for line in said if "visits" in line) == [
            f"not made: public.visits: type kinds.{name}: owner, grants and comment"
            for name in ("mood", "pair", "short", "span", "way", "words")
        ]
        assert [line for line in said if "users: " in line and "foreign key" not in line] == [
            "not made: public.users: trigger touching",
            'not made: public.users: policy named: column "email" does not exist',
        ]
    with postgres.temporary_database() as dsn:
        words = ["--from", str(folder), "--into", "env:NEW", "--identity", "file:archive.key"]
        drilled = migrator(site.root, "remove", "drill", *words, env={"NEW": dsn})
        assert (drilled.code, "public.visits: 9 rows" in drilled.out) == (0, True), drilled.err
        there = Site(site.ctx, site.root, dsn)
        there.sql(
            "CREATE SCHEMA kinds; CREATE TYPE kinds.mood AS ENUM ('glad', 'it''s \"so\" so', 'new')"
        )
        said = restore(site, folder, dsn, *known, "--json").json["exceptions"]
        assert (
            "not made: public.visits: trigger never: function public.touch() does not exist"
            in said
        )
        assert "type kinds.mood was there already and is used as it is" in said
