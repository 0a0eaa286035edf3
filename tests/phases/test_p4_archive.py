"""The archive of a removal: proven by restoring, without secrets unless asked for, obeyed by every way back."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrator.archive.encryption import Identity
from migrator.archive.folder import alone
from migrator.archive.reader import read_rows
from migrator.config.secrets import SecretRef
from migrator.core.errors import ConflictError, HeldError, RefusedError, UsageError
from migrator.core.progress import Progress
from migrator.runner.removing import finished
from migrator.runner.removing.archive_work import drill_all, erase_rows
from migrator.runner.removing.restoring import find_archives, restore
from migrator.runner.removing.wishes import Wish
from migrator.sqlgen import steps
from phases import p4_remove
from tests.cli.command import migrator
from tests.phases.removal import IDENTITY, Site, flip_a_bit, make_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.parts.postgres import PostgresServer

KEY = SecretRef("file", "archive.key")
IDENTITIES = "public.identities"
_ROOM = 250_000  # Bytes: more than the state needs, less than the archive.


@pytest.fixture
def site(tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path, devise_db, monkeypatch)


def without_identity(site: Site) -> Site:
    """The same migration on a machine that may not have the private key."""
    remove = site.ctx.config.remove
    archive = remove.archive.model_copy(update={"identity": None})
    config = site.ctx.config.model_copy(
        update={"remove": remove.model_copy(update={"archive": archive})}
    )
    return replace(site, ctx=replace(site.ctx, config=config))


def rows(site: Site, table: str, columns: str = "*") -> object:
    return site.sql(
        f"SELECT md5(string_agg(r::text, '|' ORDER BY r::text)) FROM (SELECT {columns} FROM {table}) AS r"
    )


def plain(site: Site, step: str) -> bytes:
    """All that an archive holds, decrypted."""
    folder = site.archive(step)
    tables = alone(folder).tables
    return b"".join(b"".join(read_rows(folder, t, Identity(IDENTITY))) for t in tables)


def test_secrets_stay_out_of_the_archive_and_the_way_back_says_what_it_lacks(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, include_secrets=False)
    hashes = site.sql(
        "SELECT array_agg(encrypted_password) FROM users WHERE encrypted_password <> ''"
    )
    tokens = site.sql("SELECT array_agg(token) FROM push_tokens")
    made = p4_remove.plan(site.ctx)
    secrets = {line.partition(":")[0] for line in made.exceptions if "secrets" in line}
    assert {"public.users.encrypted_password", "public.push_tokens.token"} <= secrets
    kept = [c for c in made.columns if f"public.users.{c}" not in secrets]
    before = rows(site, "users", "id, email, " + ", ".join(kept)), rows(site, "identities")
    p4_remove.run(site.ctx)
    held = plain(site, steps.ARCHIVE_TABLES) + plain(site, steps.ARCHIVE_COLUMNS)
    assert not any(secret.encode() in held for secret in [*hashes, *tokens])
    moved = p4_remove.rollback(site.ctx)
    assert set(made.exceptions) == set(moved.exceptions)
    assert moved.differences == ()
    assert (
        rows(site, "users", "id, email, " + ", ".join(kept)),
        rows(site, "identities"),
    ) == before
    unusable = "SELECT count(DISTINCT left(encrypted_password, 29)) FROM users WHERE encrypted_password ~ %s"
    assert site.sql(unusable, r"^\$2a\$12\$[0-9a-f]{21}\.{32}$") == site.sql(
        "SELECT count(*) FROM users"
    )
    for table, column in (name.rsplit(".", 1) for name in secrets):
        was = site.sql(
            f"SELECT count(*) FROM {table} WHERE {column}::text = ANY(%s)", [*hashes, *tokens]
        )
        assert was == 0


def test_the_purge_waits_for_somebody_who_has_the_private_key_elsewhere(
    site: Site, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = without_identity(site)
    p4_remove.plan(here.ctx)
    with pytest.raises(HeldError, match="no private key") as caught:
        p4_remove.run(here.ctx)
    files = here.archive(steps.ARCHIVE_TABLES).parent
    drill = f"migrator remove drill --from {files} --identity file:archive.key"
    assert drill in caught.value.hint
    elsewhere = make_site(tmp_path / "elsewhere", site.dsn, monkeypatch)
    files = site.archive(steps.ARCHIVE_TABLES)
    with postgres.temporary_database() as scratch:
        words = ["--from", str(files), "--into", "env:SCRATCH", "--identity", "file:archive.key"]
        ran = migrator(
            elsewhere.root, "remove", "drill", *words, "--json", env={"SCRATCH": scratch}
        )
        assert ran.code == 0, ran.err
        with psycopg.connect(scratch) as connection:
            found = connection.execute("SELECT to_regnamespace('migrator_drill')").fetchone()
        assert found == (None,)
    first = ran.json["proven"][0]
    assert (first["table"], first["rows"]) == (IDENTITIES, 48)
    p4_remove.run(here.ctx, steps.PURGE_TABLES)
    with pytest.raises(HeldError, match="no private key"):
        p4_remove.rollback(here.ctx)
    assert p4_remove.rollback(here.ctx, identity=KEY).differences == ()
    assert not site.archive(steps.ARCHIVE_TABLES).exists()


def test_without_a_recipient_nothing_is_planned(site: Site) -> None:
    remove = site.ctx.config.remove
    none = remove.archive.model_copy(update={"recipients": ()})
    config = site.ctx.config.model_copy(
        update={"remove": remove.model_copy(update={"archive": none})}
    )
    with pytest.raises(UsageError, match="no public key") as caught:
        p4_remove.plan(replace(site.ctx, config=config))
    assert "migrator remove keygen" in caught.value.hint
    assert "encrypt = false" in caught.value.hint


def test_from_the_archive_alone_tables_come_back_in_a_new_database(
    site: Site, postgres: PostgresServer
) -> None:
    content = rows(site, "identities"), rows(site, "push_tokens")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    columns = rows(site, "users", "id, migrator_q_encrypted_password, migrator_q_confirmed_at")
    folder = site.archive(steps.ARCHIVE_TABLES).parent
    with postgres.temporary_database() as dsn:
        there = replace(site, dsn=dsn)
        chunk = site.archive(steps.ARCHIVE_COLUMNS) / "t001-c00001.copy.gz.age"
        flip_a_bit(chunk)
        with pytest.raises(RefusedError, match=r"t001-c00001\.copy\.gz\.age was changed"):
            find_archives(folder)
        flip_a_bit(chunk)
        words = [
            *("--into", "env:NEW_DATABASE", "--identity", "file:archive.key", "--json"),
            *("--sha256", alone(site.archive(steps.ARCHIVE_TABLES)).content_hash),
            *("--sha256", alone(site.archive(steps.ARCHIVE_COLUMNS)).content_hash),
        ]
        ran = migrator(
            site.root,
            "remove",
            "restore",
            "--from",
            str(folder),
            *words,
            env={"NEW_DATABASE": dsn},
        )
        assert ran.code == 0, ran.err
        done = ran.json
        assert done["tables"] == {IDENTITIES: 48, "public.push_tokens": 150, "public.users": 600}
        assert (rows(there, "identities"), rows(there, "push_tokens")) == content
        assert rows(there, "users", "id, encrypted_password, confirmed_at") == columns
        assert there.sql("SELECT nextval('identities_id_seq')") == 49
        assert there.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'identities'") == 3
        assert any("foreign key" in line for line in done["exceptions"])
        with pytest.raises(RefusedError, match="there already"):
            restore(find_archives(folder), dsn, Identity(IDENTITY), Progress())


def test_an_erased_row_leaves_quarantine_and_archive_and_only_its_chunk_is_rewritten(
    site: Site,
) -> None:
    remove = site.ctx.config.remove
    small = remove.archive.model_copy(update={"chunk_rows": 20, "identity": None})
    config = site.ctx.config.model_copy(
        update={"remove": remove.model_copy(update={"archive": small})}
    )
    site = replace(site, ctx=replace(site.ctx, config=config))
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    drill_all(site.ctx, identity=KEY)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_TABLES)
    uid = site.sql("SELECT uid FROM migrator_quarantine.identities WHERE id = 25")
    wish = Wish(IDENTITIES, "", ("25",))
    with pytest.raises(HeldError, match="second confirmation"):
        erase_rows(site.ctx, wish)
    done = erase_rows(site.ctx, wish, confirmation=IDENTITIES)
    assert (done.rows, done.files) == (1, ("t001-c00002.copy.gz.age",))
    assert site.sql("SELECT count(*) FROM migrator_quarantine.identities") == 47
    held = plain(site, steps.ARCHIVE_TABLES)
    assert f"\t{uid}\t".encode() not in held
    assert alone(site.archive(steps.ARCHIVE_TABLES)).tables[0].rows == 47
    with pytest.raises(RefusedError, match="not proven by restoring it"):
        p4_remove.run(site.ctx, steps.PURGE_TABLES)
    drill_all(site.ctx, identity=KEY)
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    _erase_after_the_purge(site)


def _erase_after_the_purge(site: Site) -> None:
    """The files stay as they are, and a list is obeyed."""
    other = site.sql("SELECT rows FROM migrator_guard.archive WHERE name = 'identities'")
    listed = erase_rows(site.ctx, Wish(IDENTITIES, "", ("7", "8")), confirmation=IDENTITIES)
    assert (listed.where, listed.rows, other) == ("erasure list", 2, 47)
    (site.archive(steps.ARCHIVE_TABLES) / "erasures.json").rename(site.root / "lost")
    with pytest.raises(RefusedError, match=r"has 0 entries for public\.identities, not 2"):
        p4_remove.rollback(site.ctx, identity=KEY)
    (site.root / "lost").rename(site.archive(steps.ARCHIVE_TABLES) / "erasures.json")
    assert p4_remove.rollback(site.ctx, identity=KEY).differences == ()
    assert site.sql("SELECT count(*) FROM identities WHERE id IN (7, 8, 25)") == 0
    assert site.sql("SELECT count(*) FROM identities") == 45


def test_an_erased_user_leaves_the_archive_of_columns(
    tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site(tmp_path, devise_db, monkeypatch, tables=())
    site.sql(
        "INSERT INTO users (id, email, encrypted_password, created_at, updated_at) "
        "VALUES (9001, 'gone@example.org', '$2a$gone', now(), now())"
    )
    password = site.sql("SELECT encrypted_password FROM users WHERE id = 5")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.WRITE_BLOCK_COLUMNS)
    site.sql("DELETE FROM users WHERE id = 9001")
    # One whom the application deleted since, and one whom it keeps.
    wish = Wish("public.users", "", ("9001", "5"))
    done = erase_rows(site.ctx, wish, confirmation="public.users")
    assert (done.where, len(done.files)) == ("quarantine and archive", 1)
    held = plain(site, steps.ARCHIVE_COLUMNS)
    assert (password.encode() in held, b"$2a$gone" in held) == (False, False)
    assert alone(site.archive(steps.ARCHIVE_COLUMNS)).tables[0].rows == 599
    # This machine has the private key: the renewed archive is proven already.
    assert done.needs_drill == ""
    p4_remove.run(site.ctx)
    listed = erase_rows(site.ctx, Wish("public.users", "", ("6",)), confirmation="public.users")
    assert listed.where == "erasure list"
    assert p4_remove.rollback(site.ctx).differences == ()
    left = "SELECT string_agg(right(encrypted_password, 31), '' ORDER BY id) FROM users WHERE id IN (5, 6)"
    assert site.sql(left) == "." * 62


def test_a_disk_that_is_full_half_way_costs_nothing_but_another_try(site: Site) -> None:
    site.sql(
        "INSERT INTO push_tokens (user_id, token, created_at, updated_at) "
        "SELECT min(id), md5(n::text), now(), now() FROM users, generate_series(1, 20000) AS n GROUP BY n"
    )
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    ran = _start(
        site,
        "apply",
        "--to",
        steps.ARCHIVE_TABLES,
        limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM, _ROOM)),
    )
    said = ran.communicate(timeout=60)[1]
    assert (ran.returncode, b"of the archive cannot be written: File too large" in said) == (
        4,
        True,
    )
    folder = site.archive(steps.ARCHIVE_TABLES)
    assert not folder.exists()
    assert not folder.with_name(folder.name + ".new").exists()
    assert p4_remove.run(site.ctx, steps.PURGE_TABLES).steps[0] == steps.ARCHIVE_TABLES


def test_killed_in_archive_drill_and_refill_the_same_command_goes_on(site: Site) -> None:
    before = rows(site, "identities"), rows(site, "push_tokens")
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.QUARANTINE_TABLES)
    folder = site.archive(steps.ARCHIVE_TABLES)
    aside = folder.with_name(folder.name + ".new")
    with psycopg.connect(site.dsn) as other:
        other.execute("LOCK TABLE migrator_quarantine.push_tokens IN ACCESS EXCLUSIVE MODE")
        _killed_once(
            site, lambda: any(aside.glob("t001-c*")), "apply", "--to", steps.ARCHIVE_TABLES
        )
    assert aside.exists()
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    assert not aside.exists()
    with psycopg.connect(site.dsn) as other:
        other.execute("CREATE SCHEMA migrator_drill")
        _killed_once(site, lambda: _waits(site, "CREATE SCHEMA"), "drill")
        other.rollback()
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    with psycopg.connect(site.dsn) as other:
        other.execute("CREATE TABLE migrator_archive.push_tokens (id int)")
        loaded = "SELECT to_regclass('migrator_archive.identities') IS NOT NULL"
        _killed_once(site, lambda: site.sql(loaded), "revert")
        other.rollback()
    moved = p4_remove.rollback(site.ctx)
    assert moved.differences == ()
    assert (rows(site, "identities"), rows(site, "push_tokens")) == before


def test_a_row_written_after_the_archive_is_not_purged_and_not_lost(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.DRILL_TABLES)
    site.sql("UPDATE migrator_quarantine.identities SET uid = 'late' WHERE id = 1")
    with pytest.raises(RefusedError, match=r"public\.identities differs from the archive"):
        p4_remove.run(site.ctx)
    with pytest.raises(RefusedError, match="were changed since the archive"):
        erase_rows(site.ctx, Wish(IDENTITIES, "", ("2",)), confirmation=IDENTITIES)
    p4_remove.rollback(site.ctx, steps.QUARANTINE_TABLES)
    p4_remove.run(site.ctx, steps.PURGE_TABLES)
    assert b"late" in plain(site, steps.ARCHIVE_TABLES)
    p4_remove.rollback(site.ctx)
    assert site.sql("SELECT uid FROM identities WHERE id = 1") == "late"


def test_a_database_that_does_not_know_the_plan_costs_no_archive(site: Site) -> None:
    p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx, steps.ARCHIVE_TABLES)
    folder = site.archive(steps.ARCHIVE_TABLES)
    before = sorted(folder.iterdir())
    site.sql("ALTER SCHEMA migrator_guard RENAME TO away")
    assert p4_remove.rollback(site.ctx).steps == ()
    assert sorted(folder.iterdir()) == before
    site.sql("ALTER SCHEMA away RENAME TO migrator_guard")
    p4_remove.rollback(site.ctx)
    assert not folder.exists()


def test_a_removal_that_ended_in_another_database_is_not_taken_back_in_this_one(
    site: Site,
) -> None:
    made = p4_remove.plan(site.ctx)
    finished.keep(site.ctx, made, {"archives": []}, "shop:1")
    for command in (p4_remove.rollback, p4_remove.run, p4_remove.status):
        with pytest.raises(ConflictError, match="in another database than this one"):
            command(site.ctx)
    assert site.sql("SELECT to_regnamespace('migrator_guard')") is None


def test_the_receipt_says_what_went_on_what_evidence_and_how_to_restore(site: Site) -> None:
    made = p4_remove.plan(site.ctx)
    p4_remove.run(site.ctx)
    files = site.archive(steps.ARCHIVE_TABLES).parent
    first = json.loads((files / "receipt.json").read_text())
    assert first["whole"]
    told = migrator(site.root, "remove", "receipt", "--json").json
    assert (told["plan_hash"], told["tables"]) == (made.plan_hash, list(made.tables))
    assert told["columns"] == list(made.columns)
    hashes = {a["step"]: a["manifest_sha256"] for a in told["archives"]}
    assert hashes[steps.ARCHIVE_TABLES] == alone(site.archive(steps.ARCHIVE_TABLES)).content_hash
    assert all(step["gates"] == ["quiet PASSED (entry 1)"] for step in told["steps"])
    assert {h["where"]: h["until"] for h in told["held"]}["backups"] == "unknown"
    assert any("restore --from" in command for command in told["commands"])
    page = (files / "receipt.html").read_text()
    assert hashes[steps.ARCHIVE_TABLES] in page
    assert "<script" not in page


def _start(
    site: Site, *words: str, limits: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "migrator", "remove", *words],
        cwd=site.root,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        preexec_fn=limits,  # noqa: PLW1509
    )


def _killed_once(site: Site, is_there: Callable[[], object], *words: str) -> None:
    process = _start(site, *words)
    deadline_s = time.monotonic() + 60
    while not is_there():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _waits(site: Site, statement: str) -> bool:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s"
    )
    return bool(site.sql(query, f"%{statement}%"))
