"""Phase 1 for an application whose users are in MariaDB or in a SQLite file."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from migrator.core.users import RejectReason
from migrator.legacy.connect import open_database
from migrator.runner.support.advice import advise
from migrator.runner.support.look_up import cutover, look_up
from migrator.runner.syncing.standing import Standing
from phases import p1_import
from tests.parts.any_database import open_transaction
from tests.phases.importing import IMPORTED, Site, counts, make_site, rejects_of
from tests.phases.syncing import (
    OTHER_HASH,
    auther_id,
    fingerprint,
    loosen_brakes,
    now_text,
    password,
    stored,
    sync,
    touch,
    vanish,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.parts.mariadb import MariaDbServer

REJECTED = {
    RejectReason.UNSUPPORTED_HASH: 15,
    RejectReason.EMAIL_MISSING: 12,
    RejectReason.EMAIL_COLLISION: 8,
}
# Whose `updated_at` is infinite, which MariaDB cannot hold.
WITHOUT_END = range(519, 525)


@pytest.fixture
def site(tmp_path: Path, elsewhere_db: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return make_site(tmp_path / "operator", elsewhere_db, monkeypatch, identities="identities")


@pytest.fixture
def imported(site: Site) -> Site:
    p1_import.run(site.ctx)
    return loosen_brakes(site)


def test_the_same_users_come_over_as_from_postgresql(
    site: Site, tmp_path: Path, devise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = counts(p1_import.run(site.ctx))
    beside = make_site(tmp_path / "beside", devise_db, monkeypatch, identities="identities")
    there = counts(p1_import.run(beside.ctx))

    assert here == there == (600, IMPORTED, 0, REJECTED)
    assert rejects_of(site) == rejects_of(beside)
    mine, theirs = site.content(), beside.content()
    assert mine["identity"] == theirs["identity"]
    odd = {auther_id(beside, pk) for pk in WITHOUT_END}
    for table, owner in (("user", 0), ("account", 3)):
        assert [row for row in mine[table] if row[owner] not in odd] == [
            row for row in theirs[table] if row[owner] not in odd
        ]


def test_a_run_again_finds_everybody_and_a_rollback_leaves_nothing(imported: Site) -> None:
    before = imported.content()
    assert counts(p1_import.run(imported.ctx))[:3] == (600, 0, IMPORTED)
    assert imported.content() == before
    assert p1_import.verify(imported.ctx).holds()
    users = imported.sql("SELECT * FROM users ORDER BY id")

    done = p1_import.rollback(imported.ctx)

    assert (done.removed, done.kept) == (IMPORTED, 0)
    assert not imported.auther('SELECT id FROM "user"')
    with pytest.raises(Exception, match="migrator_identity"):
        imported.sql("SELECT * FROM migrator_identity")
    assert imported.sql("SELECT * FROM users ORDER BY id") == users


def test_the_comparison_sees_a_change_on_either_side(imported: Site) -> None:
    touch(imported, 1, name="Another Name")
    imported.auther('UPDATE "user" SET name = ? WHERE id = ?', "Else", auther_id(imported, 2))
    vanish(imported, 3)
    found = p1_import.verify(imported.ctx).by_kind
    assert found == {"user.name": 2, "user.updated_at": 1, "orphan": 1}


def test_the_sync_follows_what_changes(imported: Site) -> None:
    assert sync(imported).waiting == 0
    touch(imported, 1, name="Another Name", email="Moved@Example.org ")
    touch(imported, 2, encrypted_password=OTHER_HASH)
    touch(imported, 3, confirmed_at=None)
    touch(imported, 4, deleted_at="2026-11-23 02:00:00")
    touch(imported, 5, otp_required_for_login=1)
    columns = "user_id, provider, uid, created_at, updated_at"
    link = "(6, 'google_oauth2', 'g-6', '2026-11-23 02:00:00', '2026-11-23 02:00:00')"
    imported.sql(f"INSERT INTO identities ({columns}) VALUES {link}")
    touch(imported, 6)
    imported.sql(
        "INSERT INTO users (email, encrypted_password, confirmed_at, created_at, updated_at)"
        " VALUES ('new@example.org', %s, '2099-01-01', '2099-01-01', '2099-01-01')",
        OTHER_HASH,
    )

    report = sync(imported)

    assert not report.full
    assert (report.wrote["changed"], report.wrote["passwords"], report.wrote["banned"]) == (
        6,
        2,
        1,
    )
    assert stored(imported, 1, "name, email") == ("Another Name", "moved@example.org")
    assert password(imported, 2) == f"migrator:v1:bcrypt:peppers=2024,none:{OTHER_HASH}"
    assert fingerprint(imported, 2) == sha256(OTHER_HASH.encode()).hexdigest()
    assert stored(imported, 3, "email_verified") == (0,)
    assert stored(imported, 4, "banned, ban_expires") == (1, None)
    assert password(imported, 5) is None, "a second factor that Auther cannot ask for"
    owner = "SELECT user_id FROM account WHERE provider_id = 'google' AND account_id = 'g-6'"
    assert imported.auther(owner) == [(auther_id(imported, 6),)]
    ((new,),) = imported.sql("SELECT id FROM users WHERE email = 'new@example.org'")
    assert stored(imported, new, "email") == ("new@example.org",)
    assert p1_import.verify(imported.ctx).holds()


def test_a_sweep_finds_who_is_gone_and_what_moved_no_time(imported: Site) -> None:
    owners = [auther_id(imported, pk) for pk in (10, 11)]
    vanish(imported, 10, 11)
    imported.sql("UPDATE users SET name = 'Quietly' WHERE id = 12")
    assert sync(imported).waiting == 0

    report = sync(imported, full=True)

    assert (report.wrote["banned"], report.wrote["changed"]) == (2, 3)
    for owner in owners:
        query = 'SELECT banned, ban_reason FROM "user" WHERE id = ?'
        assert imported.auther(query, owner) == [(1, "migrator: gone from the legacy system")]
    assert stored(imported, 12, "name") == ("Quietly",)
    assert p1_import.verify(imported.ctx).holds()


def test_the_support_desk_finds_somebody_by_any_spelling(imported: Site) -> None:
    (person,) = look_up(imported.ctx, " MEMBER1@Example.org ")
    assert person.legacy is not None
    assert person.link is not None
    assert (person.legacy.pk, person.legacy.scheme) == ("1", "bcrypt")
    assert (person.link.home, person.link.hash_unchanged) == ("legacy", True)
    assert person.auther is not None
    assert person.auther.id == auther_id(imported, 1)
    assert advise(person, cutover(imported.ctx)).signs_in


def test_what_a_transaction_is_still_writing_is_found_when_it_ends(imported: Site) -> None:
    site = loosen_brakes(imported, clock_margin=timedelta(0))
    sync(site)
    with open_transaction(site.dsn) as run:
        written = datetime.now(UTC)
        run("UPDATE users SET name = 'Late', updated_at = %s WHERE id = 1", now_text())
        # MariaDB tells in whole seconds when a transaction began.
        time.sleep(1.1)
        held = sync(site)
        run("COMMIT")
        committed = datetime.now(UTC)
    watermark = Standing(site.ctx).watermark
    assert watermark is not None
    assert watermark <= written
    assert (held.waiting, held.lag.seconds > 0) == (0, True)
    assert sync(site).wrote["changed"] == 1
    assert stored(site, 1, "name") == ("Late",)
    lag = sync(site).lag.seconds
    # Whole seconds, of the watermark and of now.
    assert lag < (datetime.now(UTC) - committed).total_seconds() + 2


def test_an_open_transaction_that_the_role_may_not_see_counts_as_old(
    mariadb: MariaDbServer, mariadb_devise_db: str
) -> None:
    name = mariadb_devise_db.rpartition("/")[2]
    mariadb.run(f"CREATE USER {name} IDENTIFIED BY 'pw'", f"GRANT SELECT ON `{name}`.* TO {name}")
    dsn = f"mysql://{name}:pw@127.0.0.1:{mariadb.port}/{name}"
    with open_database(dsn) as connection:
        seen = connection.activity()
    mariadb.run(f"DROP USER {name}")
    assert (seen.oldest, seen.unseen) == (None, 1)
    assert abs(seen.now - datetime.now(UTC)) < timedelta(seconds=5)
