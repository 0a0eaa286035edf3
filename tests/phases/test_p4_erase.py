"""Single rows leave quarantine and archive: whatever their key looks like, and wherever the command is killed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.archive.encryption import Identity
from migrator.archive.folder import alone
from migrator.archive.reader import check_chunks, read_rows
from migrator.core.errors import HeldError, UsageError
from migrator.runner import approving
from migrator.runner.removing.archive_work import erase_rows
from migrator.runner.removing.wishes import Wish
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import migrator
from tests.phases.removal import IDENTITY, Site, make_site
from tests.runner.approvals import Team, approvers

if TYPE_CHECKING:
    from pathlib import Path

    from migrator.runner.removing.erasing import Erased

MEMBERS, NOTICES = "public.members", "public.notices"
# In the order of its own collation B comes before a, in that of the database after it.
MEMBERS_SQL = """
CREATE TYPE rank AS ENUM ('low', 'high');
CREATE TABLE members (
    team varchar(12) COLLATE "C", person uuid, rank rank, active boolean, note text, PRIMARY KEY (team, person, rank));
INSERT INTO members
SELECT team, ('00000000-0000-0000-0000-' || lpad(n::text, 12, 'a'))::uuid, rank, n % 2 = 0, team || n || rank
FROM unnest(ARRAY['B,"x', 'a', 'Zz', 'b']) AS team, generate_series(1, 9) AS n, unnest(enum_range(NULL::rank)) AS rank;
CREATE TABLE notices (team text, note text);
INSERT INTO notices SELECT 'team ' || n % 4, 'notice ' || n FROM generate_series(1, 12) AS n;
"""
# Of identity 7, with a root that points to itself and a leaf of another's; the application keeps visits.
LOGINS_SQL = """
CREATE TABLE logins (id int PRIMARY KEY, note text,
  identity_id bigint CONSTRAINT logins_identity REFERENCES identities ON DELETE CASCADE,
  parent int CONSTRAINT logins_parent REFERENCES logins ON DELETE SET NULL);
INSERT INTO logins SELECT n, 'login ' || n, CASE WHEN n < 4 THEN 7 ELSE 8 END, CASE WHEN n < 4 THEN 1 END FROM generate_series(1, 9) AS n;
UPDATE logins SET parent = 4 WHERE id IN (8, 9);
CREATE TABLE visits (id int, identity_id bigint CONSTRAINT visits_identity REFERENCES identities ON DELETE SET NULL);
INSERT INTO visits VALUES (1, 8);
CREATE TABLE badges (identity_id bigint CONSTRAINT badges_identity REFERENCES identities);
INSERT INTO badges VALUES (9), (9);
"""
AROUND_THE_DELETION = {
    "before os.rename manifest.json.next.part (1)",
    "before the end of a transaction (2)",
    "after the end of a transaction (2)",
    "before os.rename SHA256SUMS.part (1)",
    "before os.rename manifest.json.part (1)",
}
ODD = '"B,""x",00000000-0000-0000-0000-AAAAAAAAAAA3,high'
PLAIN = "a,00000000-0000-0000-0000-AAAAAAAAAAA3,high"


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch, team: Team) -> Site:
    """One table with a key of three columns and one without, in chunks of five rows; alice and bob have to agree."""
    (tmp_path / "keys.json").write_text(json.dumps(team.keys))
    keys = {name: team.keys[name] for name in ("alice", "bob")}
    with psycopg.connect(devise_db) as connection:
        connection.execute(MEMBERS_SQL.encode())
    return make_site(
        tmp_path,
        devise_db,
        monkeypatch,
        tables=(MEMBERS, NOTICES, "public.identities"),
        columns=(),
        more="chunk_rows = 5\n" + approvers(keys),
    )


def held(site: Site, label: str = MEMBERS) -> set[str]:
    """The notes that the archive has of a table."""
    folder = site.archive(steps.ARCHIVE_TABLES)
    manifest = alone(folder)
    check_chunks(folder, manifest)
    table = manifest.table(label)
    assert table is not None
    lines = b"".join(read_rows(folder, table, Identity(IDENTITY))).decode().splitlines()
    assert len(lines) == table.rows
    place = table.column_names.index("note")
    return {line.split("\t")[place] for line in lines}


def files(site: Site) -> set[str]:
    return {path.name for path in site.archive(steps.ARCHIVE_TABLES).iterdir()}


def command(*keys: str, column: str = "", table: str = MEMBERS) -> list[str]:
    named = [word for key in keys for word in ("--key", key)]
    of = ["--column", column] if column else []
    return ["remove", "erase", "--table", table, *named, *of]


NO_KEY = command("team 3", column="team", table=NOTICES)


def erased(site: Site, team: Team, *words: str) -> str:
    """Ask, have it signed, erase; gives what it says."""
    asked = migrator(site.root, *words)
    assert (asked.code, "have to sign" in asked.err) == (3, True), asked.err
    team.sign("alice", "bob")
    ran = migrator(site.root, *words)
    assert ran.code == 0, ran.err
    return ran.out


def killed(site: Site, which: str, words: list[str]) -> list[str]:
    """Erase, killed at each place once; gives the places."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.phases.kill_anywhere", site.root, which, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_a_row_is_found_by_a_key_of_several_columns_however_it_is_written(
    site: Site, team: Team
) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    before = held(site)
    assert "1 rows erased from quarantine and archive" in erased(site, team, *command(ODD))
    assert before - held(site) == {'B,"x3high'}
    assert "no such row is in quarantine and archive" in erased(site, team, *command(ODD))
    assert "32 rows erased" in erased(site, team, *command("YES", column="active"))
    assert len(held(site)) == len(before) - 33
    p4_remove.run(site.ctx, steps.DRILL_TABLES)


def test_what_is_no_key_is_put_before_nobody_and_erases_nothing(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    person = "00000000-0000-0000-0000-aaaaaaaaaaa1"
    # Cut off at the length of the column, the first would be a key that is there.
    for key, why in {
        f"a            b,{person},low": "a key is no character varying(12)",
        "a,7,low": "a key is no uuid",
        f"a,{person},middle": "a key is no public.rank",
        "a": "a key of public.members is team,person,rank",
    }.items():
        with pytest.raises(UsageError, match=re.escape(why)):
            erase_rows(site.ctx, Wish(MEMBERS, "", (key,)))
    assert site.ctx.state.ledger.entries(subject=approving.SUBJECT) == []
    assert len(held(site)) == 72


@pytest.fixture
def tied(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Tables whose rows point to each other; the one operator confirms."""
    with psycopg.connect(devise_db) as connection:
        connection.execute(LOGINS_SQL)
    tables = ("public.identities", "public.logins")
    return make_site(tmp_path, devise_db, monkeypatch, tables=tables, columns=())


def test_before_the_archive_whoever_agrees_is_told_what_foreign_keys_do(tied: Site) -> None:
    p4_remove.plan(tied.ctx)
    p4_remove.run(tied.ctx, steps.QUARANTINE_TABLES)
    refusing = "2 of public.badges by badges_identity (ON DELETE NO ACTION)"
    with pytest.raises(HeldError, match=re.escape(refusing)):
        erase_rows(tied.ctx, Wish("public.identities", "", ("9",)))
    wish = Wish("public.logins", "", ("4",))
    with pytest.raises(HeldError, match="type its name") as asked:
        erase_rows(tied.ctx, wish)
    change = "2 of public.logins by logins_parent (ON DELETE SET NULL)"
    assert change in asked.value.message
    assert erase_rows(tied.ctx, wish, confirmation=wish.table).where == "quarantine"


def test_what_was_agreed_to_is_asked_anew_when_more_goes_with_it(site: Site, team: Team) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    with psycopg.connect(site.dsn) as connection:
        connection.execute(
            "CREATE TABLE visits (id bigint REFERENCES migrator_quarantine.identities ON DELETE CASCADE)"
        )
    words = command("7", table="public.identities")
    assert migrator(site.root, *words).code == 3
    team.sign("alice", "bob")
    with psycopg.connect(site.dsn) as connection:
        connection.execute("INSERT INTO visits VALUES (7)")
    again = migrator(site.root, *words)
    assert (again.code, "have to sign" in again.err) == (3, True)
    assert "1 of public.visits by visits_id_fkey (ON DELETE CASCADE)" in team.request().read_text()
    team.sign("alice", "bob")
    assert migrator(site.root, *words).code == 0


def test_a_row_that_others_point_to_waits_until_they_are_gone_or_there_is_no_archive(
    tied: Site,
) -> None:
    site = tied

    def erase(table: str, *keys: str, column: str = "") -> Erased:
        return erase_rows(site.ctx, Wish(table, column, keys), confirmation=table)

    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.DRILL_TABLES)
    quarantined = (
        "SELECT md5(string_agg(t::text, ' ' ORDER BY id)) FROM migrator_quarantine.{} AS t"
    )
    before = [site.sql(quarantined.format(name)) for name in ("identities", "logins")]
    agreed = len(site.ctx.state.ledger.entries(subject=approving.SUBJECT))
    three = "3 of public.logins by logins_identity (ON DELETE CASCADE)"
    with pytest.raises(HeldError, match=re.escape(three)) as refusal:
        erase("public.identities", "7")
    back = f"migrator remove revert --to {steps.QUARANTINE_TABLES}"
    assert back in (refusal.value.hint or "")
    with pytest.raises(HeldError, match=re.escape("1 of public.visits by visits_identity")):
        erase("public.identities", "8")
    # Nobody was asked to agree to that.
    assert agreed == len(site.ctx.state.ledger.entries(subject=approving.SUBJECT))
    assert before == [site.sql(quarantined.format(name)) for name in ("identities", "logins")]
    # All that point to the root are to go with it.
    assert erase("public.logins", "7", column="identity_id").rows == 3
    # The write-block lets a cascade of this transaction through.
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    assert erase("public.identities", "7").rows == 1
    with pytest.raises(
        HeldError, match=re.escape("2 of public.logins by logins_parent (ON DELETE SET NULL)")
    ):
        erase("public.logins", "4")
    p4_remove.rollback(site.ctx, steps.QUARANTINE_TABLES)
    assert erase("public.logins", "4").where == "quarantine"
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx).differences == ()
    assert site.sql("SELECT array_agg(id ORDER BY id) FROM logins WHERE parent IS NULL") == [
        5,
        6,
        7,
        8,
        9,
    ]
    assert site.sql("SELECT count(*) FROM identities") == 47


EVERYWHERE = pytest.param("all", marks=[pytest.mark.long, pytest.mark.timeout(1800)])


@pytest.mark.parametrize("which", ["ends", EVERYWHERE])
def test_killed_anywhere_the_same_command_comes_to_the_same_end(site: Site, which: str) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    before, kept = held(site), files(site)
    for words in (command(ODD), NO_KEY):
        places = killed(site, which, words)
        assert not AROUND_THE_DELETION.difference(places)
    assert before - held(site) == {'B,"x3high'}
    assert len(held(site, NOTICES)) == 9
    # Of twelve rows in chunks of five nine are left: one chunk less.
    assert len(files(site)) == len(kept) - 1
    assert site.sql("SELECT count(*) FROM migrator_quarantine.members") == 71
    p4_remove.run(site.ctx)
    assert p4_remove.rollback(site.ctx).differences == ()
    assert site.sql("SELECT count(*) FROM members") == 71
    assert site.sql("SELECT count(*) FROM notices WHERE team <> 'team 3'") == 9


@pytest.mark.parametrize(
    ("which", "last"),
    [
        ("ends", steps.FINALIZE),
        pytest.param("all", steps.FINALIZE, marks=pytest.mark.long),
        pytest.param("all", steps.PURGE_TABLES, marks=pytest.mark.long),
    ],
)
def test_killed_anywhere_after_a_drop_no_row_comes_back(site: Site, which: str, last: str) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, last)
    for words in (command(PLAIN), NO_KEY):
        places = killed(site, which, words)
        assert "before os.rename erasures.json.part (1)" in places
    assert p4_remove.rollback(site.ctx).differences == ()
    assert site.sql("SELECT count(*) FROM members") == 71
    assert site.sql("SELECT count(*) FROM notices") == 9
